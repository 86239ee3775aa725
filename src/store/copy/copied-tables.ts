// The tables that a copy takes over row by row, in the order in which it does, each with the columns that lead through it behind the partition.

import type { Selectable } from "kysely";
import type { Tables } from "../tables.ts";

/** Together with the partition these are each table's key. SQLite's index of keys is made anew, and ledger and heads come last. */
export const keyColumns = {
  journal: ["sequence"],
  history_marks: ["wallet_id", "sequence"],
  wallets: ["wallet_id"],
  holds: ["hold_id"],
  idempotency_keys: ["ordinal"],
  currency_totals: ["currency", "exponent"],
  moved_operations: ["operation_id"],
} as const;

export type CopiedTable = keyof typeof keyColumns;

export const copiedTables = Object.keys(keyColumns) as readonly CopiedTable[];

/** A row as every engine has it: integers are bigint. */
export type CopiedRow<Table extends CopiedTable> = Selectable<Tables[Table]>;

/** The next rows of a partition in the order of the table's key: at most `limit`, all behind `after`. */
export interface CopiedRange<Table extends CopiedTable> {
  readonly partition: bigint;
  /** Only its key counts. Undefined: from the first row on. */
  readonly after: CopiedRow<Table> | undefined;
  readonly limit: bigint;
}

/** Rows of one table and one partition. */
export type CopiedRows = { readonly [Table in CopiedTable]: { readonly table: Table; readonly partition: bigint; readonly rows: readonly CopiedRow<Table>[] } }[CopiedTable];
