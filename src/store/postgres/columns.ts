// The tables' columns with their PostgreSQL types, in the order in which they are written; a question mark where there may be null.

import type { Tables } from "../tables.ts";
import type { ColumnType } from "./parameters.ts";

/** The tables that this engine has: SQLite's index of keys, and what its rows of wallets have yet to learn, are its own. */
export type TableName = Exclude<keyof Tables, "newer_wallets" | "key_runs" | "key_chunks" | "key_filters">;

type WrittenType = ColumnType | `${ColumnType}?`;
type ColumnsOf<Table> = { readonly [Column in keyof Table]: WrittenType };

export const columns: { readonly [Table in TableName]: ColumnsOf<Tables[Table]> } = {
  ledger: { id: "bigint", partitions: "bigint", create_time_ms: "bigint" },
  ledger_head: { partition: "bigint", sequence: "bigint", hash: "bytea", time_ms: "bigint", key_ordinal: "bigint", start_sequence: "bigint", start_hash: "bytea", moved_sequence: "bigint" },
  wallets: {
    partition: "bigint",
    wallet_id: "bigint",
    user_id: "text",
    currency: "text",
    exponent: "bigint",
    create_time_ms: "bigint",
    available_minor: "bigint",
    held_minor: "bigint",
    state: "bigint",
    version: "bigint",
    balance_max_minor: "bigint?",
    head_sequence: "bigint",
    last_hold_id: "bigint",
    update_time_ms: "bigint",
    totals: "bytea",
  },
  holds: {
    partition: "bigint",
    hold_id: "bigint",
    wallet_id: "bigint",
    currency: "text",
    amount_minor: "bigint",
    captured_minor: "bigint",
    status: "bigint",
    create_time_ms: "bigint",
    eligible_time_ms: "bigint",
    resolve_time_ms: "bigint?",
    previous_hold_id: "bigint",
  },
  journal: {
    partition: "bigint",
    sequence: "bigint",
    operation_id: "bigint",
    kind: "bigint",
    wallet_id: "bigint",
    amount_minor: "bigint",
    available_after_minor: "bigint",
    held_after_minor: "bigint",
    state_after: "bigint",
    version_after: "bigint",
    balance_max_after_minor: "bigint?",
    previous_sequence: "bigint",
    time_ms: "bigint",
    hold_id: "bigint?",
    hold_status_after: "bigint?",
    hold_captured_after_minor: "bigint?",
    hold_eligible_time_ms: "bigint?",
    opened_user_id: "text?",
    opened_currency: "text?",
    opened_exponent: "bigint?",
    related_operation_id: "bigint?",
    key_hash: "bytea?",
    reference: "text?",
    metadata: "text?",
    receiver_wallet_id: "bigint?",
    receiver_amount_minor: "bigint?",
    receiver_available_after_minor: "bigint?",
    receiver_held_after_minor: "bigint?",
    receiver_state_after: "bigint?",
    receiver_version_after: "bigint?",
    receiver_balance_max_after_minor: "bigint?",
    receiver_previous_sequence: "bigint?",
    side: "bigint?",
    other_user_id: "text?",
    other_exponent: "bigint?",
    nonce: "bigint?",
    hash: "bytea",
  },
  history_marks: { partition: "bigint", wallet_id: "bigint", sequence: "bigint" },
  idempotency_keys: { partition: "bigint", ordinal: "bigint", key_hash: "bytea", fingerprint: "bytea", time_ms: "bigint", sequence: "bigint?", rejection: "text?" },
  currency_totals: { partition: "bigint", currency: "text", exponent: "bigint", totals: "bytea" },
  moved_operations: { partition: "bigint", operation_id: "bigint", sequence: "bigint" },
};

/** The column's type without the question mark. */
export function typeOf(written: WrittenType): ColumnType {
  return written.replace("?", "") as ColumnType;
}
