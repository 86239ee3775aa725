// How the process is set while it starts: it keeps what Node makes of the sources for the next start, and its memory small. src/end-start-phase.ts ends it.

import { dirname, join } from "path";
import { fileURLToPath } from "url";

/** Goes and comes with what npm installs, and belongs to whoever may write the code that it is made from. */
const cacheFolder = join(dirname(fileURLToPath(import.meta.url)), "..", "node_modules", ".cache", "headless-wallet");

/** For this thread and for those that it starts. Never throws. */
export function beginStartPhase() {
  // Not imported by name: old Nodes, which do not have all of it, read this file too.
  const { setFlagsFromString } = process.getBuiltinModule("v8");
  const { enableCompileCache } = process.getBuiltinModule("module");

  // Nearly all that a start allocates stays. V8 would take it for load, and give each thread room for young objects that an idle process never needs.
  setFlagsFromString("--semi-space-growth-factor=1");
  // For the writer thread, which collects what its start has left before the first call.
  setFlagsFromString("--expose-gc");
  // Both before the cache, which takes back only what was compiled under the same settings.

  // JavaScript without types, compiled. Node compares each source's content before it uses what it kept: changed code is never run as it was.
  // Where the folder cannot be read or written, everything is made anew at each start.
  enableCompileCache(cacheFolder);
  // Threads look here. What somebody has chosen already wins.
  process.env.NODE_COMPILE_CACHE ??= cacheFolder;
}
