// Which partition of a ledger a user's wallets, holds and keys live in.

import { hash } from "node:crypto";
import type { UserId } from "./wallet.ts";

/** The most partitions that a ledger may have: a number of fifteen bits, above the 48 of a sequence in an id. */
export const partitionsMax = 32_768;

/**
 * The partition of this user in a ledger with so many: the first four bytes of SHA-256 over the user id's UTF-8, most significant first, modulo their number. The same
 * on every engine, server and version: rows are found by it.
 */
export function partitionOf(userId: UserId, partitions: number): number {
  // By way of a text: docs/decisions/0026.
  return partitions === 1 ? 0 : Number.parseInt(hash("sha256", userId, "hex").slice(0, 8), 16) % partitions;
}
