// Ends what bin/start-phase.js began: from here on the process is set for work.

import { flushCompileCache } from "node:module";
import { setFlagsFromString } from "node:v8";

/** To be called in the main thread, when all that a start needs is loaded and every thread has kept what it compiled. Harmless where nothing was begun. */
export function endStartPhase(): void {
  // First: what is written after the settings have changed, the next start could not use.
  flushCompileCache();
  // V8's own value, for all threads.
  setFlagsFromString("--semi-space-growth-factor=2");
}
