// Which commands go together, and that nobody waits for ever.

import { describe, expect, test } from "vitest";
import type { Lined } from "../../../src/ledger/dispatch.ts";
import { PartitionLanes, type LaneLimits } from "../../../src/ledger/partition-lanes.ts";

const limits = { partitionCount: 6, batchesMax: 3, partitionsABatchMax: 4, batchLengthMin: 1, behindLengthMin: 1_000, batchLengthMax: 4 };
const on = (...partitions: number[]): Lined => ({ partitions, weight: 1, goesAlone: false });

/** A release of everybody's holds. */
const everybodys = (): Lined => ({ partitions: [], weight: 1, goesAlone: true });

/** A queue whose batches are taken out of it. */
class Queue {
  readonly lanes: PartitionLanes;
  waiting: Lined[] = [];

  constructor(changed: Partial<LaneLimits> = {}) {
    this.lanes = new PartitionLanes({ ...limits, ...changed });
  }

  begin(): readonly Lined[] {
    const batch = this.lanes.begin(this.waiting);
    this.waiting = this.waiting.filter((each) => !batch.includes(each));
    return batch;
  }
}

function queueOf(...waiting: Lined[]): Queue {
  const queue = new Queue();
  queue.waiting = waiting;
  return queue;
}

const partitionsOf = (batch: readonly Lined[]): readonly (readonly number[])[] => batch.map(({ partitions }) => partitions);

describe("a batch", () => {
  test("has what waits on its partitions, in order, and its share of the partitions", () => {
    const queue = queueOf(on(1), on(2), on(3), on(1), on(2));
    expect(partitionsOf(queue.begin())).toEqual([[1], [2], [1], [2]]);
    expect(partitionsOf(queue.begin())).toEqual([[3]]);
  });

  test("has no more operations than it may have", () => {
    const queue = queueOf(on(1), on(1), on(1), on(1), on(1));
    expect(queue.begin()).toHaveLength(4);
    expect(queue.begin()).toEqual([]);
  });

  test("is one command where that has more operations than a batch may have", () => {
    const queue = queueOf({ partitions: [1, 2, 3], weight: 100, goesAlone: false }, on(1));
    expect(queue.begin()).toHaveLength(1);
  });

  test("shares nothing with what goes alone", () => {
    const queue = queueOf(on(1), { ...on(1), goesAlone: true }, on(1));
    const first = queue.begin();
    expect(first.map(({ goesAlone }) => goesAlone)).toEqual([false, false]);
    expect(queue.begin()).toEqual([]);
    queue.lanes.end(first, []);
    expect(queue.begin().map(({ goesAlone }) => goesAlone)).toEqual([true]);
  });
});

describe("few operations", () => {
  test("go in one batch, whatever partitions they are on, and what comes meanwhile in the next", () => {
    const queue = new Queue({ batchLengthMin: 3 });
    queue.waiting = [on(0), on(1), on(2)];
    const first = queue.begin();
    expect(partitionsOf(first)).toEqual([[0], [1], [2]]);
    queue.waiting = [on(3), on(0)];
    expect(queue.begin()).toEqual([]);
    queue.lanes.end(first, []);
    expect(partitionsOf(queue.begin())).toEqual([[3], [0]]);
  });

  test("share it with no more partitions than a transaction is to have", () => {
    const queue = new Queue({ batchLengthMin: 100, partitionsABatchMax: 2, batchLengthMax: 100 });
    queue.waiting = [on(0), on(1), on(2), on(1), on(0, 1)];
    expect(partitionsOf(queue.begin())).toEqual([[0], [1], [1], [0, 1]]);
    expect(queue.waiting).toEqual([on(2)]);
  });

  test("that were answered count no more", () => {
    const queue = new Queue({ batchLengthMin: 3 });
    queue.waiting = [on(0), on(1), on(2)];
    queue.lanes.end(queue.begin(), []);
    queue.waiting = [on(0), on(1), on(2)];
    queue.begin();
    queue.waiting = [on(3)];
    expect(queue.begin()).toEqual([]);
  });

  test("become several batches when there are enough for each", () => {
    const queue = new Queue({ batchLengthMin: 3 });
    queue.waiting = [on(0), on(1), on(2)];
    queue.begin();
    queue.waiting = [on(3), on(4), on(5)];
    expect(partitionsOf(queue.begin())).toEqual([[3], [4], [5]]);
  });
});

