// What the kernel says of a process: its memory and the time that it has used.

import { readFileSync } from "node:fs";

/** Linux counts process time in hundredths of a second, whatever the machine (USER_HZ). */
const tickMs = 10;

/** Resident memory in bytes. */
export function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) * 1024;
}

/** The most resident memory that it has ever had, in bytes. */
export function peakResidentBytes(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) * 1024;
}

/** Processor time of all its threads so far, in milliseconds. */
export function processorMs(pid: number): number {
  // The name, in parentheses, may contain spaces; utime and stime are fields 14 and 15.
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) * tickMs;
}
