// A verification finds what is wrong beside the rows: entries of indexes in which one bit flipped, and a schema that is not this version's.

import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Mismatch } from "../../src/domain/audit/mismatch.ts";
import { executorOn } from "../../src/ledger/executor.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { copySqliteLedger, shortRuns } from "../support/engines.ts";
import { startMs, storyRules } from "../support/given.ts";
import { MixedWriter } from "../support/mixed-ledger.ts";
import { verified } from "../support/verified.ts";

const { idempotencyRetentionMs } = storyRules;
const folder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "wallet-verify-index-"));
const good = join(folder, "good.db");
const copy = join(folder, "copy.db");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeAll(async () => {
  let nowMs = startMs;
  const path = join(folder, "wallet.db");
  const executor = executorOn(await openSqliteStore(path, () => nowMs, { keySizes: shortRuns }), storyRules);
  const writer = new MixedWriter(executor, { seed: 9, users: 40, passMs: (ms) => (nowMs += ms) });
  await writer.open();
  for (let batch = 0; batch < 15; batch++) await writer.write(100);
  await executor.close();
  copySqliteLedger(path, good);
});

function query(sql: string): unknown {
  const db = new Database(good, { readonly: true });
  try {
    return db.prepare(sql).get();
  } finally {
    db.close();
  }
}

/** The pages of an index or a table with rowids, https://sqlite.org/fileformat2.html#b_tree_pages: from its root to the leaves. */
function pagesOf(file: Buffer, index: string): Buffer[] {
  const pageBytes = file.readUInt16BE(16);
  const below = (number: number): Buffer[] => {
    const page = file.subarray((number - 1) * pageBytes, number * pageBytes);
    if (page[0] !== 0x02 && page[0] !== 0x05) return [page];
    const cells = Array.from({ length: page.readUInt16BE(3) }, (_, cell) => page.readUInt32BE(page.readUInt16BE(12 + 2 * cell)));
    return [page, ...[...cells, page.readUInt32BE(8)].flatMap(below)];
  };
  const { rootpage } = query(`select rootpage from sqlite_schema where name = '${index}'`) as { rootpage: number };
  return below(rootpage);
}

/** Flips the lowest bit of a byte of the one entry that contains these bytes, and verifies. */
async function verifiedAfterFlip(index: string, entry: Buffer, byte: number): Promise<readonly Mismatch[]> {
  const file = readFileSync(good);
  const places = pagesOf(file, index).flatMap((page) => {
    const at = page.indexOf(entry);
    return at < 0 ? [] : [{ page, at }];
  });
  expect(places.length).toBe(1);
  places[0]!.page[places[0]!.at + byte]! ^= 1;
  writeFileSync(copy, file);
  return (await verified(copy, { idempotencyRetentionMs })).mismatches;
}

/** Integers as SQLite stores them, in as few bytes as they need of 1, 2 and 6. */
function stored(value: number): Buffer {
  const bytes = Buffer.alloc(value < 0x80 ? 1 : value < 0x8000 ? 2 : 6);
  bytes.writeUIntBE(value, 0, bytes.length);
  return bytes;
}

/** A key's place as a run has it. */
function ordinalBytes(ordinal: number): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeUIntBE(ordinal, 0, 6);
  return bytes;
}

describe("one flipped bit in an index", () => {
  test("loses a wallet", async () => {
    const mismatches = await verifiedAfterFlip("wallets_by_user", Buffer.from("user-17JPY"), 5);
    expect(mismatches).toEqual([{ subject: expect.stringMatching(/^wallet \d+ \(user user-17, JPY\), as found by user and currency$/), expected: "the row that is there", actual: "none" }]);
  });

  test("gives somebody another's wallet", async () => {
    const { id } = query("select wallet_id as id from wallets where user_id = 'user-17' and currency = 'JPY'") as { id: number };
    const [mismatch] = await verifiedAfterFlip("wallets_by_user", Buffer.concat([Buffer.from("user-17JPY"), stored(id)]), "user-17JPY".length + stored(id).length - 1);
    expect(mismatch).toEqual({ subject: `wallet ${id} (user user-17, JPY), as found by user and currency`, expected: "the row that is there", actual: `the row of ${id ^ 1}` });
  });

  test("undoes a remembered rejection", async () => {
    const { hash, ordinal } = query("select key_hash as hash, ordinal from idempotency_keys where sequence is null and ordinal < (select max(last_ordinal) from key_runs where state = 2) order by ordinal desc limit 1") as { hash: Buffer; ordinal: number };
    const mismatches = await verifiedAfterFlip("key_chunks", Buffer.concat([hash, ordinalBytes(ordinal)]), 15);
    expect(mismatches).toContainEqual({ subject: `idempotency key ${hash.toString("hex")} (ordinal ${ordinal}), as found by its hash`, expected: "the row that is there", actual: "none" });
    expect(mismatches).toContainEqual({ subject: expect.stringMatching(/^run \d+ of keys: hash over its entries and its row$/), expected: expect.any(String), actual: expect.any(String) });
  });

  test.each(["currency", "wallet"])("lets a hold stay for ever: by %s", async (by) => {
    const hold = query("select hold_id as id, eligible_time_ms as time from holds where status = 1 order by hold_id desc limit 1") as { id: number; time: number };
    const mismatches = await verifiedAfterFlip(`active_holds_by_${by}`, Buffer.concat([stored(hold.time), stored(hold.id)]), 0);
    expect(mismatches).toEqual([{ subject: `hold ${hold.id}, as found by ${by} and time`, expected: "the row that is there", actual: expect.stringMatching(/^none$|^the row of/) }]);
  });
});

describe("a schema that is not this version's", () => {
  test.each([
    ["an index that is not there", "drop index wallets_by_user", "schema: index wallets_by_user", "none"],
    ["another index that is not there", "drop index active_holds_by_wallet", "schema: index active_holds_by_wallet", "none"],
    ["an index that finds some", "drop index active_holds_by_wallet; create index active_holds_by_wallet on holds (partition, wallet_id) where status = 2", "schema: index active_holds_by_wallet", "status = 2"],
    ["an index more", "create index aunt on wallets (exponent)", "schema: index aunt", "on wallets"],
    ["a trigger", "create trigger aunt after insert on holds begin update wallets set available_minor = 5; end", "schema: trigger aunt", "set available_minor = 5"],
    ["a view", "create view aunt as select * from wallets", "schema: view aunt", "select"],
    ["a table", "create table aunt (name text)", "schema: table aunt", "name text"],
    ["a column", "alter table wallets add column aunt integer", "schema: table wallets", "create table"],
  ])("%s", async (_, change, subject, actual) => {
    copyFileSync(good, copy);
    const db = new Database(copy);
    db.exec(change);
    db.close();
    const { mismatches } = await verified(copy, { idempotencyRetentionMs });
    expect(mismatches).toEqual([{ subject, expected: expect.any(String), actual: expect.stringContaining(actual) }]);
  });

  test("statistics that somebody took anew are none of it, nor is a ledger that was made with other spaces and quotes", async () => {
    copyFileSync(good, copy);
    const db = new Database(copy);
    db.exec("analyze");
    db.unsafeMode(true);
    db.pragma("writable_schema = ON");
    db.exec(`update sqlite_schema set sql = replace(replace(sql, '"', ''), 'create unique index', 'CREATE  UNIQUE INDEX') where name = 'wallets_by_user'`);
    db.close();
    expect((await verified(copy, { idempotencyRetentionMs })).mismatches).toEqual([]);
  });
});
