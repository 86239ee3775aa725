// A moment at which nothing can have arrived that this thread does not know of.

import { setImmediate } from "node:timers/promises";

/** What arrived unseen arrived during the last turn of the event loop. Such a turn is quiet when it is shorter than this, in milliseconds. */
const quietTurnMs = 1;

/** Resolves after a turn of the event loop that was quiet and at whose end `isQuiet` agrees, at the latest after some `maxMs` milliseconds: a busy thread may have none. */
export async function quietTurn(maxMs: number, isQuiet: () => boolean = () => true): Promise<void> {
  const endMs = performance.now() + maxMs;
  // To the place in a turn that comes right after the one where Node looks at what has arrived.
  await setImmediate();
  for (let turnMs = Infinity; turnMs >= quietTurnMs || !isQuiet(); ) {
    const startMs = performance.now();
    if (startMs >= endMs) return;
    await setImmediate();
    turnMs = performance.now() - startMs;
  }
}
