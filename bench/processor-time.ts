// How much processor time the threads of a process have used, as Linux counts it.

import { readdirSync, readFileSync } from "node:fs";
import { cpus } from "node:os";
import { FamilyTime, readFamily } from "./family-time.ts";
import { statOf } from "./process-stat.ts";

/** Milliseconds of processor time by the thread's name; threads of one name together. */
export type ThreadTimes = ReadonlyMap<string, number>;

/** The threads of this process, so far. */
export function threadTimes(pid: number): ThreadTimes {
  const times = new Map<string, number>();
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const stat = statOf(`/proc/${pid}/task/${thread}`);
    if (stat !== undefined) times.set(stat.name, (times.get(stat.name) ?? 0) + stat.ms);
  }
  return times;
}

/** Processes whose processor time is measured. */
export interface MeasuredProcesses {
  readonly servers: readonly number[];
  /** The first process of the database server that they share, where they do. */
  readonly database?: number | undefined;
}

export interface ProcessorUse {
  /** Of all servers, in milliseconds by thread; threads of one name together. */
  readonly serverMs: ReadonlyMap<string, number>;
  /** Of the database server's processes together; 0 where there is none. */
  readonly databaseMs: number;
}

/** Begins to measure; what it answers tells what was used until then. */
export function measureProcessors({ servers, database }: MeasuredProcesses): () => ProcessorUse {
  const family = new FamilyTime();
  const databaseMs = (): number => (database === undefined ? 0 : family.add(readFamily(database)));
  const [before, databaseBefore] = [servers.map(threadTimes), databaseMs()];
  return () => {
    const serverMs = new Map<string, number>();
    for (const [index, pid] of servers.entries()) {
      for (const [thread, ms] of usedBetween(before[index]!, threadTimes(pid))) serverMs.set(thread, (serverMs.get(thread) ?? 0) + ms);
    }
    return { serverMs, databaseMs: databaseMs() - databaseBefore };
  };
}

/** What was used between two looks, by thread. */
function usedBetween(before: ThreadTimes, after: ThreadTimes): Map<string, number> {
  return new Map([...after].map(([name, ms]) => [name, ms - (before.get(name) ?? 0)]));
}

/** Processor time of everything on this machine so far, in milliseconds of one processor. */
export function machineBusyMs(): number {
  return cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
}

/** A process's memory, in MiB. */
export interface Memory {
  readonly residentMib: number;
  readonly residentPeakMib: number;
  /** What of it is not mapped from files, which the system may take back at any time. */
  readonly ownMib: number;
}

export function memoryOf(pid: number): Memory {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const mib = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) / 1024;
  return { residentMib: mib("VmRSS"), residentPeakMib: mib("VmHWM"), ownMib: mib("RssAnon") + mib("RssShmem") };
}
