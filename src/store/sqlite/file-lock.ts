// One process a ledger file: a lock that the operating system takes back when the process dies, however it dies.

import { chmodSync } from "node:fs";
import Database from "better-sqlite3";
import { StartError } from "../../start-error.ts";
import { makeFile } from "./make-file.ts";

/**
 * Locks `<path>.lock` until `release` or the end of the process. The lock is SQLite's own on an empty database beside the ledger: the ledger's
 * file itself cannot carry it, since readers in this process need it. Throws StartError where another process has it.
 */
export function lockFile(path: string): { release(): void } {
  const lockPath = `${path}.lock`;
  makeFile(lockPath);
  chmodSync(lockPath, 0o600);
  const connection = new Database(lockPath, { timeout: 0 });
  try {
    connection.pragma("journal_mode = MEMORY");
    connection.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    connection.close();
    if (error instanceof Database.SqliteError && error.code.startsWith("SQLITE_BUSY")) {
      throw new StartError(`Another process has the ledger ${path} open. One process serves a file; stop that one, or give this one another WALLET_DATABASE_URL.`);
    }
    throw error;
  }
  return { release: () => void connection.close() };
}
