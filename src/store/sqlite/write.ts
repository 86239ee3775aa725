// Writes what a batch has changed, inside its transaction.

import type Database from "better-sqlite3";
import { sql, type Insertable, type RawBuilder } from "kysely";
import type { Changes } from "../../domain/ledger-state.ts";
import { marksOf } from "../history-marks.ts";
import { currencyTotalsToRow, holdToRow, keyToRow, recordToRow, walletToRow } from "../rows.ts";
import type { CurrencyTotalsTable, HistoryMarkTable, HoldTable, IdempotencyKeyTable, JournalTable, LedgerHeadTable, WalletTable } from "../tables.ts";
import { rowArguments, statement } from "./statement.ts";

/** Old keys are forgotten a few at a time, twice as many as a batch brings and this many more, so that no commit waits long for it. */
const forgottenKeysExtra = 16n;

/** Answers a function that writes on this connection. Call it inside the transaction that loaded the state. */
export function prepareWrite(connection: Database.Database): (changes: Changes, keyOrdinal: bigint) => void {
  const insertRecord = statement<Insertable<JournalTable>>(connection, (db, arg) => db.insertInto("journal").values(rowArguments(arg, journalColumns)));

  const insertMark = statement<Insertable<HistoryMarkTable>>(connection, (db, arg) =>
    db.insertInto("history_marks").values(rowArguments(arg, ["partition", "wallet_id", "sequence"])),
  );

  const putWallet = statement<Insertable<WalletTable>>(connection, (db, arg) =>
    db
      .insertInto("wallets")
      .values(rowArguments(arg, walletColumns))
      .onConflict((conflict) => conflict.columns(["partition", "wallet_id"]).doUpdateSet(excluded(changingWalletColumns))),
  );

  const putHold = statement<Insertable<HoldTable>>(connection, (db, arg) =>
    db
      .insertInto("holds")
      .values(rowArguments(arg, holdColumns))
      .onConflict((conflict) => conflict.columns(["partition", "hold_id"]).doUpdateSet(excluded(changingHoldColumns))),
  );

  // The conflict is with a key that is past its retention and was not yet forgotten: it takes a new place among the young.
  const putKey = statement<Insertable<IdempotencyKeyTable>>(connection, (db, arg) =>
    db
      .insertInto("idempotency_keys")
      .values(rowArguments(arg, keyColumns))
      .onConflict((conflict) => conflict.columns(["partition", "key_hash"]).doUpdateSet(excluded(changingKeyColumns))),
  );

  const putTotals = statement<Insertable<CurrencyTotalsTable>>(connection, (db, arg) =>
    db
      .insertInto("currency_totals")
      .values(rowArguments(arg, ["partition", "currency", "exponent", "totals"]))
      .onConflict((conflict) => conflict.columns(["partition", "currency", "exponent"]).doUpdateSet(excluded(["totals"]))),
  );

  const moveHead = statement<LedgerHeadTable>(connection, (db, arg) =>
    db
      .updateTable("ledger_head")
      .set({ sequence: arg("sequence"), hash: arg("hash"), time_ms: arg("time_ms"), key_ordinal: arg("key_ordinal") })
      .where("partition", "=", arg("partition")),
  );

  const oldestKey = statement<{ partition: bigint }, { time_ms: bigint }>(connection, (db, arg) =>
    db.selectFrom("idempotency_keys").select("time_ms").where("partition", "=", arg("partition")).orderBy("ordinal").limit(1n),
  );

  const forgetKeys = statement<{ partition: bigint; beforeMs: bigint; limit: bigint }>(connection, (db, arg) =>
    db
      .deleteFrom("idempotency_keys")
      .where("partition", "=", arg("partition"))
      .where("time_ms", "<", arg("beforeMs"))
      .where("ordinal", "in", (oldest) =>
        oldest.selectFrom("idempotency_keys").select("ordinal").where("partition", "=", arg("partition")).orderBy("ordinal").limit(arg("limit")),
      ),
  );

  return ({ head, records, wallets, holds, keys, currencyTotals, forgetKeysBeforeMs }, keyOrdinal) => {
    const partition = BigInt(head.partition);
    for (const record of records) {
      insertRecord.run(recordToRow(record));
      for (const mark of marksOf(record)) insertMark.run(mark);
    }
    for (const wallet of wallets) putWallet.run(walletToRow(head.partition, wallet));
    // Whatever changes a hold changes its wallet too.
    const currencies = new Map(wallets.map((wallet) => [wallet.walletId, wallet.currency]));
    for (const hold of holds) putHold.run(holdToRow(head.partition, hold, currencies.get(hold.walletId)!));
    for (const key of keys) putKey.run(keyToRow(head.partition, ++keyOrdinal, key));
    for (const totals of currencyTotals) putTotals.run(currencyTotalsToRow(head.partition, totals));
    const oldest = oldestKey.get({ partition });
    if (oldest !== undefined && oldest.time_ms < BigInt(forgetKeysBeforeMs)) {
      forgetKeys.run({ partition, beforeMs: BigInt(forgetKeysBeforeMs), limit: 2n * BigInt(keys.length) + forgottenKeysExtra });
    }
    moveHead.run({ partition, sequence: head.sequence, hash: head.hash, time_ms: BigInt(head.timeMs), key_ordinal: keyOrdinal });
  };
}

const journalColumns = [
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
  "balance_max_after_minor",
  "previous_sequence",
  "time_ms",
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
  "hash",
] as const;

const changingWalletColumns = ["available_minor", "held_minor", "state", "version", "balance_max_minor", "head_sequence", "last_hold_id", "update_time_ms", "totals"] as const;
const walletColumns = ["partition", "wallet_id", "user_id", "currency", "exponent", "create_time_ms", ...changingWalletColumns] as const;

const changingHoldColumns = ["captured_minor", "status", "eligible_time_ms", "resolve_time_ms"] as const;
const holdColumns = ["partition", "hold_id", "wallet_id", "currency", "amount_minor", "create_time_ms", "previous_hold_id", ...changingHoldColumns] as const;

const changingKeyColumns = ["ordinal", "fingerprint", "time_ms", "sequence", "rejection"] as const;
const keyColumns = ["partition", "key_hash", ...changingKeyColumns] as const;

/** `column = excluded.column` for each: the values that the insert would have written. */
function excluded<Column extends string>(columns: readonly Column[]): Record<Column, RawBuilder<never>> {
  return Object.fromEntries(columns.map((column) => [column, sql.ref(`excluded.${column}`)])) as Record<Column, RawBuilder<never>>;
}
