// A ledger of an earlier version opens under this one: migrated all or nothing, its hashes as they were, its holds linked, and everything works on.

import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Answer } from "../../src/domain/answer.ts";
import { executorOn } from "../../src/ledger/executor.ts";
import { migrate } from "../../src/store/sqlite/migrate.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { toCommand, type Asked } from "../support/asked.ts";
import { checkBooks } from "../support/books.ts";
import { untouched } from "../support/opened-store.ts";
import { verified } from "../support/verified.ts";
import { add, hold, hourMs, init, limit, minuteMs, release, startMs, storyRules, transfer, withdraw } from "../support/given.ts";

const dump = readFileSync(new URL("./ledger-0001.sql", import.meta.url), "utf8");

let folder: string;
let path: string;
/** When the old ledger was last changed. */
const oldEndMs = startMs + 6 * minuteMs;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "wallet-migration-"));
  path = join(folder, "wallet.db");
  const db = new Database(path);
  db.pragma("journal_mode = WAL");
  db.exec(dump);
  db.close();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const oldTables = ["ledger", "ledger_head", "wallets", "holds", "journal", "idempotency_keys", "currency_totals"];

function looking<T>(at: string, look: (db: Database.Database) => T): T {
  const db = new Database(at, { readonly: true });
  db.defaultSafeIntegers(true);
  try {
    return look(db);
  } finally {
    db.close();
  }
}

const columnsOf = (table: string): string[] => looking(path, (db) => (db.pragma(`table_info(${table})`) as { name: string }[]).map(({ name }) => name));
const migrationsOf = (at: string): string[] => looking(at, (db) => db.prepare<[], { name: string }>("select name from kysely_migration order by name").all()).map(({ name }) => name);
const schemaOf = (at: string): unknown => looking(at, (db) => db.prepare("select type, name, sql from sqlite_schema order by name").all());
/** Every row of the tables in these columns. */
const rowsIn = (at: string, columns: Readonly<Record<string, readonly string[]>>): unknown =>
  looking(at, (db) => Object.entries(columns).map(([table, names]) => db.prepare(`select ${names.map((name) => `"${name}"`).join(", ")} from ${table}`).all()));

/** What one batch is answered by this version, a given time after the old ledger's end. */
async function ask(afterMs: number, ...batch: Asked[]): Promise<readonly Answer[]> {
  const store = await openSqliteStore(path, () => oldEndMs + afterMs);
  try {
    return await executorOn(store, storyRules).execute(batch.map(toCommand));
  } finally {
    await store.close();
  }
}
const open = async (): Promise<unknown> => ask(0);

