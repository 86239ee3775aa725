// What a run of batches comes to: its rate, and the processor time that the process which carried it out took for it.

import { measureProcessors, type MeasuredProcesses } from "./processor-time.ts";

export interface BatchReport {
  readonly operationsPerSecond: number;
  /** Processor time of the whole process, or of all servers together, in microseconds an operation. */
  readonly cpuUs: number;
  /** What of it the main thread took: in the service the network, in the other contenders whatever makes the batches up. */
  readonly mainThreadUs: number;
  /** What of it the writer thread took, where there is one. */
  readonly writerThreadUs: number;
  /** What the database server's processes took, where there is one. */
  readonly databaseUs: number;
}

/** Carries out `work`, which is so many operations of these processes. */
export async function reportOn(processes: MeasuredProcesses, operations: number, work: () => Promise<void>): Promise<BatchReport> {
  const used = measureProcessors(processes);
  const startMs = performance.now();
  await work();
  const seconds = (performance.now() - startMs) / 1000;
  const { serverMs, databaseMs } = used();
  const perOperationUs = (ms: number): number => (1000 * ms) / operations;
  return {
    operationsPerSecond: operations / seconds,
    cpuUs: perOperationUs([...serverMs.values()].reduce((sum, ms) => sum + ms, 0)),
    mainThreadUs: perOperationUs(serverMs.get("MainThread") ?? 0),
    writerThreadUs: perOperationUs(serverMs.get("writer") ?? 0),
    databaseUs: perOperationUs(databaseMs),
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