test("a batch of one command that touches many partitions has others on the same ones", () => {
  const queue = new Queue({ batchLengthMax: 100 });
  queue.waiting = [on(0, 1, 2, 3, 4), on(4, 0), on(5), on(0, 1, 2, 3, 4)];
  expect(partitionsOf(queue.begin())).toEqual([[0, 1, 2, 3, 4], [4, 0], [0, 1, 2, 3, 4]]);
});

test("nobody waits for what names no partition and goes through all of them, but others of its kind", () => {
  const queue = new Queue({ batchLengthMin: 100 });
  const [everywhere, another] = [everybodys(), everybodys()];
  queue.waiting = [everywhere, on(1), another, on(2)];
  const release = queue.begin();
  expect(release[0]).toBe(everywhere);
  const first = queue.begin();
  expect(partitionsOf(first)).toEqual([[1], [2]]);
  queue.waiting.push(on(3));
  expect(queue.begin()).toEqual([]);
  queue.lanes.end(release, []);
  expect(queue.begin()[0]).toBe(another);
  expect(queue.begin()).toEqual([]);
  queue.lanes.end(first, []);
  expect(partitionsOf(queue.begin())).toEqual([[3]]);
});

test("what goes through all partitions begins although as many batches are under way as may be", () => {
  const queue = queueOf(on(1), on(2), on(3), on(4), on(5));
  for (let batches = 0; batches < limits.batchesMax; batches++) expect(queue.begin()).not.toEqual([]);
  const everywhere = everybodys();
  queue.waiting = [on(0), everywhere];
  expect(queue.begin()).toEqual([everywhere]);
  expect(queue.begin()).toEqual([]);
});

describe("side by side", () => {
  test("go batches of different partitions, and none of a partition that is being written", () => {
    const queue = queueOf(on(1, 2), on(2), on(3), on(4));
    const first = queue.begin();
    expect(partitionsOf(first)).toEqual([[1, 2], [2]]);
    queue.waiting.push(on(1), on(5));
    expect(partitionsOf(queue.begin())).toEqual([[3], [4]]);
    expect(partitionsOf(queue.begin())).toEqual([[5]]);
    expect(queue.begin()).toEqual([]);
    queue.lanes.end(first, []);
    expect(partitionsOf(queue.begin())).toEqual([[1]]);
  });

  test("go no more than there are connections", () => {
    const queue = queueOf(on(1, 2), on(3, 4), on(5, 6), on(7, 8));
    const batches = [queue.begin(), queue.begin(), queue.begin()];
    expect(queue.begin()).toEqual([]);
    queue.lanes.end(batches[1]!, []);
    expect(partitionsOf(queue.begin())).toEqual([[7, 8]]);
  });
});

test("what needs two partitions that are never free together is not passed for ever: they are kept free for it", () => {
  const queue = queueOf(on(1));
  const one = queue.begin();
  queue.waiting = [on(2)];
  const second = queue.begin();
  queue.waiting = [on(1, 2), on(1), on(2), on(1)];
  queue.lanes.end(one, []);
  // 1 is free and 2 is not: nobody takes 1 before whoever waits for both.
  expect(queue.begin()).toEqual([]);
  queue.lanes.end(second, []);
  expect(partitionsOf(queue.begin())[0]).toEqual([1, 2]);
});

