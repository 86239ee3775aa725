// A moment at which nothing can have arrived that this thread does not know of.

import { setImmediate } from "node:timers/promises";

/** What arrived unseen arrived during the last turn of the event loop. Such a turn is quiet when it is shorter than this, in milliseconds. */
const quietTurnMs = 1;

/** Resolves after a turn of the event loop that was quiet and in which `arrived`, a count, stayed the same; at the latest after some `maxMs` milliseconds, since a busy thread may have no such turn. */
export async function quietTurn(maxMs: number, arrived: () => number = () => 0): Promise<void> {
  const endMs = performance.now() + maxMs;
  // To the place in a turn that comes right after the one where Node looks at what has arrived.
  await setImmediate();
  for (;;) {
    const [startMs, before] = [performance.now(), arrived()];
    if (startMs >= endMs) return;
    await setImmediate();
    if (performance.now() - startMs < quietTurnMs && arrived() === before) return;
  }
}
