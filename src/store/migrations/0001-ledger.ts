// The first tables: heads, wallets, holds, the journal, remembered keys and counters.

import { sql, type ColumnDefinitionBuilder, type Kysely } from "kysely";
import type { EngineTypes } from "./engine-types.ts";

const required = (column: ColumnDefinitionBuilder): ColumnDefinitionBuilder => column.notNull();

/** Creates the tables. `types` says how the engine spells its types and what ends its CREATE TABLE. */
export function createLedger(types: EngineTypes): (db: Kysely<unknown>) => Promise<void> {
  const { integer, text, bytes, tableEnd } = types;
  return async (db) => {
    await db.schema
      .createTable("ledger")
      .addColumn("id", integer, (column) => column.notNull().check(sql`id = 1`))
      .addColumn("partitions", integer, required)
      .addColumn("create_time_ms", integer, required)
      .addPrimaryKeyConstraint("ledger_key", ["id"])
      .modifyEnd(tableEnd)
      .execute();

    await db.schema
      .createTable("ledger_head")
      .addColumn("partition", integer, required)
      .addColumn("sequence", integer, required)
      .addColumn("hash", bytes, required)
      .addColumn("time_ms", integer, required)
      .addColumn("key_ordinal", integer, required)
      .addPrimaryKeyConstraint("ledger_head_key", ["partition"])
      .modifyEnd(tableEnd)
      .execute();

    await db.schema
      .createTable("wallets")
      .addColumn("partition", integer, required)
      .addColumn("wallet_id", integer, required)
      .addColumn("user_id", text, required)
      .addColumn("currency", text, required)
      .addColumn("exponent", integer, required)
      .addColumn("create_time_ms", integer, required)
      .addColumn("available_minor", integer, (column) => column.notNull().check(sql`available_minor >= 0`))
      .addColumn("held_minor", integer, (column) => column.notNull().check(sql`held_minor >= 0`))
      .addColumn("state", integer, required)
      .addColumn("version", integer, required)
      .addColumn("balance_max_minor", integer)
      .addColumn("head_sequence", integer, required)
      .addColumn("update_time_ms", integer, required)
      .addColumn("totals", bytes, required)
      .addPrimaryKeyConstraint("wallets_key", ["partition", "wallet_id"])
      .modifyEnd(tableEnd)
      .execute();
    await db.schema.createIndex("wallets_by_user").unique().on("wallets").columns(["partition", "user_id", "currency"]).execute();

    await db.schema
      .createTable("holds")
      .addColumn("partition", integer, required)
      .addColumn("hold_id", integer, required)
      .addColumn("wallet_id", integer, required)
      .addColumn("currency", text, required)
      .addColumn("amount_minor", integer, (column) => column.notNull().check(sql`amount_minor > 0`))
      .addColumn("captured_minor", integer, (column) => column.notNull().check(sql`captured_minor between 0 and amount_minor`))
      .addColumn("status", integer, required)
      .addColumn("create_time_ms", integer, required)
      .addColumn("eligible_time_ms", integer, required)
      .addColumn("resolve_time_ms", integer)
      .addPrimaryKeyConstraint("holds_key", ["partition", "hold_id"])
      .modifyEnd(tableEnd)
      .execute();

    // Partial: only active holds are ever looked for by time, and they are few beside those that were.
    await db.schema
      .createIndex("active_holds_by_currency")
      .on("holds")
      .columns(["partition", "currency", "eligible_time_ms", "hold_id"])
      .where(sql<boolean>`status = 1`)
      .execute();
    await db.schema
      .createIndex("active_holds_by_wallet")
      .on("holds")
      .columns(["partition", "wallet_id", "eligible_time_ms", "hold_id"])
      .where(sql<boolean>`status = 1`)
      .execute();

    // No secondary index: an operation is found by its place, a wallet's history by its links.
    await db.schema
      .createTable("journal")
      .addColumn("partition", integer, required)
      .addColumn("sequence", integer, required)
      .addColumn("operation_id", integer, required)
      .addColumn("kind", integer, required)
      .addColumn("wallet_id", integer, required)
      .addColumn("amount_minor", integer, required)
      .addColumn("available_after_minor", integer, required)
      .addColumn("held_after_minor", integer, required)
      .addColumn("state_after", integer, required)
      .addColumn("version_after", integer, required)
      .addColumn("balance_max_after_minor", integer)
      .addColumn("previous_sequence", integer, required)
      .addColumn("time_ms", integer, required)
      .addColumn("hold_id", integer)
      .addColumn("hold_status_after", integer)
      .addColumn("hold_captured_after_minor", integer)
      .addColumn("hold_eligible_time_ms", integer)
      .addColumn("opened_user_id", text)
      .addColumn("opened_currency", text)
      .addColumn("opened_exponent", integer)
      .addColumn("related_operation_id", integer)
      .addColumn("key_hash", bytes)
      .addColumn("reference", text)
      .addColumn("metadata", text)
      .addColumn("hash", bytes, required)
      .addPrimaryKeyConstraint("journal_key", ["partition", "sequence"])
      .modifyEnd(tableEnd)
      .execute();

    await db.schema
      .createTable("idempotency_keys")
      .addColumn("partition", integer, required)
      .addColumn("ordinal", integer, required)
      .addColumn("key_hash", bytes, required)
      .addColumn("fingerprint", bytes, required)
      .addColumn("time_ms", integer, required)
      .addColumn("sequence", integer)
      .addColumn("rejection", text)
      .addPrimaryKeyConstraint("idempotency_keys_key", ["partition", "ordinal"])
      .modifyEnd(tableEnd)
      .execute();
    await db.schema.createIndex("idempotency_keys_by_hash").unique().on("idempotency_keys").columns(["partition", "key_hash"]).execute();

    await db.schema
      .createTable("currency_totals")
      .addColumn("partition", integer, required)
      .addColumn("currency", text, required)
      .addColumn("exponent", integer, required)
      .addColumn("totals", bytes, required)
      .addPrimaryKeyConstraint("currency_totals_key", ["partition", "currency", "exponent"])
      .modifyEnd(tableEnd)
      .execute();
  };
}
