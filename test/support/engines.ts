// The engines that every suite about a whole store runs on, each able to give an empty place for a ledger.

import assert from "node:assert/strict";
import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { currencyRegistry } from "../../src/domain/currency.ts";
import { executorOn, type Executor } from "../../src/ledger/executor.ts";
import type { WriterSettings } from "../../src/ledger/writer-messages.ts";
import { startWriterThread } from "../../src/ledger/writer-thread.ts";
import type { Reads, Store } from "../../src/store/store.ts";
import type { LateRowSizes } from "../../src/store/sqlite/newer-wallets/late-rows.ts";
import type { KeyIndexSizes } from "../../src/store/sqlite/keys/key-index-sizes.ts";
import { openPostgresStore, type OpenedPostgres } from "../../src/store/postgres/open-postgres.ts";
import { openPostgresReads } from "../../src/store/postgres/postgres-reads.ts";
import { openSqliteReads } from "../../src/store/sqlite/sqlite-reads.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { writtenQueries } from "../../src/store/sqlite/written-queries.ts";
import { bringWalletsUpToDate } from "./books-newer.ts";
import { checkBooks, type CheckedBooks } from "./books.ts";
import { checkPostgresBooks, makeDatabase, rowsOf } from "./postgres-place.ts";
import { keepTypeStripping } from "./type-stripping.ts";

type ServiceSettings = Omit<WriterSettings, "databasePath" | "partitions">;

/** A place where one ledger is, or will be once a store has opened it. */
export interface LedgerPlace {
  /** What WALLET_DATABASE_URL names: of SQLite the file's path, else a URL. */
  readonly path: string;
  openStore(clock: () => number): Promise<Store>;
  openReads(clock: () => number): Promise<Reads>;
  /** The executor as the service has it, on the machine's own clock. */
  startExecutor(settings: ServiceSettings): Promise<Executor>;
  /** Everything that the database says, row by row: two that are equal hold the same ledger. */
  dump(): Promise<Readonly<Record<string, readonly unknown[]>>>;
  /** Checks section 6 of the contract. */
  checkBooks(idempotencyRetentionMs?: number): Promise<CheckedBooks>;
  remove(): Promise<void>;
}

export interface Engine {
  readonly name: string;
  /** That a ledger is made with. */
  readonly partitions: number;
  open(): Promise<LedgerPlace>;
}

/** Memory where the system offers it as a folder: the suites are not about the disk. */
const folderOfFolders = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

const tables = ["ledger", "ledger_head", "wallets", "holds", "journal", "history_marks", "idempotency_keys", "currency_totals", "key_runs", "key_chunks", "key_filters"];

/** Runs of keys so short that the suites' histories have some, and merge them. */
export const shortRuns: KeyIndexSizes = { tailMax: 16, fanout: 3, creditPerKey: 24, stepEntries: 32, mergedMax: 100_000, filtersMaxBytes: 100_000 };

/** So few states are late that rows learn of them all the time. */
export const fewLate: LateRowSizes = { roundMin: 12, creditPerState: 2, stepMin: 4 };

const sqlite = (name: string, partitions: number): Engine => ({
  name,
  partitions,
  async open() {
    const folder = mkdtempSync(join(folderOfFolders, "wallet-test-"));
    const path = join(folder, "wallet.db");
    return {
      path,
      openStore: (clock) => openSqliteStore(path, clock, { partitions, keySizes: shortRuns, lateSizes: fewLate }),
      openReads: async (clock) => openSqliteReads(path, clock, writtenQueries),
      startExecutor(settings) {
        keepTypeStripping();
        return startWriterThread(new URL("../../src/writer.ts", import.meta.url), { ...settings, databasePath: path, partitions });
      },
      async dump() {
        const connection = new Database(path, { readonly: true });
        connection.defaultSafeIntegers(true);
        try {
          // What wallets are, wherever it lies: that rows learn of it changes nothing.
          bringWalletsUpToDate(connection, (sentence) => assert.fail(sentence));
          return Object.fromEntries(tables.map((table) => [table, connection.prepare(`select * from ${table}`).all()]));
        } finally {
          connection.close();
        }
      },
      checkBooks: async (idempotencyRetentionMs) => checkBooks(path, retentionIn(idempotencyRetentionMs)),
      remove: async () => rmSync(folder, { recursive: true, force: true }),
    };
  },
});

const postgres = (name: string, partitions: number): Engine => ({
  name,
  partitions,
  open: () => openPostgresPlace((url, clock) => openPostgresStore(url, clock, { partitions })),
});

/** A database of its own, whose store is opened so. */
export async function openPostgresPlace(openIn: (url: string, clock: () => number) => Promise<OpenedPostgres>): Promise<LedgerPlace> {
  const { url, remove } = await makeDatabase("migrated");
  const openStore = async (clock: () => number): Promise<Store> => (await openIn(url, clock)).store;
  return {
    path: url,
    openStore,
    openReads: (clock) => openPostgresReads(url, clock),
    async startExecutor({ assets, ...settings }) {
      return executorOn(await openStore(Date.now), { currencies: currencyRegistry(assets), ...settings });
    },
    dump: () => rowsOf(url),
    checkBooks: (idempotencyRetentionMs) => checkPostgresBooks(url, retentionIn(idempotencyRetentionMs)),
    remove,
  };
}

function retentionIn(idempotencyRetentionMs: number | undefined): { idempotencyRetentionMs?: number } {
  return idempotencyRetentionMs === undefined ? {} : { idempotencyRetentionMs };
}

export const engines: readonly Engine[] = [sqlite("sqlite", 1), sqlite("sqlite, 8 partitions", 8), postgres("postgres", 1), postgres("postgres, 8 partitions", 8)];

/** Copies a ledger that nobody has open. */
export function copySqliteLedger(from: string, to: string): void {
  const connection = new Database(from);
  connection.pragma("wal_checkpoint(TRUNCATE)");
  connection.close();
  copyFileSync(from, to);
}
