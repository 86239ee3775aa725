// What Linux tells of a process or a thread in its stat file; see proc(5).

import { readFileSync } from "node:fs";

export interface Stat {
  readonly name: string;
  readonly parentPid: number;
  /** Its own processor time so far, in milliseconds. */
  readonly ms: number;
  /** That of its children that have ended and of whose end it has been told. */
  readonly endedChildrenMs: number;
  /** Sets it apart from a later one with the same number. */
  readonly startTime: string;
}

/** Times are in clock ticks; every Linux that Node runs on has 100 of them a second. */
const tickMs = 10;

/** `folder` is under /proc. Undefined where whatever it was has ended. */
export function statOf(folder: string): Stat | undefined {
  try {
    return parseStat(readFileSync(`${folder}/stat`, "utf8"));
  } catch (error) {
    if (["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}

function parseStat(text: string): Stat {
  // The name stands in parentheses and may contain anything; what follows it are fields 3 and on.
  const nameEnd = text.lastIndexOf(")");
  const fields = text.slice(nameEnd + 2).split(" ");
  const timeMs = (first: number): number => tickMs * (Number(fields[first]) + Number(fields[first + 1]));
  return { name: text.slice(text.indexOf("(") + 1, nameEnd), parentPid: Number(fields[1]), ms: timeMs(11), endedChildrenMs: timeMs(13), startTime: fields[19]! };
}
