// What a batch is told of the ones before it in its partitions.

import { expect, test } from "vitest";
import type { PartitionDecision } from "../../src/store/postgres/ahead.ts";
import { BatchesUnderWay } from "../../src/store/postgres/batches-under-way.ts";

const decision = (partition: number): PartitionDecision => ({ changes: { head: { partition } } }) as PartitionDecision;

test("a batch is behind the newest one of each of its partitions, and behind none that is over", () => {
  const batches = new BatchesUnderWay();
  const first = batches.begin([1, 2]);
  const second = batches.begin([2, 3]);
  expect([first.before, second.before]).toEqual([new Map(), new Map([[2, first.batch]])]);
  const third = batches.begin([1, 2, 4]);
  expect([...third.before.keys()]).toEqual([1, 2]);
  expect(third.before.get(1)).toBe(first.batch);
  expect(third.before.get(2)).toBe(second.batch);
  batches.end([2, 3], second.batch);
  expect(batches.begin([3]).before.size).toBe(0);
  expect(batches.begin([2]).before.get(2)).toBe(third.batch);
});

test("what is committed is the very decision, and none that was taken back", async () => {
  const { batch } = new BatchesUnderWay().begin([1]);
  expect(batch.committed).toBeUndefined();
  batch.noteDecided([decision(1)]);
  await batch.whenDecided;
  const taken = batch.decided;
  batch.noteDecided([decision(1)]);
  batch.noteCommitted();
  expect(batch.committed).toBe(batch.decided);
  expect(batch.committed).not.toBe(taken);
});

test("a partition that could not be had is known where it is one; of several each may be tried", () => {
  const { batch } = new BatchesUnderWay().begin([1, 2]);
  batch.noteHeldUp([1, 2]);
  expect(batch.heldUp).toEqual([]);
  batch.noteHeldUp([2]);
  expect(batch.heldUp).toEqual([2]);
});

test("whoever waits for a decision goes on when there is none to come", async () => {
  const batches = new BatchesUnderWay();
  const { batch } = batches.begin([1]);
  const waiting = batch.whenDecided;
  batches.end([1], batch);
  await waiting;
  expect(batch.decided.size).toBe(0);
});
