// Run by `npm ci`: fills the cache of compiled sources, so that the first start is as fast as those after it. Nothing depends on it: it may fail.

import { beginStartPhase } from "../bin/start-phase.js";

beginStartPhase();
// All that a start loads, on both threads; the writer's entry then throws, because this is no worker thread.
for (const entry of ["config.ts", "log.ts", "start.ts", "app.ts", "writer.ts"]) await import(`../src/${entry}`).catch(() => undefined);
