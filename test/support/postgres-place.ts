// Databases of the run's PostgreSQL for single ledgers: each test has one of its own, and the row-by-row copy that its books are checked in.

import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import Database from "better-sqlite3";
import type { Client } from "pg";
import { inject } from "vitest";
import { openPostgresStore } from "../../src/store/postgres/open-postgres.ts";
import { checkBooksIn, type CheckedBooks, type CheckOptions } from "./books.ts";
import { citusPrograms, makeCitusDatabase } from "./citus-cluster.ts";
import { connected } from "./connected.ts";

export const postgresTables = ["ledger", "ledger_head", "wallets", "holds", "journal", "history_marks", "idempotency_keys", "currency_totals"] as const;

/** The tables that only SQLite has. */
const absentTables = { newer_wallets: "partition, sequence, states", key_runs: "partition, run, state, last_ordinal", key_chunks: "partition", key_filters: "partition" };

/** The URL of the server's own database: who has it may do everything. */
export async function postgresUrl(): Promise<string> {
  const answer = await text(connect(inject("postgresDoor"), "127.0.0.1"));
  if (!answer.startsWith("postgres://")) throw new Error(answer);
  return answer;
}

/** Does something as the server's owner. */
export async function asOwner<T>(work: (client: Client) => Promise<T>, url?: string): Promise<T> {
  return connected(url ?? (await postgresUrl()), work);
}

export function urlOf(server: string, database: string): string {
  return Object.assign(new URL(server), { pathname: `/${database}` }).href;
}

/** A new database, empty or with the tables of a ledger that has yet to be created. On Citus there are always tables, since they have to be placed before anybody writes. */
export async function makeDatabase(kind: "empty" | "migrated"): Promise<{ readonly url: string; remove(): Promise<void> }> {
  const server = await postgresUrl();
  const name = `wallet_${randomBytes(8).toString("hex")}`;
  if (citusPrograms !== undefined) return makeCitusDatabase(server, name);
  await asOwner(async (client) => {
    if (kind === "empty") return client.query(`create database ${name}`);
    await makeTemplate(client, server);
    return client.query(`create database ${name} template ${template}`);
  }, server);
  return { url: urlOf(server, name), remove: async () => void (await asOwner((client) => client.query(`drop database if exists ${name} with (force)`), server)) };
}

const template = "wallet_template";

/** Once, whoever comes first: the others wait for it. */
async function makeTemplate(client: Client, server: string): Promise<void> {
  const isThere = async (): Promise<boolean> => (await client.query("select 1 from pg_database where datname = $1", [template])).rowCount === 1;
  if (await isThere()) return;
  await client.query("select pg_advisory_lock(1)");
  if (await isThere()) return;
  const making = `${template}_making`;
  await client.query(`create database ${making}`);
  const { store } = await openPostgresStore(urlOf(server, making), () => 0, { partitions: 1 });
  await store.close();
  // The ledger itself is created by whoever opens it first, on a clock of their own.
  await asOwner((own) => own.query("delete from ledger; delete from ledger_head"), urlOf(server, making));
  await client.query(`alter database ${making} rename to ${template}`);
  await client.query("select pg_advisory_unlock(1)");
}

/** Every row of every table, in the order of their keys, as one commit has them. Independent of src/ on purpose. */
export async function rowsOf(url: string): Promise<Record<string, Record<string, unknown>[]>> {
  return asOwner(async (client) => {
    // Numbers are exact; U+0000, which PostgreSQL does not take, is stored as U+FDD0 and "0", and U+FDD0 itself as U+FDD0 and "1".
    client.setTypeParser(20, BigInt);
    client.setTypeParser(25, (stored: string) => stored.replace(/\uFDD0([01])/g, (_, digit) => (digit === "0" ? "\0" : "\uFDD0")));
    await client.query("begin isolation level repeatable read read only");
    const rows: Record<string, Record<string, unknown>[]> = {};
    for (const table of postgresTables) rows[table] = (await client.query<Record<string, unknown>>(`select * from ${table} order by 1, 2, 3`)).rows.map((row) => ({ ...row }));
    await client.query("commit");
    return rows;
  }, url);
}

/** The ledger copied into a SQLite database, in memory unless a new file is named, for what reads those. */
export async function copiedToSqlite(url: string, path = ":memory:"): Promise<Database.Database> {
  const tables = await rowsOf(url);
  const columnsOf = await asOwner(
    async (client) => new Map((await client.query<{ table: string; columns: string }>(`select table_name as "table", string_agg(quote_ident(column_name), ', ' order by ordinal_position) as columns from information_schema.columns where table_schema = current_schema() group by 1`)).rows.map(({ table, columns }) => [table, columns])),
    url,
  );
  const copy = new Database(path);
  copy.defaultSafeIntegers(true);
  for (const [table, columns] of Object.entries(absentTables)) copy.exec(`create table ${table} (${columns})`);
  for (const table of postgresTables) {
    copy.exec(`create table ${table} (${columnsOf.get(table)})`);
    const rows = tables[table]!;
    if (rows.length === 0) continue;
    const insert = copy.prepare(`insert into ${table} values (${Object.keys(rows[0]!).map(() => "?").join(", ")})`);
    copy.transaction(() => rows.forEach((row) => insert.run(...Object.values(row))))();
  }
  return copy;
}

/** Checks section 6 of the contract, in a copy of the ledger. */
export async function checkPostgresBooks(url: string, options: CheckOptions = {}): Promise<CheckedBooks> {
  const copy = await copiedToSqlite(url);
  try {
    return checkBooksIn(copy, options);
  } finally {
    copy.close();
  }
}

/** Puts these rows in place of a table's. Rejects where the table's own rules refuse one of them. */
export async function replaceRows(client: Client, table: string, rows: readonly Record<string, unknown>[]): Promise<void> {
  const json = JSON.stringify(rows, (_, value: unknown) => (typeof value === "bigint" ? value.toString() : value)).replaceAll(/\{"type":"Buffer","data":\[([\d,]*)\]\}/g, (__, bytes: string) => {
    return JSON.stringify(`\\x${Buffer.from(bytes === "" ? [] : bytes.split(",").map(Number)).toString("hex")}`);
  });
  await client.query("begin");
  try {
    await client.query(`delete from ${table}`);
    await client.query(`insert into ${table} select * from json_populate_recordset(null::${table}, $1)`, [json]);
    await client.query("commit");
  } catch (error) {
    await client.query("rollback");
    throw error;
  }
}