describe("a ledger of the first migration", () => {
  test("keeps every row and every hash that it had", async () => {
    const columns = Object.fromEntries(oldTables.map((table) => [table, columnsOf(table)]));
    expect(columns["journal"]).not.toContain("receiver_wallet_id");
    const before = rowsIn(path, columns);
    await open();
    expect(rowsIn(path, columns)).toEqual(before);
    expect(checkBooks(path, { idempotencyRetentionMs: hourMs })).toEqual({ operations: 18, problems: [] });
  });

  test("has the tables of a new one", async () => {
    await open();
    const fresh = join(folder, "fresh.db");
    await (await openSqliteStore(fresh, Date.now)).close();
    expect(schemaOf(path)).toEqual(schemaOf(fresh));
    expect(migrationsOf(path)).toEqual(migrationsOf(fresh));
  });

  test("has each wallet's holds linked, whatever became of them", async () => {
    await open();
    const links = looking(path, (db) => [
      db.prepare("select hold_id, previous_hold_id from holds order by hold_id").raw().all(),
      db.prepare("select wallet_id, last_hold_id from wallets order by wallet_id").raw().all(),
    ]);
    expect(links).toEqual([
      [[8n, 0n], [9n, 0n], [10n, 8n], [11n, 0n], [12n, 10n], [13n, 9n], [18n, 12n]],
      [[1n, 18n], [2n, 11n], [3n, 13n], [4n, 0n]],
    ]);
  });

  test("is migrated once", async () => {
    await open();
    const [schema, rows] = [schemaOf(path), rowsIn(path, { kysely_migration: ["name", "timestamp"], holds: ["hold_id", "previous_hold_id"] })];
    await open();
    expect([schemaOf(path), rowsIn(path, { kysely_migration: ["name", "timestamp"], holds: ["hold_id", "previous_hold_id"] })]).toEqual([schema, rows]);
  });

  test("answers its keys as it did, granted or refused", async () => {
    const answers = await ask(
      minuteMs,
      init("USD", { key: "open" }),
      init("USD", { user: "bob", balanceMax: "1000", key: "open" }),
      add("100.00", { key: "salary", reference: "May", metadata: { from: "work", für: "Überstunden" } }),
      hold("30", { key: "rent" }),
      hold("20", { periodMs: 0, key: "taxi" }),
      hold("1000", { key: "car" }),
      { type: "reverse", user: "alice", holdId: 8n, key: "no rent" },
      { type: "reverse", user: "bob", holdId: 8n, key: "not mine" },
      add("1", { related: 5n, key: "refund" }),
      { type: "reverse", user: "alice", holdId: 8n, key: "no rent at all" },
      add("1", { key: "salary" }),
    );
    const again = (operationId: bigint, rest: object = {}): object => ({ type: "applied", replayed: true, receiver: undefined, record: { operationId, receiver: undefined, ...rest } });
    const no = (rejection: object, replayed = true): object => ({ type: "rejected", replayed, rejection });
    expect(answers).toMatchObject([
      again(1n),
      again(3n),
      again(5n, { reference: "May", metadata: { from: "work", für: "Überstunden" }, after: { availableMinor: 10_000n } }),
      again(8n, { hold: { holdId: 8n, status: "ACTIVE" }, after: { availableMinor: 7_000n, heldMinor: 3_000n } }),
      again(10n, { hold: { holdId: 10n, status: "ACTIVE" } }),
      no({ reason: "INSUFFICIENT_FUNDS", requested: { minor: 100_000n } }),
      again(14n, { hold: { holdId: 8n, status: "REVERSED" } }),
      no({ reason: "HOLD_NOT_FOUND", holdId: 8n }),
      again(17n, { relatedOperationId: 5n }),
      no({ reason: "HOLD_NOT_ACTIVE", status: "REVERSED" }),
      no({ reason: "IDEMPOTENCY_KEY_REUSED" }, false),
    ]);
    expect(checkBooks(path, { idempotencyRetentionMs: hourMs })).toEqual({ operations: 18, problems: [] });
  });

  test("works on with everything that is new", async () => {
    const granted = await ask(
      minuteMs,
      { type: "capture", user: "alice", holdId: 12n, amount: "3", to: "bob", key: "part" }, // 19
      { type: "capture", user: "alice", holdId: 12n, amount: "1", final: true }, // 20
      { type: "extend", user: "bob", holdId: 9n, periodMs: hourMs }, // 21
      transfer("10", "bob", { key: "gift" }), // 22
      withdraw("5", { user: "bob" }), // 23
      limit("50", { user: "alice", currency: "EUR" }), // 24
      hold("4"), // 25
      hold("1", { user: "carol", currency: "POINTS" }),
      { type: "close", user: "carol", currency: "POINTS" }, // 26
      { type: "freeze", user: "alice", currency: "EUR" }, // 27
    );
    expect(granted.map((answer) => (answer.type === "applied" ? answer.record.operationId : answer.type))).toEqual([19n, 20n, 21n, 22n, 23n, 24n, 25n, "rejected", 26n, 27n]);
    expect(await ask(30 * minuteMs, release())).toMatchObject([{ type: "released", count: 3 }]); // 11, 18 and 25; 9 was extended
    expect(await ask(30 * minuteMs, transfer("10", "bob", { key: "gift" }))).toMatchObject([{ replayed: true, record: { operationId: 22n } }]);
    expect(checkBooks(path, { idempotencyRetentionMs: hourMs })).toEqual({ operations: 30, problems: [] });
    expect(looking(path, (db) => db.prepare("select previous_hold_id from holds where hold_id = 25").pluck().get())).toBe(18n);
  });
});

