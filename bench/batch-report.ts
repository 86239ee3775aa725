// What a run of batches comes to: its rate, and the processor time that the process which carried it out took for it.

import { threadTimes, usedBetween } from "./processor-time.ts";

export interface BatchReport {
  readonly operationsPerSecond: number;
  /** Processor time of the whole process, in microseconds an operation. */
  readonly cpuUs: number;
  /** What of it the main thread took: in the service the network, in the other contenders whatever makes the batches up. */
  readonly mainThreadUs: number;
  /** What of it the writer thread took, where there is one. */
  readonly writerThreadUs: number;
}

/** Carries out `work`, which is so many operations of the process `pid`. */
export async function reportOn(pid: number, operations: number, work: () => Promise<void>): Promise<BatchReport> {
  const before = threadTimes(pid);
  const startMs = performance.now();
  await work();
  const seconds = (performance.now() - startMs) / 1000;
  const used = usedBetween(before, threadTimes(pid));
  const perOperationUs = (ms: number): number => (1000 * ms) / operations;
  return {
    operationsPerSecond: operations / seconds,
    cpuUs: perOperationUs([...used.values()].reduce((sum, ms) => sum + ms, 0)),
    mainThreadUs: perOperationUs(used.get("MainThread") ?? 0),
    writerThreadUs: perOperationUs(used.get("writer") ?? 0),
  };
}

/** Does `work` for each number below `count`, so many of them at a time, in order. */
export async function inLanes(count: number, atATime: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: atATime }, lane));
}
