// How much processor time the threads of a process have used, as Linux counts it.

import { readdirSync, readFileSync } from "node:fs";
import { cpus } from "node:os";

/** proc(5): times are in clock ticks; every Linux that Node runs on has 100 of them a second. */
const tickMs = 10;

/** Milliseconds of processor time by the thread's name; threads of one name together. */
export type ThreadTimes = ReadonlyMap<string, number>;

/** The threads of this process, so far. */
export function threadTimes(pid: number): ThreadTimes {
  const times = new Map<string, number>();
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, "utf8");
    // The name stands in parentheses and may contain anything; what follows it are fields 3 and on.
    const nameEnd = stat.lastIndexOf(")");
    const name = stat.slice(stat.indexOf("(") + 1, nameEnd);
    const fields = stat.slice(nameEnd + 2).split(" ");
    const ticks = Number(fields[11]) + Number(fields[12]);
    times.set(name, (times.get(name) ?? 0) + ticks * tickMs);
  }
  return times;
}

/** What was used between two looks, by thread. */
export function usedBetween(before: ThreadTimes, after: ThreadTimes): Map<string, number> {
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
