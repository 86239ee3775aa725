// Slots forget what has left them: nothing of it is there for longer than the garbage of any call, as it would be in a Set.

import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { Slots } from "../../../src/server/slots.ts";

function membersOf<T extends object>(slots: Slots<T>): T[] {
  const members: T[] = [];
  slots.forEach((member) => members.push(member));
  return members;
}

test("what is added is a member until its slot is removed", () => {
  const [a, b, c, d] = [{ name: "a" }, { name: "b" }, { name: "c" }, { name: "d" }];
  const slots = new Slots<object>();
  const [ofA, ofB, ofC] = [a, b, c].map((each) => slots.add(each));
  expect(membersOf(slots)).toEqual([a, b, c]);
  slots.remove(ofB!);
  expect(slots.size).toBe(2);
  const ofD = slots.add(d);
  expect(new Set(membersOf(slots))).toEqual(new Set([a, c, d]));
  for (const slot of [ofA, ofC, ofD]) slots.remove(slot!);
  expect(() => slots.remove(ofA!)).toThrow("left once");
  expect(slots.size).toBe(0);
  expect(membersOf(slots)).toEqual([]);
});

test("whoever looks at the members may remove them", () => {
  const slots = new Slots<{ slot?: number }>();
  for (let count = 0; count < 10; count++) {
    const member: { slot?: number } = {};
    member.slot = slots.add(member);
  }
  let seen = 0;
  slots.forEach((member) => {
    seen++;
    slots.remove(member.slot!);
  });
  expect([seen, slots.size]).toEqual([10, 0]);
});

interface Box {
  readonly kilobyte: readonly number[];
}

/** How much grows old, in MiB, while 40,000 boxes of a kilobyte come and go, eight being there at a time, all rises together: a full collection, which V8 may begin by itself, takes some away again. */
function grownOldMib(comeAndGo: (newcomer: Box) => void): number {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc") as (options?: { type: "minor" }) => void;
  const oldMib = (): number => getHeapSpaceStatistics().find(({ space_name: name }) => name === "old_space")!.space_used_size / 1024 / 1024;
  const come = (): void => comeAndGo({ kilobyte: Array.from({ length: 128 }, (_, index) => index + 0.5) });
  for (let count = 0; count < 100; count++) come();
  // Now whatever they are kept in is old.
  gc();
  let grown = 0;
  let last = oldMib();
  for (let count = 1; count <= 40_000; count++) {
    come();
    if (count % 200 !== 0) continue;
    gc({ type: "minor" });
    const now = oldMib();
    grown += Math.max(0, now - last);
    last = now;
  }
  return grown;
}

const atATime = 8;

test("what has left slots is young garbage, and what has left a Set is not", () => {
  const slots = new Slots<Box>();
  const queue: number[] = [];
  const inSlots = grownOldMib((newcomer) => {
    queue.push(slots.add(newcomer));
    if (queue.length > atATime) slots.remove(queue.shift()!);
  });
  const set = new Set<Box>();
  const inSet = grownOldMib((newcomer) => {
    set.add(newcomer);
    if (set.size > atATime) set.delete(set.values().next().value!);
  });
  expect(inSlots).toBeLessThan(2);
  // Where it is not, Slots have become needless.
  expect(inSet).toBeGreaterThan(20);
});
