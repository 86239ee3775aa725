// Checks what lies in several partitions of a ledger's file: whose partition is whose, and that an operation between two has a record in both.
//
// Independent of src/ on purpose, as books.ts is: plain SQL, and its own reading of docs/decisions/0021.

import { createHash } from "node:crypto";
import type Database from "better-sqlite3";
import type { JournalRow } from "./canonical-bytes.ts";

type Problem = (sentence: string) => void;

/** What stands in only one of the two records, or differs by the place that each has. */
const ownColumns: ReadonlySet<string> = new Set([
  "partition", "sequence", "hash", "side", "other_user_id", "other_exponent", "key_hash", "hold_id", "hold_status_after", "hold_captured_after_minor", "hold_eligible_time_ms",
  "nonce",
]);

/** Every payer's record has its receiver's and the other way round, and both say the same of the operation and of whose its wallets are. */
export function checkApart(connection: Database.Database, problem: Problem): void {
  const rows = connection.prepare<[], JournalRow>("select * from journal where side is not null order by operation_id, side").all();
  const byOperation = Map.groupBy(rows, (row) => row.operation_id);
  const ownerOf = connection.prepare<[bigint, bigint], { user_id: string; exponent: bigint }>("select user_id, exponent from wallets where partition = ? and wallet_id = ?");
  for (const [operationId, records] of byOperation) {
    const wrong = (sentence: string): void => problem(`operation ${operationId}: ${sentence}`);
    const [payers, receivers] = records;
    if (records.length !== 2 || payers?.side !== 1n || receivers?.side !== 2n) {
      wrong(`has records of the sides ${records.map((record) => record.side).join(", ")}, and has one of each`);
      continue;
    }
    if (payers.partition === receivers.partition) wrong("has two records in one partition");
    for (const [column, value] of Object.entries(payers)) {
      if (!ownColumns.has(column) && value !== receivers[column as keyof JournalRow]) wrong(`has ${column} ${String(value)} for the payer and ${String(receivers[column as keyof JournalRow])} for the receiver`);
    }
    for (const [told, partition, walletId] of [[payers, receivers.partition, payers.receiver_wallet_id], [receivers, payers.partition, payers.wallet_id]] as const) {
      const owner = ownerOf.get(partition, walletId ?? 0n);
      if (owner?.user_id !== told.other_user_id || owner?.exponent !== told.other_exponent) wrong(`says that wallet ${walletId} is ${told.other_user_id}'s, with ${told.other_exponent} decimals`);
    }
  }
}

/** A user's wallets are in the partition that SHA-256 of the user id says. */
export function checkOwnPartitions(connection: Database.Database, partitions: bigint, problem: Problem): void {
  for (const { partition, wallet_id: walletId, user_id: user } of connection.prepare<[], { partition: bigint; wallet_id: bigint; user_id: string }>("select partition, wallet_id, user_id from wallets").iterate()) {
    const own = BigInt(createHash("sha256").update(user, "utf8").digest().readUInt32BE(0)) % partitions;
    if (partition !== own) problem(`wallets ${walletId}: is in partition ${partition}, and its user's is ${own}`);
  }
}
