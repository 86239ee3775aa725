// Keeps what Node makes of the sources (JavaScript without types, compiled), so that the next start need not make it again.

import { dirname, join } from "path";
import { fileURLToPath } from "url";

/** Goes and comes with what npm installs, and belongs to whoever may write the code that it is made from. */
const folder = join(dirname(fileURLToPath(import.meta.url)), "..", "node_modules", ".cache", "headless-wallet");

/**
 * Turns the cache on, for this thread and for those that it starts. Node compares each source's content before it uses what it kept, so
 * changed code is never run as it was. Where the folder cannot be read or written, everything is made anew at each start. Never throws.
 */
export function keepCompiled() {
  // Not imported by name: old Nodes, which have no such function, read this file too.
  process.getBuiltinModule("module").enableCompileCache(folder);
  // Threads look here. What somebody has chosen already wins.
  process.env.NODE_COMPILE_CACHE ??= folder;
}
