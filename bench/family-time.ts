// How much processor time a process and its children have used together, those too that have ended: of a server that has a process for each connection.

import { readdirSync } from "node:fs";
import { statOf } from "./process-stat.ts";

/** One look at a family, in milliseconds of processor time. */
export interface FamilyReading {
  readonly parentMs: number;
  /** Of children whose end the parent has been told of. Read before the children are, so that no child is in both. */
  readonly endedMs: number;
  /** By what sets a child apart from every other, also from a later one with its number. */
  readonly childrenMs: ReadonlyMap<string, number>;
}

/**
 * Adds the readings of one family up. What it has used never goes back: a child that ends while it is being looked at is for a moment neither among the children nor in what the parent was told, and keeps
 * its last reading until the parent's sum has grown by it. Nothing is counted twice, so that the sum is at most what was really used;
 * only a child that ends during the very first reading, and was never seen, is found in the next one with all that it ever used.
 */
export class FamilyTime {
  #endedMs: number | undefined;
  #childrenMs: ReadonlyMap<string, number> = new Map();
  /** Of children that are gone, what the parent's sum has not taken in yet. */
  #keptMs = 0;

  /** What the family has used up to this reading, in milliseconds. Throws where a process has less than it had, which Linux rules out. */
  add({ parentMs, endedMs, childrenMs }: FamilyReading): number {
    const toldMs = endedMs - (this.#endedMs ?? endedMs);
    if (toldMs < 0) throw new Error(`the time of ended children went back by ${-toldMs} ms`);
    for (const [child, lastMs] of this.#childrenMs) {
      const ms = childrenMs.get(child);
      if (ms === undefined) this.#keptMs += lastMs;
      else if (ms < lastMs) throw new Error(`the time of child ${child} went back from ${lastMs} to ${ms} ms`);
    }
    this.#keptMs -= Math.min(this.#keptMs, toldMs);
    this.#endedMs = endedMs;
    this.#childrenMs = childrenMs;
    return parentMs + endedMs + this.#keptMs + [...childrenMs.values()].reduce((sum, ms) => sum + ms, 0);
  }
}

/** Of a family that is there. */
export function readFamily(pid: number): FamilyReading {
  const parent = statOf(`/proc/${pid}`);
  if (parent === undefined) throw new Error(`there is no process ${pid}`);
  const childrenMs = new Map<string, number>();
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = statOf(`/proc/${entry}`);
    if (stat?.parentPid === pid) childrenMs.set(`${entry} of ${stat.startTime}`, stat.ms);
  }
  return { parentMs: parent.ms, endedMs: parent.endedChildrenMs, childrenMs };
}
