// What is said of wallets behind their rows is verified as the rows are: whatever somebody does to it, the ledger does not fit any more.

import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Mismatch } from "../../src/domain/audit/mismatch.ts";
import { executorOn } from "../../src/ledger/executor.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { randomNumbers } from "../e2e/random-numbers.ts";
import { fixedBytes } from "../support/books-newer.ts";
import { checkBooks } from "../support/books.ts";
import { copySqliteLedger, shortRuns } from "../support/engines.ts";
import { startMs, storyRules } from "../support/given.ts";
import { MixedWriter } from "../support/mixed-ledger.ts";
import { verified } from "../support/verified.ts";

const { idempotencyRetentionMs } = storyRules;
const folder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "wallet-verify-newer-"));
const good = join(folder, "good.db");
const copy = join(folder, "copy.db");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeAll(async () => {
  let nowMs = startMs;
  const path = join(folder, "wallet.db");
  const executor = executorOn(await openSqliteStore(path, () => nowMs, { keySizes: shortRuns }), storyRules);
  const writer = new MixedWriter(executor, { seed: 11, users: 6, passMs: (ms) => (nowMs += ms) });
  await writer.open();
  for (let batch = 0; batch < 8; batch++) await writer.write(40);
  copySqliteLedger(path, good);
  await executor.close();
});

interface LateRow {
  readonly sequence: number;
  readonly states: Buffer;
}

/** The ledger with this done to it, verified, and checked by the tests' own books. */
async function mismatchesAfter(change: (db: Database.Database, rows: readonly LateRow[]) => void): Promise<readonly Mismatch[]> {
  copyFileSync(good, copy);
  const db = new Database(copy);
  change(db, db.prepare<[], LateRow>("select sequence, states from newer_wallets order by sequence").all());
  db.close();
  const { mismatches } = await verified(copy, { idempotencyRetentionMs });
  expect(checkBooks(copy).problems.length > 0).toBe(mismatches.length > 0);
  return mismatches;
}

const put = (db: Database.Database, { sequence, states }: LateRow): void => void db.prepare("update newer_wallets set states = ? where sequence = ?").run(states, sequence);

test("it fits as it was written, though no row of a wallet has learnt of anything", async () => {
  expect(await mismatchesAfter((db, rows) => {
    expect(rows.length).toBeGreaterThan(8);
    expect(db.prepare("select max(version) from wallets").pluck().get()).toBe(1);
  })).toEqual([]);
});

/** Where the newest state of each wallet is: in which row, from where on and up to where. */
function newestStates(rows: readonly LateRow[]): { row: LateRow; from: number; to: number }[] {
  const newest = new Map<bigint, { row: LateRow; from: number; to: number }>();
  for (const row of rows) {
    for (let from = 0; from < row.states.length; ) {
      const to = from + fixedBytes + row.states.readUInt16LE(from);
      newest.set(row.states.readBigInt64LE(from + 3), { row, from, to });
      from = to;
    }
  }
  return [...newest.values()];
}

test("a bit of any byte of a wallet's newest state", async () => {
  const pick = randomNumbers(12);
  const missed: string[] = [];
  for (let place = 0; place < fixedBytes + 8; place++) {
    let said = "";
    const mismatches = await mismatchesAfter((db, rows) => {
      const all = newestStates(rows).filter(({ from, to }) => to - from > place);
      const { row, from } = all[pick(all.length)]!;
      const bit = pick(8);
      said = `bit ${bit} of byte ${place} at ${row.sequence}`;
      const states = Buffer.from(row.states);
      states[from + place]! ^= 1 << bit;
      put(db, { ...row, states });
    });
    if (mismatches.length === 0) missed.push(said);
  }
  expect(missed).toEqual([]);
}, 600_000);

test.each<[string, (db: Database.Database, rows: readonly LateRow[]) => void, RegExp]>([
  ["a row is gone", (db, rows) => void db.prepare("delete from newer_wallets where sequence = ?").run(rows.at(-1)!.sequence), /^wallet \d+ /],
  ["a row is of no operation", (db, rows) => void db.prepare("update newer_wallets set sequence = 1000000 where sequence = ?").run(rows.at(-1)!.sequence), /^newer states of wallets at 1000000$/],
  ["a row came too early", (db, rows) => void db.prepare("update newer_wallets set sequence = ? where sequence = ?").run(rows.at(-2)!.sequence + 1, rows.at(-1)!.sequence), /: last operation of wallet \d+$/],
  ["a row breaks off", (db, rows) => put(db, { ...rows.at(-1)!, states: rows.at(-1)!.states.subarray(0, -1) }), /^newer states of wallets at \d+$/],
  ["a row breaks off in a number", (db, rows) => put(db, { ...rows.at(-1)!, states: rows.at(-1)!.states.subarray(0, fixedBytes - 2) }), /^newer states of wallets at \d+$/],
  ["a row is empty", (db, rows) => put(db, { ...rows[0]!, states: Buffer.alloc(0) }), /^newer states of wallets at \d+$/],
  ["a row is of another wallet than there is", (db, rows) => {
    const states = Buffer.from(rows[0]!.states);
    states.writeBigInt64LE(999_999n, 3);
    put(db, { ...rows[0]!, states });
  }, /wallet 999999$/],
  ["a row is of another partition", (db, rows) => void db.prepare("update newer_wallets set partition = 5 where sequence = ?").run(rows[0]!.sequence), /^table newer_wallets$/],
])("%s", async (_, change, subject) => {
  const mismatches = await mismatchesAfter(change);
  expect(mismatches.map((each) => each.subject).filter((each) => subject.test(each))).not.toEqual([]);
});
