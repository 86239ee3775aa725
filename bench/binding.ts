// What binds a contender that answers unary calls, as far as its threads and the processors show it.

import { availableParallelism } from "node:os";
import { busy, cpuUsPerCall, databaseUsPerCall, loadUsPerCall, medianOf, shareOf } from "./load-figures.ts";
import type { LoadReport } from "./load.ts";
import { percent } from "./measured.ts";
import { processorBound, type Comparison } from "./processor-bound.ts";

/** From here on a thread, or all processors together, have no time left that would be worth anything. */
const [threadFull, processorsFull] = [0.85, 0.9];

/** What the processors permit, and what it stays below that by. Of threads only their processor time is known here: how long they stand still, a profile shows (occupied.ts). */
export function bindingOf(reports: readonly LoadReport[], comparison: Comparison): string {
  const median = (value: (report: LoadReport) => number): number => medianOf(reports, value);
  const bound = processorBound("A call", { serversUs: median(cpuUsPerCall), databaseUs: median(databaseUsPerCall), loadUs: median(loadUsPerCall) }, comparison);
  const [main, writer, load] = [median((report) => busy(report, "MainThread")), median((report) => busy(report, "writer")), median((report) => shareOf(report.loadMs, report))];
  const processors = availableParallelism();
  const all = median((report) => ((cpuUsPerCall(report) + databaseUsPerCall(report) + loadUsPerCall(report)) * report.calls) / 1_000_000 / report.seconds / processors);
  const others = median((report) => shareOf(report.othersMs, report)) / processors;
  const shares = `main thread busy ${percent(main)}, writer thread ${percent(writer)}, load ${percent(load)}; all of it together takes ${percent(all)} of all processors, everything else ${percent(others)}`;
  return `${bound}. ${restOf({ main, writer, all: all + others })}: ${shares}.`;
}

interface Busy {
  readonly main: number;
  readonly writer: number;
  readonly all: number;
}

function restOf({ main, writer, all }: Busy): string {
  if (main > threadFull) return "Of threads it is the main one that binds";
  if (writer > threadFull) return "Of threads it is the writer that binds";
  if (all > processorsFull) return "It is the processors that bind";
  return "No thread computes all the time; what it reaches less than that is waiting, for the sync to disk, for a processor or of one thread for another";
}
