// What the processors alone permit: the rate at which all of them would be busy with a contender's calls and nothing would ever wait.

import { availableParallelism } from "node:os";
import { decimals, whole } from "./measured.ts";

/** Processor time of one call, or of one operation of a batch, in microseconds. */
export interface Cost {
  readonly serversUs: number;
  /** 0 where there is no database server. */
  readonly databaseUs: number;
  readonly loadUs: number;
}

/** What a contender is compared with: at least `target` times this rate. */
export interface Comparison {
  readonly rivalPerSecond: number;
  readonly target: number;
}

/** `what` takes so much: "a call", or "an operation". */
export function processorBound(what: string, { serversUs, databaseUs, loadUs }: Cost, { rivalPerSecond, target }: Comparison, processors = availableParallelism()): string {
  const perSecond = (1_000_000 * processors) / (serversUs + databaseUs + loadUs);
  const ratio = perSecond / rivalPerSecond;
  const times = [`${whole(serversUs)} µs of processor time in the service`, ...(databaseUs > 0 ? [`${whole(databaseUs)} µs in the database`] : []), `${whole(loadUs)} µs in the load`];
  return (
    `${what} takes ${times.slice(0, -1).join(", ")} and ${times.at(-1)!}, so that all ${processors} processors could do at most ${whole(perSecond)} a second: ` +
    `${decimals(ratio, 2)} of what it is compared with (${whole(rivalPerSecond)}/s), ${ratio < target ? "which is itself below the target" : "which would meet the target"} of ${target}`
  );
}