describe("a ledger of the first migration with many keys", () => {
  /** Enough for a run of 32,768, two of 4,096 and a tail. */
  const many = 41_500;
  const hashOf = (number: number): Buffer => createHash("md5").update(`${number}`).digest();

  beforeEach(() => {
    const db = new Database(path);
    const insert = db.prepare(`insert into idempotency_keys (partition, ordinal, key_hash, fingerprint, time_ms, sequence, rejection)
      select 0, key_ordinal + ?, ?, zeroblob(16), time_ms, null, '{"reason":"WALLET_NOT_FOUND"}' from ledger_head`);
    db.transaction(() => {
      for (let number = 1; number <= many; number++) insert.run(number, hashOf(number));
    })();
    db.exec(`update ledger_head set key_ordinal = key_ordinal + ${many}`);
    db.close();
  });

  test("has them in runs as if they had been merged, and finds every one", async () => {
    const answers = await ask(minuteMs, init("USD", { key: "open" }), add("1", { key: "salary" }));
    expect(answers).toMatchObject([{ type: "applied", replayed: true }, { rejection: { reason: "IDEMPOTENCY_KEY_REUSED" } }]);
    expect(looking(path, (db) => db.prepare("select state, level, entries from key_runs order by run").raw().all())).toEqual([[2n, 1n, 32_768n], [2n, 0n, 4_096n], [2n, 0n, 4_096n]]);
    expect(checkBooks(path, { idempotencyRetentionMs: hourMs })).toEqual({ operations: 18, problems: [] });
    expect((await verified(path, { idempotencyRetentionMs: hourMs })).mismatches).toEqual([]);
    const store = await openSqliteStore(path, () => oldEndMs);
    const keyHashes = Array.from({ length: many }, (_, index) => hashOf(index + 1).toString("hex"));
    const keys = await store.transact([{ ...untouched, keyHashes }], ({ partitions: [loaded] }) => ({ changes: [], result: loaded!.keys }));
    expect(keys.map(({ keyHash }) => keyHash)).toEqual(keyHashes);
    await store.close();
  });

  test("goes on with them", async () => {
    await ask(minuteMs, ...Array.from({ length: 5_000 }, (_, number) => add("0.01", { key: `new ${number}` })));
    expect(await ask(2 * minuteMs, add("0.01", { key: "new 0" }), add("0.01", { key: "new 4999" }), init("USD", { key: "open" }))).toMatchObject([{ replayed: true }, { replayed: true }, { replayed: true }]);
    expect(checkBooks(path, { idempotencyRetentionMs: hourMs })).toEqual({ operations: 5_018, problems: [] });
    expect((await verified(path, { idempotencyRetentionMs: hourMs })).mismatches).toEqual([]);
  });
});

describe("a migration is all or nothing", () => {
  /** Migrates and calls `before` ahead of each statement. */
  async function migrateWatched(before: (sql: string, number: number) => void): Promise<void> {
    const db = new Database(path);
    const prepare = db.prepare.bind(db);
    let number = 0;
    db.prepare = (sql: string) => {
      before(sql, ++number);
      return prepare(sql);
    };
    try {
      await migrate(db, oldEndMs);
    } finally {
      db.close();
    }
  }

  async function statements(): Promise<string[]> {
    const all: string[] = [];
    await migrateWatched((sql) => void all.push(sql));
    return all;
  }

  /** Of the old version to the last byte of its schema, or of this one; and this version goes on from there. */
  async function expectWhole(at: string, old: unknown): Promise<"old" | "new"> {
    const names = migrationsOf(at);
    if (names.length === 1) expect(schemaOf(at)).toEqual(old);
    await (await openSqliteStore(at, () => oldEndMs)).close();
    expect(migrationsOf(at)).toContain("0002-two-wallets");
    expect(checkBooks(at, { idempotencyRetentionMs: hourMs })).toEqual({ operations: 18, problems: [] });
    return names.length === 1 ? "old" : "new";
  }

  test("where any one of its statements fails", async () => {
    const original = join(folder, "original.db");
    copyFileSync(path, original);
    const [old, all] = [schemaOf(path), await statements()];
    expect(all.filter((sql) => /^alter table|^\s*update (holds|wallets)/i.test(sql)).length).toBeGreaterThanOrEqual(12);
    const seen: string[] = [];
    for (const [index, statement] of all.entries()) {
      for (const suffix of ["", "-wal", "-shm", ".lock"]) rmSync(path + suffix, { force: true });
      copyFileSync(original, path);
      const failing = migrateWatched((_, number) => {
        if (number === index + 1) throw new Error("the disk is full");
      });
      await expect(failing, statement).rejects.toThrow("the disk is full");
      seen.push(await expectWhole(path, old));
    }
    expect(seen.join(" ")).toMatch(/^(old )+(new ?)+$/);
  });

  test("where the process dies at any one of its statements", async () => {
    const old = schemaOf(path);
    const images: string[] = [];
    await migrateWatched((_, number) => {
      const image = join(folder, `dead${number}`);
      mkdirSync(image);
      for (const suffix of ["", "-wal"]) if (existsSync(path + suffix)) copyFileSync(path + suffix, join(image, `wallet.db${suffix}`));
      images.push(join(image, "wallet.db"));
    });
    const seen: string[] = [];
    for (const image of images) seen.push(await expectWhole(image, old));
    expect(seen.join(" ")).toMatch(/^(old )+(new ?)+$/);
  });
});
