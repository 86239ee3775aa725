// Run by `npm ci`: fills the cache of compiled sources, so that the first start is as fast as those after it. Nothing depends on it: it may fail.

import { spawnSync } from "child_process";
import { fileURLToPath } from "url";
import { beginStartPhase } from "../bin/start-phase.js";

// The process's edge runs as it is loaded, so it gets a process of its own, in which nothing is started. First, while the environment is still as it was.
spawnSync(process.execPath, [fileURLToPath(new URL("../bin/wallet.js", import.meta.url)), "--version"], { stdio: "ignore", timeout: 30_000 });

beginStartPhase();
// All else that a start loads, on both threads; the writer's entry then throws, because this is no worker thread.
for (const entry of ["start.ts", "app.ts", "writer.ts"]) await import(`../src/${entry}`).catch(() => undefined);
