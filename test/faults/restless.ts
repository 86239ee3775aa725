// Makes a watcher restless: it loses its connection again and again, at random moments, and watches again behind what it has seen.

import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "./random.ts";
import type { Watcher } from "./watcher.ts";

/** Kills the watcher at random moments and has it resume, until it is stopped. */
export function killAndResume(watcher: Watcher, random: Random): { stop(): Promise<void>; kills(): number } {
  const state = { isOver: false, kills: 0 };
  const run = async (): Promise<void> => {
    while (!state.isOver) {
      await sleep(random.between(5, 400));
      watcher.kill();
      state.kills++;
      await sleep(random.between(0, 100));
      watcher.resume();
    }
  };
  const running = run();
  return {
    kills: () => state.kills,
    async stop() {
      state.isOver = true;
      await running;
    },
  };
}
