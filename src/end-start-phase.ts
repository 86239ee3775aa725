// Ends what bin/start-phase.js began: from here on the process is set for work.

import { flushCompileCache } from "node:module";
import { setFlagsFromString } from "node:v8";

/** To be called in the main thread, when all that a start needs is loaded and every thread has kept what it compiled. Harmless where nothing was begun. */
export function endStartPhase(): void {
  // First: what is written after the settings have changed, the next start could not use.
  flushCompileCache();
  // V8's own values, for all threads.
  setFlagsFromString("--semi-space-growth-factor=2");
  setFlagsFromString("--no-expose-gc");
}

/**
 * Gives the system back what this thread's start has left in its heap, which V8 would keep for later; an idle thread has no later. Some 50 ms in which the
 * thread does nothing else. Does nothing where no start phase was begun.
 */
export function giveBackMemory(): void {
  globalThis.gc?.({ type: "major", execution: "sync", flavor: "last-resort" });
}
