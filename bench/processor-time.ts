// How much processor time the threads of a process have used, as Linux counts it.

import { readdirSync, readFileSync } from "node:fs";
import { cpus } from "node:os";

/** proc(5): times are in clock ticks; every Linux that Node runs on has 100 of them a second. */
const tickMs = 10;

/** Milliseconds of processor time by the thread's name; threads of one name together. */
export type ThreadTimes = ReadonlyMap<string, number>;

/** The threads of this process, so far. */
function threadTimes(pid: number): ThreadTimes {
  const times = new Map<string, number>();
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, "utf8");
    const name = stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")"));
    const fields = fieldsAfterName(stat);
    const ticks = Number(fields[11]) + Number(fields[12]);
    times.set(name, (times.get(name) ?? 0) + ticks * tickMs);
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
  const databaseMs = (): number => (database === undefined ? 0 : familyMs(database));
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

/**
 * Milliseconds of processor time that a process and its children, those too that have ended, have used so far: of a server that has a process for each connection. Linux counts a child that has
 * ended for its parent once that has been told of the end.
 */
function familyMs(pid: number): number {
  let ticks = 0;
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const fields = statOf(entry);
    if (fields === undefined) continue;
    const [parent, user, system, childrenUser, childrenSystem] = [fields[1], fields[11], fields[12], fields[13], fields[14]].map(Number) as [number, number, number, number, number];
    if (Number(entry) === pid) ticks += user + system + childrenUser + childrenSystem;
    else if (parent === pid) ticks += user + system;
  }
  return ticks * tickMs;
}

/** From field 3 on; undefined where the process has just ended. */
function statOf(pid: string): string[] | undefined {
  try {
    return fieldsAfterName(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return undefined;
  }
}

/** The name stands in parentheses and may contain anything; what follows it are fields 3 and on. */
function fieldsAfterName(stat: string): string[] {
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
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
