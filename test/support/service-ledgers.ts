// The ledgers that suites over the whole service run on: a file, and databases of the run's PostgreSQL, with one partition and with eight. How each is looked at past the service.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { checkBooks, type CheckedBooks } from "./books.ts";
import { everyRow } from "./every-row.ts";
import { asOwner, checkPostgresBooks, makeDatabase, rowsOf } from "./postgres-place.ts";

/** A ledger of its own. */
export interface ServiceLedger {
  /** What the service is started with. */
  readonly flags: readonly string[];
  /** Every row of every table: where two are equal, nothing has happened in between. */
  everyRow(): Promise<unknown>;
  /** Checks section 6 of the contract. */
  checkBooks(): Promise<CheckedBooks>;
  /** Holds the locks that every writer needs until the work is done. */
  whileNobodyWrites<T>(work: () => Promise<T>): Promise<T>;
  remove(): Promise<void>;
}

export interface LedgerKind {
  readonly name: string;
  readonly partitions: number;
  make(): Promise<ServiceLedger>;
}

const named = (engine: string, partitions: number): string => `${engine}, ${partitions} ${partitions === 1 ? "partition" : "partitions"}`;

const onSqlite = (partitions: number): LedgerKind => ({
  name: named("SQLite", partitions),
  partitions,
  async make() {
    const folder = mkdtempSync(join(tmpdir(), "wallet-ledger-"));
    const path = join(folder, "wallet.db");
    return {
      flags: [`--database-url=sqlite:${path}`, `--partitions=${partitions}`],
      everyRow: async () => everyRow(path),
      checkBooks: async () => checkBooks(path),
      async whileNobodyWrites(work) {
        const blocker = new Database(path);
        try {
          blocker.exec("BEGIN IMMEDIATE");
          return await work();
        } finally {
          blocker.close();
        }
      },
      remove: async () => rmSync(folder, { recursive: true, force: true }),
    };
  },
});

const onPostgres = (partitions: number): LedgerKind => ({
  name: named("PostgreSQL", partitions),
  partitions,
  async make() {
    const { url, remove } = await makeDatabase("empty");
    return {
      flags: [`--database-url=${url}`, `--partitions=${partitions}`],
      everyRow: () => rowsOf(url),
      checkBooks: () => checkPostgresBooks(url),
      whileNobodyWrites: (work) =>
        asOwner(async (client) => {
          await client.query("begin");
          // Ascending, as every batch takes them. They are given back with the connection.
          for (let partition = 0; partition < partitions; partition++) await client.query("select from ledger_head where partition = $1 for update", [partition]);
          return work();
        }, url),
      remove,
    };
  },
});

export const sqliteLedgers = { one: onSqlite(1), eight: onSqlite(8) } as const;
export const postgresLedgers = { one: onPostgres(1), eight: onPostgres(8) } as const;
