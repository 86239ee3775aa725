// Rows of a ledger's file as somebody finds, changes, removes and adds them behind the service's back.

import type Database from "better-sqlite3";

/** A row as plain SQL answers it. */
export type Row = Record<string, bigint | string | Uint8Array | null>;
/** A number below this one. */
export type Pick = (below: number) => number;

/** All rows that satisfy `where`. */
export function rowsOf(db: Database.Database, table: string, where = "1 = 1"): Row[] {
  return db.prepare<[], Row>(`select * from ${table} where ${where}`).all();
}

/** One of them at random; undefined where there is none. */
export function anyRow(db: Database.Database, pick: Pick, table: string, where?: string): Row | undefined {
  const rows = rowsOf(db, table, where);
  return rows.length === 0 ? undefined : rows[pick(rows.length)];
}

/** The columns that name a row. */
export const keys: Readonly<Record<string, readonly string[]>> = {
  wallets: ["partition", "wallet_id"],
  holds: ["partition", "hold_id"],
  journal: ["partition", "sequence"],
  idempotency_keys: ["partition", "ordinal"],
  currency_totals: ["partition", "currency", "exponent"],
  ledger_head: ["partition"],
  history_marks: ["partition", "wallet_id", "sequence"],
  key_runs: ["partition", "run"],
  key_chunks: ["partition", "run", "first_hash"],
  key_filters: ["partition", "run", "first_block"],
};

/** Answers what was changed. */
export function update(db: Database.Database, table: string, row: Row, values: Row): string {
  const where = keys[table]!.map((key) => `${key} = @key_${key}`).join(" and ");
  const set = Object.keys(values).map((column) => `${column} = @${column}`).join(", ");
  const named = Object.fromEntries(keys[table]!.map((key) => [`key_${key}`, row[key]]));
  db.prepare(`update ${table} set ${set} where ${where}`).run({ ...values, ...named });
  return `${table} ${keys[table]!.map((key) => String(row[key])).join("/")}: ${Object.entries(values).map(([column, value]) => `${column} ${text(row[column])} → ${text(value)}`).join(", ")}`;
}

/** Answers what was removed. */
export function remove(db: Database.Database, table: string, row: Row): string {
  db.prepare(`delete from ${table} where ${keys[table]!.map((key) => `${key} = @${key}`).join(" and ")}`).run(Object.fromEntries(keys[table]!.map((key) => [key, row[key]])));
  return `${table} ${keys[table]!.map((key) => String(row[key])).join("/")}: deleted`;
}

/** A value as a person reads it. */
export function text(value: unknown): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString("hex") : String(value);
}

/** Adds a row. */
export function insert(db: Database.Database, table: string, row: Row): void {
  db.prepare(`insert into ${table} (${Object.keys(row).join(", ")}) values (${Object.keys(row).map((column) => `@${column}`).join(", ")})`).run(row);
}

/** Where the journal of this row's partition ends. */
export function endOf(db: Database.Database, { partition }: Row): bigint {
  return rowsOf(db, "ledger_head", `partition = ${String(partition)}`)[0]!["sequence"] as bigint;
}

/** The id of an operation in this place of the row's partition. */
export function idAt({ partition }: Row, sequence: bigint): bigint {
  return ((partition as bigint) << 48n) + sequence;
}
