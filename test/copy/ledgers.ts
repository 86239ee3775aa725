// Ledgers for the tests of copies: made on either engine, copied in this process, and looked into row by row.

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { openCopyScratch, openCopySource, openCopyTarget } from "../../src/copy-ends.ts";
import type { Database as LedgerDatabase } from "../../src/database.ts";
import type { VerificationResult } from "../../src/domain/audit/verification-report.ts";
import { executorOn, type Executor } from "../../src/ledger/executor.ts";
import type { Audit } from "../../src/store/audit/audit.ts";
import { verifyLedger } from "../../src/store/audit/verification.ts";
import { copyLedger, type CopiedLedger, type CopyOptions } from "../../src/store/copy/copy-ledger.ts";
import { openPostgresStore } from "../../src/store/postgres/open-postgres.ts";
import { openPostgresAudit } from "../../src/store/postgres/postgres-audit.ts";
import { openPostgresReads } from "../../src/store/postgres/postgres-reads.ts";
import { openSqliteAudit } from "../../src/store/sqlite/sqlite-audit.ts";
import { writtenQueries } from "../../src/store/sqlite/written-queries.ts";
import { openSqliteReads } from "../../src/store/sqlite/sqlite-reads.ts";
import { openSqliteScratch } from "../../src/store/sqlite/sqlite-scratch.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import type { Reads, Store } from "../../src/store/store.ts";
import { shortRuns } from "../support/engines.ts";
import { startMs, storyRules } from "../support/given.ts";
import { MixedWriter } from "../support/mixed-ledger.ts";
import { asOwner, makeDatabase } from "../support/postgres-place.ts";

/** What a copy takes over, and what is the target's own. */
export const copiedTables = ["ledger", "ledger_head", "wallets", "holds", "journal", "history_marks", "idempotency_keys", "currency_totals", "moved_operations"] as const;

const folder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "wallet-copy-"));
const removals: (() => Promise<void>)[] = [];
let places = 0;

/** Removes everything that was made here. */
export async function cleanUp(): Promise<void> {
  for (const remove of removals) await remove();
  rmSync(folder, { recursive: true, force: true });
}

/** A place for a ledger that is not there yet. */
export async function newPlace(kind: "sqlite" | "postgres"): Promise<LedgerDatabase> {
  if (kind === "sqlite") return { kind, path: join(folder, `${places++}.db`) };
  const { url, remove } = await makeDatabase("empty");
  removals.push(remove);
  return { kind, url };
}

/** The flag's value that names it. */
export function addressOf(database: LedgerDatabase): string {
  return database.kind === "sqlite" ? `sqlite:${database.path}` : database.url;
}

export class Clock {
  timeMs = startMs;
  readonly now = (): number => this.timeMs;
}

export async function openStore(database: LedgerDatabase, clock: Clock, partitions = 1): Promise<Store> {
  if (database.kind === "sqlite") return openSqliteStore(database.path, clock.now, { keySizes: shortRuns, partitions });
  return (await openPostgresStore(database.url, clock.now, { partitions })).store;
}

export async function openReads(database: LedgerDatabase, clock: Clock): Promise<Reads> {
  return database.kind === "sqlite" ? openSqliteReads(database.path, clock.now, writtenQueries) : openPostgresReads(database.url, clock.now);
}

/** Does something with the ledger as a service would. */
export async function serving<T>(database: LedgerDatabase, clock: Clock, work: (executor: Executor, reads: Reads) => Promise<T>, partitions?: number): Promise<T> {
  const store = await openStore(database, clock, partitions);
  const reads = await openReads(database, clock);
  try {
    return await work(executorOn(store, storyRules), reads);
  } finally {
    await reads.close();
    await store.close();
  }
}

/** A ledger with so many batches of everything in its past. */
export async function mixedLedger(kind: "sqlite" | "postgres", { partitions = 1, batches = 30, seed = 7, clock = new Clock() }: { partitions?: number; batches?: number; seed?: number; clock?: Clock } = {}): Promise<LedgerDatabase> {
  const database = await newPlace(kind);
  await serving(database, clock, (executor) => writeMixed(executor, { batches, seed, clock }), partitions);
  return database;
}

/** A few users, so that wallets have long histories with marks. */
export async function writeMixed(executor: Executor, { batches, seed, clock }: { batches: number; seed: number; clock: Clock }): Promise<void> {
  const writer = new MixedWriter(executor, { seed, users: 12, passMs: (ms) => void (clock.timeMs += ms) });
  await writer.open();
  for (let batch = 0; batch < batches; batch++) await writer.write(80);
}

/** Copies in this process. After `writesMax` transactions it ends as if it had been killed. */
export async function copy(from: LedgerDatabase, to: LedgerDatabase, { writesMax = Infinity, ...options }: Partial<CopyOptions> & { writesMax?: number } = {}): Promise<CopiedLedger> {
  const source = await openCopySource(from);
  try {
    const target = await openCopyTarget(to);
    try {
      let writes = 0;
      const write = target.write.bind(target);
      target.write = async (chunk) => {
        if (writes++ === writesMax) throw new Interrupted();
        await write(chunk);
      };
      return await copyLedger(source, target, { openScratch: openCopyScratch, afterChunk: async () => {}, ...options });
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

class Interrupted extends Error {}

/** Copies in as many runs as there are chunks, each of which ends after one. Answers how many there were. */
export async function copyInPieces(from: LedgerDatabase, to: LedgerDatabase, options: Partial<CopyOptions>): Promise<number> {
  for (let runs = 1; ; runs++) {
    const isDone = await copy(from, to, { ...options, writesMax: 1 }).then(
      () => true,
      (error: unknown) => {
        if (!(error instanceof Interrupted)) throw error;
        return false;
      },
    );
    if (isDone) return runs;
  }
}

export async function verified(database: LedgerDatabase, idempotencyRetentionMs = storyRules.idempotencyRetentionMs): Promise<VerificationResult> {
  const audit: Audit = database.kind === "sqlite" ? openSqliteAudit(database.path) : await openPostgresAudit(database.url);
  const scratch = openSqliteScratch();
  try {
    return await verifyLedger(audit, scratch, { idempotencyRetentionMs, afterStep: () => nextTurn() });
  } finally {
    scratch.close();
    await audit.close();
  }
}

export type Rows = Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>;

/** Every row of every copied table, columns and rows in one order, whatever the engine. Independent of src/ on purpose. */
export async function rowsOf(database: LedgerDatabase, tables: readonly string[] = copiedTables): Promise<Rows> {
  const rows: Record<string, Record<string, unknown>[]> = {};
  if (database.kind === "sqlite") {
    const connection = new Database(database.path, { readonly: true });
    connection.defaultSafeIntegers(true);
    for (const table of tables) rows[table] = connection.prepare<[], Record<string, unknown>>(`select * from ${table} order by 1, 2, 3`).all();
    connection.close();
  } else {
    await asOwner(async (client) => {
      client.setTypeParser(20, BigInt);
      client.setTypeParser(25, (stored: string) => stored.replace(/\uFDD0([01])/g, (_, digit) => (digit === "0" ? "\0" : "\uFDD0")));
      for (const table of tables) rows[table] = (await client.query<Record<string, unknown>>(`select * from ${table} order by 1, 2, 3`)).rows;
    }, database.url);
  }
  const plain = (row: Record<string, unknown>): Record<string, unknown> =>
    Object.fromEntries(Object.entries(row).toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([column, value]) => [column, value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value]));
  return Object.fromEntries(Object.entries(rows).map(([table, all]) => [table, all.map(plain)]));
}
