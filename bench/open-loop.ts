// The open loop: calls depart at random times of a fixed mean rate, whether or not earlier ones were answered, and count from when they were to depart.

import type { LoadConnection } from "./load-connection.ts";

/** Sleeping for longer would answer for the load's lateness, not for the server's; timers take whole milliseconds. */
const sleepMaxMs = 0.1;

const sleeper = new Int32Array(new SharedArrayBuffer(4));

export interface Departures {
  stop(): void;
}

/** A Poisson process: the times between departures are exponentially distributed, as those of many callers are who know nothing of each other. The connections take turns. */
export function keepDeparting(connections: readonly LoadConnection[], callsPerSecond: number): Departures {
  const meanGapMs = 1000 / callsPerSecond;
  const nextGapMs = (): number => -Math.log(1 - Math.random()) * meanGapMs;
  let departureMs = performance.now() + nextGapMs();
  let turn = 0;
  let isStopped = false;

  const depart = (): void => {
    if (isStopped) return;
    const nowMs = performance.now();
    for (; departureMs <= nowMs; departureMs += nextGapMs()) connections[turn++ % connections.length]!.call(departureMs);
    for (const connection of connections) connection.flush();
    const untilNextMs = departureMs - performance.now();
    if (untilNextMs > 0) Atomics.wait(sleeper, 0, 0, Math.min(untilNextMs, sleepMaxMs));
    // Between two looks at the clock the answers are read.
    setImmediate(depart);
  };
  setImmediate(depart);
  return {
    stop() {
      isStopped = true;
    },
  };
}
