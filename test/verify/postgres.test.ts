// A verification finds every change that somebody makes to a PostgreSQL ledger behind the service's back, and nothing in a ledger that is as it was written.

import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { DatabaseError, type Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { VerificationResult } from "../../src/domain/audit/verification-report.ts";
import { executorOn } from "../../src/ledger/executor.ts";
import { verifyLedger } from "../../src/store/audit/verification.ts";
import { openPostgresStore } from "../../src/store/postgres/open-postgres.ts";
import { openPostgresAudit } from "../../src/store/postgres/postgres-audit.ts";
import { openSqliteScratch } from "../../src/store/sqlite/sqlite-scratch.ts";
import { randomNumbers } from "../e2e/random-numbers.ts";
import { startMs, storyRules } from "../support/given.ts";
import { MixedWriter } from "../support/mixed-ledger.ts";
import { asOwner, copiedToSqlite, makeDatabase, postgresTables, replaceRows, rowsOf } from "../support/postgres-place.ts";
import { changes, tamper } from "../support/tampering.ts";

const { idempotencyRetentionMs } = storyRules;

/** Of this run; TEST_SEED makes the changes of another run again. */
const seed = Number(process.env["TEST_SEED"] ?? Date.now() % 1_000_000_007);

/** Changes of every kind; a long run has thousands. */
const changesMade = Number(process.env["TEST_CHANGES"] ?? 26);

let database: Awaited<ReturnType<typeof makeDatabase>>;
let nowMs = startMs;

beforeAll(async () => {
  database = await makeDatabase("migrated");
  const { store } = await openPostgresStore(database.url, () => nowMs, { partitions: 1 });
  const executor = executorOn(store, storyRules);
  const writer = new MixedWriter(executor, { seed: 1, users: 8, passMs: (ms) => (nowMs += ms) });
  await writer.open();
  for (let batch = 0; batch < 8; batch++) await writer.write(100);
  await executor.close();
});
afterAll(() => database.remove());

async function verified(afterStep = async (): Promise<void> => {}): Promise<VerificationResult> {
  const audit = await openPostgresAudit(database.url);
  const scratch = openSqliteScratch();
  try {
    return await verifyLedger(audit, scratch, { idempotencyRetentionMs, afterStep });
  } finally {
    scratch.close();
    await audit.close();
  }
}

const sentences = ({ mismatches }: VerificationResult): string[] => mismatches.map(({ subject, expected, actual }) => `${subject}: expected ${expected}, actual ${actual}`);

test("a ledger that is as it was written fits, and has operations of every kind", async () => {
  const result = await verified();
  expect(sentences(result)).toEqual([]);
  await asOwner(async (client) => {
    const { rows } = await client.query<{ kinds: string; count: string }>("select string_agg(distinct kind::text, ',') as kinds, count(*) as count from journal");
    expect(rows[0]!.kinds.split(",").map(Number).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
    expect(Number(result.checkedOperations)).toBe(Number(rows[0]!.count));
  }, database.url);
});

test("it fits while the ledger goes on being written, by another server", async () => {
  const { store } = await openPostgresStore(database.url, () => nowMs, { partitions: 1 });
  const executor = executorOn(store, storyRules);
  const writer = new MixedWriter(executor, { seed: 3, users: 8, passMs: (ms) => (nowMs += ms) });
  let written = 0;
  const result = await verified(async () => {
    if (written++ < 20) await writer.write(30);
  });
  expect(written).toBeGreaterThan(5);
  expect(sentences(result)).toEqual([]);
  await executor.close();
});

describe(`changes with seed ${seed}`, () => {
  const kinds = Object.keys(changes).filter((kind) => kind !== "runs of keys");

  test("each is found that the tables do not refuse", async () => {
    const pick = randomNumbers(seed);
    const folder = mkdtempSync(join(tmpdir(), "wallet-changes-"));
    const before = await rowsOf(database.url);
    const first = join(folder, "first.db");
    (await copiedToSqlite(database.url, first)).close();
    const missed: string[] = [];
    let made = 0;
    await asOwner(async (client) => {
      for (let index = 0; index < changesMade; index++) {
        const kind = kinds[index % kinds.length]!;
        const path = join(folder, `${index}.db`);
        copyFileSync(first, path);
        const said = tamper(path, kind, pick);
        const changed = await replaceChanged(client, path, before);
        if (changed === undefined) continue;
        made += 1;
        if ((await verified()).mismatches.length === 0) missed.push(`${kind}: ${said}`);
        await replaceRows(client, changed, before[changed]!);
      }
    }, database.url);
    rmSync(folder, { recursive: true });
    expect(missed).toEqual([]);
    expect(made).toBeGreaterThan(changesMade / 2);
    expect(sentences(await verified())).toEqual([]);
  });
});

/** Changes the one table that differs in the file; answers its name, or undefined where it refuses the change. */
async function replaceChanged(client: Client, path: string, before: Readonly<Record<string, readonly Record<string, unknown>[]>>): Promise<string | undefined> {
  const db = new Database(path, { readonly: true });
  db.defaultSafeIntegers(true);
  const text = (rows: readonly unknown[]): string => JSON.stringify(rows, (_, value: unknown) => (typeof value === "bigint" ? `${value}` : value));
  const tables = postgresTables.map((table) => ({ table, rows: db.prepare<[], Record<string, unknown>>(`select * from ${table}`).all() }));
  db.close();
  for (const { table, rows } of tables) {
    if (text(rows) === text(before[table]!)) continue;
    try {
      await replaceRows(client, table, rows);
      return table;
    } catch (error) {
      if (error instanceof DatabaseError) return undefined;
      throw error;
    }
  }
  return undefined;
}

test.each<[string, string, string, RegExp]>([
  ["an index that is gone", "drop index active_holds_by_wallet", "create index active_holds_by_wallet on holds (partition, wallet_id, eligible_time_ms, hold_id) where status = 1", /schema: index active_holds_by_wallet: expected on holds: .*, actual none/],
  ["a unique index that is none any more", "drop index wallets_by_user; create index wallets_by_user on wallets (partition, user_id, currency)", "drop index wallets_by_user; create unique index wallets_by_user on wallets (partition, user_id, currency)", /schema: index wallets_by_user/],
  ["a trigger", "create function gift() returns trigger language plpgsql as 'begin return new; end'; create trigger gift before update on wallets for each row execute function gift()", "drop function gift cascade", /schema: trigger gift: expected none/],
  ["a rule", "create rule nothing as on delete to journal do instead nothing", "drop rule nothing on journal", /schema: rule nothing: expected none/],
  ["a table", "create table bribes (id int)", "drop table bribes", /schema: table bribes: expected none/],
  ["a check that is gone", "alter table wallets drop constraint wallets_held_minor_check", "alter table wallets add constraint wallets_held_minor_check check (held_minor >= 0)", /schema: constraint wallets_held_minor_check: .*actual none/],
  ["a column that may be null", "alter table holds alter status drop not null", "alter table holds alter status set not null", /schema: table holds/],
  ["rows of another partition", "insert into history_marks values (1, 1, 1)", "delete from history_marks where partition = 1", /table history_marks: expected rows of partition 0 only/],
])("%s is found", async (_, change, undo, sentence) => {
  await asOwner((client) => client.query(change), database.url);
  const result = await verified();
  await asOwner((client) => client.query(undo), database.url);
  expect(sentences(result)).toEqual([expect.stringMatching(sentence)]);
  expect(sentences(await verified())).toEqual([]);
});

test("what an extension has brought is nobody's change", async () => {
  await asOwner((client) => client.query("create extension pg_buffercache"), database.url);
  try {
    expect(sentences(await verified())).toEqual([]);
  } finally {
    await asOwner((client) => client.query("drop extension pg_buffercache"), database.url);
  }
});
