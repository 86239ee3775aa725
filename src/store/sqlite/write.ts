// Writes what a batch has changed, inside its transaction.

import assert from "node:assert/strict";
import type Database from "better-sqlite3";
import { sql, type Insertable, type RawBuilder } from "kysely";
import type { JournalRecord } from "../../domain/journal.ts";
import type { Changes } from "../../domain/loaded-state.ts";
import type { Wallet } from "../../domain/wallet.ts";
import { marksOf } from "../history-marks.ts";
import { currencyTotalsToRow, holdToRow, recordToRow, walletToRow } from "../rows.ts";
import type { CurrencyTotalsTable, HistoryMarkTable, HoldTable, LedgerHeadTable, WalletTable } from "../tables.ts";
import type { KeyIndexes } from "./keys/key-index.ts";
import type { LateRows } from "./newer-wallets/late-rows.ts";
import { changingWalletColumns } from "./newer-wallets/wallet-state-encoding.ts";
import { statement } from "./query.ts";
import { rowInsert } from "./row-insert.ts";
import { assigned, rowArguments } from "./statement.ts";

type WalletRow = Insertable<WalletTable>;
type HoldRow = Insertable<HoldTable>;

/** Answers a function that writes on this connection. Call it inside the transaction that loaded the state. */
export function prepareWrite(connection: Database.Database, keyIndexes: KeyIndexes, lateRows: LateRows): (changes: Changes, keyOrdinal: bigint) => void {
  const insertRecords = rowInsert(connection, "journal", journalColumns);

  const insertMark = statement<Insertable<HistoryMarkTable>>(connection, (db, arg) =>
    db.insertInto("history_marks").values(rowArguments(arg, ["partition", "wallet_id", "sequence"])),
  );

  const insertWallet = statement<WalletRow>(connection, (db, arg) => db.insertInto("wallets").values(rowArguments(arg, walletColumns)));

  const updateHold = statement<Pick<HoldRow, "partition" | "hold_id" | (typeof changingHoldColumns)[number]>>(connection, (db, arg) =>
    db.updateTable("holds").set(assigned(arg, changingHoldColumns)).where("partition", "=", arg("partition")).where("hold_id", "=", arg("hold_id")),
  );
  const insertHolds = rowInsert(connection, "holds", holdColumns);

  const putTotals = statement<Insertable<CurrencyTotalsTable>>(connection, (db, arg) =>
    db
      .insertInto("currency_totals")
      .values(rowArguments(arg, ["partition", "currency", "exponent", "totals"]))
      .onConflict((conflict) => conflict.columns(["partition", "currency", "exponent"]).doUpdateSet(excluded(["totals"]))),
  );

  const moveHead = statement<Pick<LedgerHeadTable, "partition" | "sequence" | "hash" | "time_ms" | "key_ordinal">>(connection, (db, arg) =>
    db
      .updateTable("ledger_head")
      .set({ sequence: arg("sequence"), hash: arg("hash"), time_ms: arg("time_ms"), key_ordinal: arg("key_ordinal") })
      .where("partition", "=", arg("partition")),
  );

  return ({ head, records, wallets, holds, keys, currencyTotals, forgetKeysBeforeMs }, keyOrdinal) => {
    const partition = BigInt(head.partition);
    insertRecords(records.map(recordToRow));
    for (const record of records) for (const mark of marksOf(record)) insertMark.run(mark);
    // Wallets and holds are named after the operation that made them: what was made in this batch is new. Everything else is there; of holds as a rule.
    const made = new Set(records.map((record) => record.operationId));
    const changed: Wallet[] = [];
    for (const wallet of wallets) {
      if (made.has(wallet.walletId)) insertWallet.run(walletToRow(head.partition, wallet));
      else changed.push(wallet);
    }
    assertRecorded(changed, records);
    lateRows.append(partition, head.sequence, changed);
    // Whatever changes a hold changes its wallet too.
    const currencies = new Map(wallets.map((wallet) => [wallet.walletId, wallet.currency]));
    const newHolds: HoldRow[] = [];
    for (const hold of holds) {
      const row = holdToRow(head.partition, hold, currencies.get(hold.walletId)!);
      if (made.has(hold.holdId) || updateHold.run(row) === 0) newHolds.push(row);
    }
    insertHolds(newHolds);
    for (const totals of currencyTotals) putTotals.run(currencyTotalsToRow(head.partition, totals));
    const lastKeyOrdinal = keyIndexes.of(head.partition).add(keys, { keyOrdinal, forgetBeforeMs: forgetKeysBeforeMs });
    moveHead.run({ partition, sequence: head.sequence, hash: head.hash, time_ms: BigInt(head.timeMs), key_ordinal: lastKeyOrdinal });
  };
}

const journalColumns = {
  always: [
    "partition",
    "sequence",
    "operation_id",
    "kind",
    "wallet_id",
    "amount_minor",
    "available_after_minor",
    "held_after_minor",
    "state_after",
    "version_after",
    "previous_sequence",
    "time_ms",
    "hash",
  ],
  sometimes: [
    "balance_max_after_minor",
    "hold_id",
    "hold_status_after",
    "hold_captured_after_minor",
    "hold_eligible_time_ms",
    "opened_user_id",
    "opened_currency",
    "opened_exponent",
    "related_operation_id",
    "key_hash",
    "reference",
    "metadata",
    "receiver_wallet_id",
    "receiver_amount_minor",
    "receiver_available_after_minor",
    "receiver_held_after_minor",
    "receiver_state_after",
    "receiver_version_after",
    "receiver_balance_max_after_minor",
    "receiver_previous_sequence",
    "side",
    "other_user_id",
    "other_exponent",
    "nonce",
  ],
} as const;

const walletColumns = ["partition", "wallet_id", "user_id", "currency", "exponent", "create_time_ms", ...changingWalletColumns] as const;

const changingHoldColumns = ["captured_minor", "status", "eligible_time_ms", "resolve_time_ms"] as const;
const holdColumns = {
  always: ["partition", "hold_id", "wallet_id", "currency", "amount_minor", "captured_minor", "status", "create_time_ms", "eligible_time_ms", "previous_hold_id"],
  sometimes: ["resolve_time_ms"],
} as const;

/** `column = excluded.column` for each: the values that the insert would have written. */
function excluded<Column extends string>(columns: readonly Column[]): Record<Column, RawBuilder<never>> {
  return Object.fromEntries(columns.map((column) => [column, sql.ref(`excluded.${column}`)])) as Record<Column, RawBuilder<never>>;
}

/** A state is written without a look at the wallet's row, so no index would refuse a wallet that there is not. Where a record of this batch names it, it has been decided about. */
function assertRecorded(wallets: readonly Wallet[], records: readonly JournalRecord[]): void {
  const recorded = new Set<bigint>();
  for (const { walletId, receiver } of records) {
    recorded.add(walletId);
    if (receiver !== undefined) recorded.add(receiver.walletId);
  }
  for (const { walletId } of wallets) assert(recorded.has(walletId), "a wallet that has changed has a record");
}
