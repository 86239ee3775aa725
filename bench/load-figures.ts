// Figures that reports of the load come to: rates, processor time, and how busy threads were.

import type { LoadReport } from "./load.ts";
import { spreadOf } from "./statistics.ts";

export function medianOf(reports: readonly LoadReport[], value: (report: LoadReport) => number): number {
  return spreadOf(reports.map(value)).median;
}

/** Calls a second. */
export function rateOf({ calls, seconds }: LoadReport): number {
  return calls / seconds;
}

/** Processor time of all servers, in microseconds a call. */
export function cpuUsPerCall({ serverMs, calls }: LoadReport): number {
  return (1000 * Object.values(serverMs).reduce((sum, ms) => sum + ms, 0)) / calls;
}

/** Processor time of the database server, in microseconds a call; 0 where there is none. */
export function databaseUsPerCall({ databaseMs, calls }: LoadReport): number {
  return (1000 * databaseMs) / calls;
}

/** Processor time of the load, in microseconds a call. */
export function loadUsPerCall({ loadMs, calls }: LoadReport): number {
  return (1000 * loadMs) / calls;
}

/** How much of one processor so many milliseconds of a report were. */
export function shareOf(ms: number, { seconds }: LoadReport): number {
  return ms / 1000 / seconds;
}

/** How much of one processor the servers' threads of this name took. */
export function busy(report: LoadReport, thread: string): number {
  return shareOf(report.serverMs[thread] ?? 0, report);
}