describe("behind a batch", () => {
  const many = (...partitions: number[]): Lined => ({ ...on(...partitions), weight: 3 });
  const queueWith = (...waiting: Lined[]): Queue => {
    const queue = new Queue({ behindLengthMin: 5, batchLengthMax: 7, batchLengthMin: 100 });
    queue.waiting = waiting;
    return queue;
  };

  test("another is made ready on its partitions, and none behind that one", () => {
    const queue = queueWith(many(1), many(1), many(1), many(1), many(1), many(1));
    expect(partitionsOf(queue.begin())).toEqual([[1], [1]]);
    expect(partitionsOf(queue.begin())).toEqual([[1], [1]]);
    expect(queue.begin()).toEqual([]);
    expect(queue.waiting).toEqual([many(1), many(1)]);
  });

  test("what is of free partitions alone is not made ready, which others may take; what needs one of them beside is", () => {
    const queue = queueWith(many(1), many(1));
    queue.begin();
    queue.waiting = [many(2), many(2), many(2)];
    expect(queue.begin()).toEqual([]);
    queue.waiting = [many(1, 3), many(3)];
    expect(partitionsOf(queue.begin())).toEqual([[1, 3], [3]]);
  });

  test("fewer operations wait until it is over, or until more have come", () => {
    const queue = queueWith(many(1));
    const first = queue.begin();
    queue.waiting = [many(1)];
    expect(queue.begin()).toEqual([]);
    queue.waiting.push(many(1));
    const second = queue.begin();
    expect(partitionsOf(second)).toEqual([[1], [1]]);
    queue.waiting = [many(1)];
    queue.lanes.end(first, []);
    expect(queue.begin()).toEqual([]);
    queue.lanes.end(second, []);
    expect(partitionsOf(queue.begin())).toEqual([[1]]);
  });

  test("one that was made ready is the one before the next", () => {
    const queue = queueWith(many(1), many(1), many(1), many(1));
    const [first, second] = [queue.begin(), queue.begin()];
    queue.waiting = [many(1), many(1), many(1), many(1)];
    expect(queue.begin()).toEqual([]);
    queue.lanes.end(first, []);
    expect(partitionsOf(queue.begin())).toEqual([[1], [1]]);
    expect(queue.begin()).toEqual([]);
    queue.lanes.end(second, []);
    expect(partitionsOf(queue.begin())).toEqual([[1], [1]]);
  });

  test("one that was behind counts for nobody when it ends", () => {
    const queue = queueWith(many(1), many(1));
    const first = queue.begin();
    queue.waiting = [many(1), many(1)];
    const second = queue.begin();
    queue.lanes.end(first, []);
    queue.lanes.end(second, []);
    queue.waiting = [many(1), many(2), many(3)];
    expect(partitionsOf(queue.begin())).toEqual([[1], [2]]);
    expect(queue.begin()).toEqual([]);
  });

  test("there is nothing of a partition that could not be had", () => {
    const queue = queueWith(many(1), many(2));
    queue.lanes.end(queue.begin(), [2]);
    queue.waiting = [many(1)];
    queue.begin();
    queue.waiting = [many(2)];
    queue.begin();
    queue.waiting = [many(2), many(2), many(1), many(1)];
    expect(partitionsOf(queue.begin())).toEqual([[1], [1]]);
    expect(queue.begin()).toEqual([]);
  });

  test("there are as many made ready as may go side by side, and no more", () => {
    const queue = new Queue({ behindLengthMin: 1, batchesMax: 2 });
    queue.waiting = [on(1), on(2), on(3)];
    expect(partitionsOf(queue.begin())).toEqual([[1], [2], [3]]);
    for (const partition of [1, 2]) {
      queue.waiting = [on(partition)];
      expect(partitionsOf(queue.begin())).toEqual([[partition]]);
    }
    queue.waiting = [on(3)];
    expect(queue.begin()).toEqual([]);
  });

  test("there is nothing that would put off what waits for a partition that could not be had", () => {
    const queue = queueWith(many(1), many(2));
    queue.lanes.end(queue.begin(), [2]);
    queue.waiting = [many(1), many(1)];
    const others = queue.begin();
    expect(partitionsOf(others)).toEqual([[1], [1]]);
    queue.waiting = [many(1, 2), many(1), many(1)];
    expect(queue.begin()).toEqual([]);
    queue.lanes.end(others, []);
    expect(partitionsOf(queue.begin())).toEqual([[1, 2]]);
  });

  test("what needs two partitions is not passed by what needs one of them", () => {
    const queue = queueWith(many(1), many(2));
    queue.begin();
    queue.waiting = [many(1), many(1)];
    expect(queue.begin()).toHaveLength(2);
    queue.waiting = [many(1, 2), many(2), many(2)];
    expect(queue.begin()).toEqual([]);
  });
});

