// Makes files that SQLite is to open, without ever disturbing its locks on one that is there.

import { closeSync, openSync } from "node:fs";

/**
 * Makes an empty file that only its owner may read, unless there is one. One that is there is not even opened: to close it again would drop every
 * lock that this process has on it, SQLite's included (https://sqlite.org/howtocorrupt.html, section 2.2).
 */
export function makeFile(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
}
