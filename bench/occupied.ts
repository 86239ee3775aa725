// What binds a load by the clock: the thread that is never idle, whether it works or stands still for the disk.

import { percent } from "./measured.ts";
import { occupiedOf, type ThreadProfile } from "./profile.ts";

/** From here on a thread has no time left that would be worth anything: a call leaves when another is answered, so that between the two even the thread that binds is idle for a while. */
const nearlyAll = 0.8;

/** A thread that is occupied for less does nothing of the load. */
const something = 0.05;

/** Of a thread's areas so many are named, but none that rounds to 0 %. */
const areasNamed = 4;
export const tellable = 0.005;

export function doesSomething(profile: ThreadProfile): boolean {
  return occupiedOf(profile) >= something;
}

/** How much of the time the threads are occupied, the busiest first, and whether one is so nearly all the time. */
export function occupiedText(profiles: readonly ThreadProfile[]): string {
  const { full = [], others = [] } = Object.groupBy(busiestFirst(profiles), (profile) => (occupiedOf(profile) >= nearlyAll ? "full" : "others"));
  const told = (some: readonly ThreadProfile[]): string => some.map((profile) => `${profile.thread} ${percent(occupiedOf(profile))}`).join(", ");
  if (full.length === 0) return `no thread occupied nearly all the time: ${told(others)}`;
  const threads = full.length === 1 ? "one thread" : `${full.length} threads`;
  return `${threads} occupied nearly all the time, working or waiting for the disk or a processor: ${told(full)}${others.length === 0 ? "" : `; the others: ${told(others)}`}`;
}

/** What fills the threads most, the busiest first. */
export function occupationsText(profiles: readonly ThreadProfile[]): string {
  return busiestFirst(profiles)
    .map(({ thread, shares }) => {
      const largest = [...shares].filter(([area, share]) => area !== "idle" && share >= tellable).toSorted(([, a], [, b]) => b - a).slice(0, areasNamed);
      return `${thread}: ${largest.map(([area, share]) => `${area} ${percent(share)}`).join(", ")}`;
    })
    .join("; ");
}

function busiestFirst(profiles: readonly ThreadProfile[]): ThreadProfile[] {
  return profiles.filter(doesSomething).toSorted((a, b) => occupiedOf(b) - occupiedOf(a));
}