describe("a partition that could not be had", () => {
  /** One batch of everything, ended for the sake of partition 2. */
  function heldUp(): Queue {
    const queue = new Queue({ batchLengthMin: 100, batchLengthMax: 100, partitionsABatchMax: 100 });
    queue.waiting = [on(1), on(2), on(3)];
    const batch = queue.begin();
    expect(partitionsOf(batch)).toEqual([[1], [2], [3]]);
    queue.lanes.end(batch, [2]);
    return queue;
  }

  test("is tried apart, and the others go beside it, one batch after the other", () => {
    const queue = heldUp();
    queue.waiting = [on(1), on(2), on(3), on(2)];
    expect(partitionsOf(queue.begin())).toEqual([[2], [2]]);
    for (let round = 0; round < 3; round++) {
      const others = queue.begin();
      expect(partitionsOf(others)).toEqual([[1], [3]]);
      queue.lanes.end(others, []);
      queue.waiting = [on(2), on(1), on(3)];
    }
  });

  test("counts for nobody: beside and after it there are as many batches of others as without it", () => {
    const queue = heldUp();
    queue.waiting = [on(2)];
    const apart = queue.begin();
    queue.waiting = [on(1), on(3)];
    expect(queue.begin()).toHaveLength(2);
    queue.lanes.end(apart, [2]);
    queue.waiting = [on(4)];
    expect(queue.begin()).toEqual([]);
  });

  test("is with the others again when something of it was done, and not before", () => {
    const queue = heldUp();
    queue.waiting = [on(2)];
    queue.lanes.end(queue.begin(), [2]);
    queue.waiting = [on(2), on(1)];
    const apart = queue.begin();
    expect(partitionsOf(apart)).toEqual([[2]]);
    const others = queue.begin();
    expect(partitionsOf(others)).toEqual([[1]]);
    queue.lanes.end(apart, []);
    queue.lanes.end(others, []);
    queue.waiting = [on(2), on(3)];
    expect(partitionsOf(queue.begin())).toEqual([[2], [3]]);
  });

  test("keeps no other one from anybody as long as something touches it alone", () => {
    const queue = heldUp();
    queue.waiting = [on(1, 2), on(2), on(1)];
    expect(partitionsOf(queue.begin())).toEqual([[2]]);
    expect(partitionsOf(queue.begin())).toEqual([[1]]);
    expect(queue.begin()).toEqual([]);
    expect(queue.waiting).toEqual([on(1, 2)]);
  });

  test("is tried with what all touches the same, so that what it comes to is so for each", () => {
    const queue = heldUp();
    queue.waiting = [on(1, 2), on(2, 3), on(1, 2)];
    expect(partitionsOf(queue.begin())).toEqual([[1, 2], [1, 2]]);
    expect(queue.begin()).toEqual([]);
  });

  test("is tried in no more batches than there are connections", () => {
    const queue = new Queue({ batchLengthMin: 100, batchLengthMax: 100, partitionsABatchMax: 100 });
    queue.waiting = [on(0), on(1), on(2), on(3), on(4)];
    queue.lanes.end(queue.begin(), [0, 1, 2, 3, 4]);
    queue.waiting = [on(0), on(1), on(2), on(3), on(4), on(5)];
    for (let apart = 0; apart < limits.batchesMax; apart++) expect(partitionsOf(queue.begin())).toEqual([[apart]]);
    expect(partitionsOf(queue.begin())).toEqual([[5]]);
    expect(queue.begin()).toEqual([]);
  });

  test("goes by itself where that is what the command does, and with no more operations than a batch may have", () => {
    const queue = heldUp();
    queue.waiting = [{ ...on(2), weight: 60 }, { ...on(2), weight: 60 }, { ...on(2), goesAlone: true }];
    const first = queue.begin();
    expect(first).toHaveLength(1);
    queue.lanes.end(first, [2]);
    const second = queue.begin();
    expect(second).toHaveLength(1);
    queue.lanes.end(second, [2]);
    expect(queue.begin()).toEqual([{ ...on(2), goesAlone: true }]);
  });
});
