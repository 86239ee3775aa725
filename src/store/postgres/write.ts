// What a batch has changed, as the statements that write it: one a table, each naming its partition.

import { sql, type Selectable } from "kysely";
import type { Changes } from "../../domain/loaded-state.ts";
import { marksOf } from "../history-marks.ts";
import { currencyTotalsToRow, holdToRow, keyToRow, recordToRow, walletToRow } from "../rows.ts";
import type { LedgerHeadTable } from "../tables.ts";
import type { OldestKey } from "./oldest-keys.ts";
import { rowInsert } from "./row-insert.ts";
import { bind, statement, type Bound } from "./statement.ts";

/** Old keys are forgotten a few at a time, twice as many as a batch brings and this many more, so that no commit waits long for it. */
const forgottenKeysExtra = 16n;

const insertRecords = rowInsert("journal");
const insertMarks = rowInsert("history_marks");
// Absolute values, whether the row is there or not: no plan for it can go wrong.
const putWallets = rowInsert("wallets", {
  key: ["partition", "wallet_id"],
  replaced: ["available_minor", "held_minor", "state", "version", "balance_max_minor", "head_sequence", "last_hold_id", "update_time_ms", "totals"],
});
const putHolds = rowInsert("holds", { key: ["partition", "hold_id"], replaced: ["captured_minor", "status", "eligible_time_ms", "resolve_time_ms"] });
const putTotals = rowInsert("currency_totals", { key: ["partition", "currency", "exponent"], replaced: ["totals"] });
// A hash that is there is of a key past its retention, which nobody asks for any more: the new key takes its row, and with it the place of a young one.
const putKeys = rowInsert("idempotency_keys", { key: ["partition", "key_hash"], replaced: ["ordinal", "fingerprint", "time_ms", "sequence", "rejection"] });

const forgetKeys = statement<{ partition: bigint; from: bigint; beforeMs: bigint; limit: bigint }>("forget keys", (db, arg) =>
  db
    .deleteFrom("idempotency_keys")
    .where("partition", "=", arg("partition", "bigint"))
    .where("time_ms", "<", arg("beforeMs", "bigint"))
    // A range, which leads to the index by ordinal; in the place of a list of ordinals the planner walks the partition where it thinks that it is small.
    .where("ordinal", ">=", arg("from", "bigint"))
    .where("ordinal", "<=", (last) =>
      last
        .selectFrom((oldest) =>
          oldest
            .selectFrom("idempotency_keys")
            .select("ordinal")
            .where("partition", "=", arg("partition", "bigint"))
            .where("ordinal", ">=", arg("from", "bigint"))
            .orderBy("partition")
            .orderBy("ordinal")
            .limit(arg("limit", "bigint"))
            .as("oldest"),
        )
        .select(sql<bigint>`max(oldest.ordinal)`.as("last")),
    ),
);

const moveHead = statement<Pick<Selectable<LedgerHeadTable>, "partition" | "sequence" | "hash" | "time_ms" | "key_ordinal">>("move head", (db, arg) =>
  db
    .updateTable("ledger_head")
    .set({ sequence: arg("sequence", "bigint"), hash: arg("hash", "bytea"), time_ms: arg("time_ms", "bigint"), key_ordinal: arg("key_ordinal", "bigint") })
    .where("partition", "=", arg("partition", "bigint")),
);

/** Where the head goes with these changes, behind the last ordinal that had been given. */
export function movedHead({ head, keys }: Changes, lastOrdinal: bigint): Pick<Selectable<LedgerHeadTable>, "sequence" | "hash" | "time_ms" | "key_ordinal"> {
  return { sequence: head.sequence, hash: head.hash, time_ms: BigInt(head.timeMs), key_ordinal: lastOrdinal + BigInt(keys.length) };
}

/** What was loaded of the partition's keys. */
export interface KeyAges {
  /** The last ordinal that was given. */
  readonly lastOrdinal: bigint;
  /** The oldest of them, or one before it; undefined where there is none. */
  readonly oldest: OldestKey | undefined;
}

/**
 * The statements, in the order in which they are to be sent inside the transaction that loaded the partition. Each is made when it is asked for, so that the server writes one table while the
 * next one's rows are made ready here. `nonce`: what the try drew. Throws RangeError for a number beyond 64 bits: what has been sent by then is to be rolled back.
 */
export function* writesOf(changes: Changes, { lastOrdinal, oldest }: KeyAges, nonce: bigint): Generator<Bound> {
  const { records, wallets, holds, keys, currencyTotals, forgetKeysBeforeMs } = changes;
  const { partition } = changes.head;
  const ordinal = (index: number): bigint => lastOrdinal + BigInt(index) + 1n;
  // Whatever changes a hold changes its wallet too.
  const currencies = new Map(wallets.map((wallet) => [wallet.walletId, wallet.currency]));
  if (wallets.length > 0) yield putWallets(partition, wallets.map((wallet) => walletToRow(partition, wallet)));
  if (keys.length > 0) yield putKeys(partition, keys.map((key, index) => keyToRow(partition, ordinal(index), key)));
  if (records.length > 0) yield insertRecords(partition, records.map((record, index) => ({ ...recordToRow(record), nonce: index === records.length - 1 ? nonce : null })));
  const marks = records.flatMap(marksOf);
  if (marks.length > 0) yield insertMarks(partition, marks);
  if (holds.length > 0) yield putHolds(partition, holds.map((hold) => holdToRow(partition, hold, currencies.get(hold.walletId)!)));
  if (currencyTotals.length > 0) yield putTotals(partition, currencyTotals.map((totals) => currencyTotalsToRow(partition, totals)));
  if (oldest !== undefined && oldest.timeMs < forgetKeysBeforeMs) {
    yield bind(forgetKeys, { partition: BigInt(partition), from: oldest.ordinal, beforeMs: BigInt(forgetKeysBeforeMs), limit: 2n * BigInt(keys.length) + forgottenKeysExtra });
  }
  yield bind(moveHead, { partition: BigInt(partition), ...movedHead(changes, lastOrdinal) });
}
