// Whose journal is where: for suites that say places and ids, and run on ledgers with one partition and with eight.

import { operationIdAt } from "../../src/domain/journal.ts";
import { partitionOf } from "../../src/domain/partitions.ts";
import type { UserId } from "../../src/domain/wallet.ts";

/** Of eight partitions alice, judy and peggy share number 1, and bob has number 0. */
export const [alice, judy, peggy, bob] = ["alice", "judy", "peggy", "bob"] as [UserId, UserId, UserId, UserId];

export interface Journal {
  readonly partition: number;
  /** The id of what was born in this place of it: an operation, and the wallet or hold that it made. */
  readonly idAt: (sequence: bigint) => bigint;
}

/** The journal that this user's operations are in, of a ledger with so many partitions. */
export function journalOf(userId: UserId, partitions: number): Journal {
  const partition = partitionOf(userId, partitions);
  return { partition, idAt: (sequence) => operationIdAt(partition, sequence) };
}
