// What a family of processes has used never goes back and is never more than the truth, whatever ends while it is being looked at.

import * as fc from "fast-check";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { FamilyTime, readFamily } from "../../bench/family-time.ts";

const reading = (endedMs: number, childrenMs: Record<string, number>): Parameters<FamilyTime["add"]>[0] => ({ parentMs: 100, endedMs, childrenMs: new Map(Object.entries(childrenMs)) });

test("a child that is gone keeps its last reading until the parent has taken it in", () => {
  const family = new FamilyTime();
  expect(family.add(reading(0, { first: 500, second: 20 }))).toBe(620);
  expect(family.add(reading(0, { second: 30 }))).toBe(630);
  expect(family.add(reading(520, { second: 40 }))).toBe(660);
});

test("what ended before the first reading, and what lived between two, counts once", () => {
  const family = new FamilyTime();
  expect(family.add(reading(1_000, { first: 10 }))).toBe(1_110);
  expect(family.add(reading(1_070, { first: 10 }))).toBe(1_180);
});

test("a later process with the same number is another child", () => {
  const family = new FamilyTime();
  family.add(reading(0, { "7 of 1": 400 }));
  expect(family.add(reading(0, { "7 of 2": 10 }))).toBe(510);
});

test("time that goes back is refused", () => {
  const family = new FamilyTime();
  family.add(reading(50, { first: 400 }));
  expect(() => family.add(reading(50, { first: 390 }))).toThrow("the time of child first went back from 400 to 390 ms");
  expect(() => family.add(reading(40, { first: 400 }))).toThrow("the time of ended children went back by 10 ms");
});

test("in any history, it never goes back, is never more than the truth, and is the truth when nothing ends under way", () => {
  const step = fc.record({ works: fc.array(fc.nat(50), { maxLength: 4 }), ends: fc.nat(2), endsWhileRead: fc.nat(2), births: fc.nat(2) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const family = new FamilyTime();
      const living = new Map<string, number>();
      let [born, endedMs, lastMs] = [0, 0, 0];
      const end = (count: number): void => {
        for (const [child, ms] of [...living].slice(0, count)) {
          living.delete(child);
          endedMs += ms;
        }
      };
      for (const { works, ends, endsWhileRead, births } of steps) {
        for (let count = 0; count < births; count++) living.set(`child ${born++}`, 0);
        for (const [index, child] of [...living.keys()].entries()) living.set(child, living.get(child)! + (works[index] ?? 0));
        end(ends);
        const truthMs = endedMs + [...living.values()].reduce((sum, ms) => sum + ms, 0);
        const endedBeforeMs = endedMs;
        end(endsWhileRead);
        const ms = family.add({ parentMs: 0, endedMs: endedBeforeMs, childrenMs: new Map(living) });
        expect(ms).toBeGreaterThanOrEqual(lastMs);
        expect(ms).toBeLessThanOrEqual(truthMs);
        if (endedMs === endedBeforeMs) expect(ms).toBe(truthMs);
        lastMs = ms;
      }
    }),
  );
});

test("a real process and its child are read, before and after the child's end", async () => {
  const child = spawn(process.execPath, ["--eval", "while (process.cpuUsage().user < 100_000);process.stdout.write('worked');process.stdin.resume()"], { stdio: ["pipe", "pipe", "inherit"] });
  const family = new FamilyTime();
  const beforeMs = family.add(readFamily(process.pid));
  await once(child.stdout, "data");
  const workedMs = family.add(readFamily(process.pid));
  child.stdin.end();
  await once(child, "exit");
  const endedMs = family.add(readFamily(process.pid));
  expect(workedMs - beforeMs).toBeGreaterThanOrEqual(50);
  expect(endedMs).toBeGreaterThanOrEqual(workedMs);
});
