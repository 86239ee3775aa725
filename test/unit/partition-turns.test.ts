// Work on partitions: in the order of asking where it is on the same partition, at the same time where it is not.

import { expect, test } from "vitest";
import { PartitionTurns } from "../../src/store/postgres/turns.ts";

test("work on one partition follows one another, also behind work that failed", async () => {
  const turns = new PartitionTurns();
  const log: string[] = [];
  const work = (name: string, ending: Promise<unknown>) => async (): Promise<void> => {
    log.push(`${name} begins`);
    await ending;
    log.push(`${name} ends`);
  };
  const failing = turns.take([1], work("first", Promise.reject(new Error("a defect"))));
  const second = turns.take([1], work("second", Promise.resolve()));
  await expect(failing).rejects.toThrow("a defect");
  await second;
  expect(log).toEqual(["first begins", "second begins", "second ends"]);
});

test("work on several partitions waits for all of them, and no circle can come of it", async () => {
  const turns = new PartitionTurns();
  const log: string[] = [];
  const first = Promise.withResolvers<void>();
  const all = [
    turns.take([1], () => first.promise),
    turns.take([2, 1], async () => void log.push("2 and 1")),
    turns.take([1, 2], async () => void log.push("1 and 2")),
    turns.take([3], async () => void log.push("3")),
    turns.take([2], async () => void log.push("2")),
  ];
  await all[3];
  expect(log).toEqual(["3"]);
  first.resolve();
  await turns.settled();
  expect(log).toEqual(["3", "2 and 1", "1 and 2", "2"]);
});
