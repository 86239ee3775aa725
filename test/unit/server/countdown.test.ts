// A countdown is as exact as a timer, however long it is and whenever it is stopped; only its price differs.

import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Countdown } from "../../../src/server/countdown.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  // What is young has looked around once more, so that the next test finds nothing of this one.
  vi.advanceTimersByTime(1_000);
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

test.each([1, 49, 50, 99, 100, 101, 120, 150, 151, 5_000])("%i ms are over after %i ms, and once", (ms) => {
  const onOver = vi.fn<() => void>();
  // Begun in the middle of another one's youth.
  const other = new Countdown(500, () => {});
  vi.advanceTimersByTime(30);
  const countdown = new Countdown(ms, onOver);
  vi.advanceTimersByTime(ms - 1);
  expect(onOver).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(onOver).toHaveBeenCalledTimes(1);
  for (const each of [countdown, other]) each.stop();
  vi.advanceTimersByTime(10_000);
  expect(onOver).toHaveBeenCalledTimes(1);
});

test("what a thread was too busy to look at in time is over once, without a warning of Node's", async () => {
  vi.useRealTimers();
  const warnings: Error[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning);
  process.on("warning", onWarning);
  const onOver = vi.fn<() => void>();
  const countdown = new Countdown(150, onOver);
  // Young for the first look, late for the second.
  await sleep(70);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
  await vi.waitFor(() => expect(onOver).toHaveBeenCalledTimes(1));
  countdown.stop();
  await sleep(1);
  process.off("warning", onWarning);
  vi.useFakeTimers();
  expect(warnings).toEqual([]);
  expect(onOver).toHaveBeenCalledTimes(1);
});

test.each([0, 1, 49, 50, 51, 99, 100, 101, 199])("what is stopped at the age of %i ms never is over", (ageMs) => {
  const onOver = vi.fn<() => void>();
  const countdowns = [10_000, 200, 200, 300].map((ms) => new Countdown(ms, onOver));
  vi.advanceTimersByTime(ageMs);
  for (const countdown of countdowns) countdown.stop();
  vi.advanceTimersByTime(20_000);
  expect(onOver).not.toHaveBeenCalled();
});
