// How a ledger of this version is defined, in the words of `schemaOf`: stated, since a verification makes no tables to compare with. A test holds it against a new ledger.

import { genesisHash } from "../../domain/journal.ts";
import type { Schema } from "../audit/audit.ts";
import { columns, type TableName } from "./columns.ts";
import { namesOnly } from "./schema.ts";

/** The columns that have a default. */
const defaults: Readonly<Record<string, string>> = {
  last_hold_id: " default 0",
  previous_hold_id: " default 0",
  start_sequence: " default 0",
  start_hash: ` default '\\x${Buffer.from(genesisHash).toString("hex")}'::bytea`,
  moved_sequence: " default 0",
};

const keys: Readonly<Record<TableName, string>> = {
  ledger: "id",
  ledger_head: "partition",
  wallets: "partition, wallet_id",
  holds: "partition, hold_id",
  journal: "partition, sequence",
  history_marks: "partition, wallet_id, sequence",
  idempotency_keys: "partition, ordinal",
  currency_totals: "partition, currency, exponent",
  moved_operations: "partition, operation_id",
};

const checks: Readonly<Record<string, string>> = {
  ledger_id_check: "on ledger: check ((id = 1))",
  wallets_available_minor_check: "on wallets: check ((available_minor >= 0))",
  wallets_held_minor_check: "on wallets: check ((held_minor >= 0))",
  holds_amount_minor_check: "on holds: check ((amount_minor > 0))",
  holds_check: "on holds: check (((captured_minor >= 0) and (captured_minor <= amount_minor)))",
};

const indexes: Readonly<Record<string, string>> = {
  wallets_by_user: "on wallets: create unique index wallets_by_user on wallets using btree (partition, user_id, currency)",
  active_holds_by_currency: "on holds: create index active_holds_by_currency on holds using btree (partition, currency, eligible_time_ms, hold_id) where (status = 1)",
  active_holds_by_wallet: "on holds: create index active_holds_by_wallet on holds using btree (partition, wallet_id, eligible_time_ms, hold_id) where (status = 1)",
  idempotency_keys_by_hash: "on idempotency_keys: create unique index idempotency_keys_by_hash on idempotency_keys using btree (partition, key_hash)",
};

/** The schema of a ledger that this version makes. */
export function newSchema(): Schema {
  const schema = new Map<string, string>([...namesOnly].map((name) => [`table ${name}`, "there"]));
  for (const [table, types] of Object.entries(columns)) schema.set(`table ${table}`, Object.entries(types).map(([column, type]) => columnText(column, type)).toSorted().join(", "));
  for (const [table, key] of Object.entries(keys)) {
    schema.set(`constraint ${table}_key`, `on ${table}: primary key (${key})`);
    schema.set(`index ${table}_key`, `on ${table}: create unique index ${table}_key on ${table} using btree (${key})`);
  }
  for (const [name, definition] of Object.entries(checks)) schema.set(`constraint ${name}`, definition);
  for (const [name, definition] of Object.entries(indexes)) schema.set(`index ${name}`, definition);
  return schema;
}

function columnText(column: string, written: string): string {
  const collation = written.startsWith("text") ? " collate c" : "";
  const isRequired = written.endsWith("?") ? "" : " not null";
  return `${column} ${written.replace("?", "")}${collation}${isRequired}${defaults[column] ?? ""}`;
}
