// How the profiles are told: how much each thread is occupied under each load, and thread by thread with what.

import { percent, type Table } from "./measured.ts";
import { doesSomething, tellable } from "./occupied.ts";
import { areas, occupiedOf, type Area, type ThreadProfile } from "./profile.ts";

/** What the threads did under a load of this name. */
export interface LoadProfile {
  readonly name: string;
  readonly threads: readonly ThreadProfile[];
}

const title = "Where the time goes";

/** Only with threads that do something under some load. */
export function profileTables(loads: readonly LoadProfile[], notes: readonly string[]): Table[] {
  const threads = [...new Set(loads.flatMap((load) => load.threads.filter(doesSomething).map(({ thread }) => thread)))];
  return [
    {
      title,
      columns: ["load", ...threads.map((thread) => `${thread} occupied`)],
      rows: loads.map((load) => [load.name, ...threads.map((thread) => cell(load, thread, occupiedOf))]),
      notes,
    },
    ...threads.map((thread) => tableOf(thread, loads.filter((load) => load.threads.some((each) => each.thread === thread && doesSomething(each))))),
  ];
}

/** Without what rounds to 0 % everywhere. */
function tableOf(thread: string, loads: readonly LoadProfile[]): Table {
  const isTellable = (area: Area): boolean => loads.some(({ threads }) => threads.some((each) => each.thread === thread && each.shares.get(area)! >= tellable));
  return {
    title: `${title}: ${thread}`,
    columns: ["area", ...loads.map(({ name }) => name)],
    rows: areas.filter(isTellable).map((area) => [area, ...loads.map((load) => cell(load, thread, ({ shares }) => shares.get(area)!))]),
    notes: [],
  };
}

/** A dash where the load has no such thread. */
function cell({ threads }: LoadProfile, thread: string, shareOf: (profile: ThreadProfile) => number): string {
  const profile = threads.find((each) => each.thread === thread);
  return profile === undefined ? "–" : percent(shareOf(profile));
}
