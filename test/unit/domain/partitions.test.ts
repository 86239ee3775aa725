// In which partition a user is: the same for ever, since rows are found by it.

import { expect, test } from "vitest";
import { partitionOf, partitionsMax } from "../../../src/domain/partitions.ts";
import type { UserId } from "../../../src/domain/wallet.ts";

// Computed by a Python program from the sentence in src/domain/partitions.ts.
test.each([
  ["alice", 8, 1],
  ["bob", 8, 0],
  ["carol", 8, 7],
  ["alice", 16, 9],
  ["bob", 16, 8],
  ["a", 3, 2],
  ["alice@example.com", 1000, 593],
  ["._:@+-", 7, 0],
  ["carol", 32_768, 22_791],
  ["a".repeat(128), 32_768, 20_243],
])("%s of %i: %i", (user, partitions, partition) => expect(partitionOf(user as UserId, partitions)).toBe(partition));

test("everybody is in the only one", () => expect(["alice", "bob", "carol"].map((user) => partitionOf(user as UserId, 1))).toEqual([0, 0, 0]));

test("users are spread evenly, and none beyond the last", () => {
  const users = Array.from({ length: 16_000 }, (_, number) => `user-${number}` as UserId);
  const counts = Array.from({ length: 16 }, () => 0);
  for (const user of users) counts[partitionOf(user, 16)]!++;
  for (const count of counts) expect(Math.abs(count - 1_000)).toBeLessThan(150);
  expect(Math.max(...users.map((user) => partitionOf(user, partitionsMax)))).toBeLessThan(partitionsMax);
});
