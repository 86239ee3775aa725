// A verification finds every change that somebody makes to the ledger's file behind the service's back, and nothing in a ledger that is as it was written.

import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { executorOn, type Executor } from "../../src/ledger/executor.ts";
import type { VerificationResult } from "../../src/domain/audit/verification-report.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { randomNumbers } from "../e2e/random-numbers.ts";
import { copySqliteLedger, shortRuns } from "../support/engines.ts";
import { startMs, storyRules } from "../support/given.ts";
import { MixedWriter } from "../support/mixed-ledger.ts";
import { changes, tamper } from "../support/tampering.ts";
import { verified } from "../support/verified.ts";

const { idempotencyRetentionMs } = storyRules;

/** Of this run; TEST_SEED makes the changes of another run again. */
const seed = Number(process.env["TEST_SEED"] ?? Date.now() % 1_000_000_007);

/** Changes of every kind; a long run has thousands. */
const changesMade = Number(process.env["TEST_CHANGES"] ?? 100);

const folder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "wallet-verify-"));
const path = join(folder, "wallet.db");
const copy = join(folder, "copy.db");
/** The ledger as it is before other tests write to it. */
const first = join(folder, "first.db");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let nowMs = startMs;
const open = async (): Promise<Executor> => executorOn(await openSqliteStore(path, () => nowMs, { keySizes: shortRuns }), storyRules);
const passMs = (ms: number): void => void (nowMs += ms);

beforeAll(async () => {
  const executor = await open();
  const writer = new MixedWriter(executor, { seed: 1, users: 8, passMs });
  await writer.open();
  for (let batch = 0; batch < 20; batch++) await writer.write(100);
  await executor.close();
  copySqliteLedger(path, first);
});

/** A copy of the ledger with this done to it, verified. */
async function verifiedAfter(change: (db: Database.Database) => void): Promise<VerificationResult> {
  copyFileSync(first, copy);
  const db = new Database(copy);
  db.pragma("ignore_check_constraints = ON");
  change(db);
  db.close();
  return verified(copy, { idempotencyRetentionMs });
}

test("a ledger that is as it was written fits, and has operations of every kind", async () => {
  const result = await verified(path, { idempotencyRetentionMs });
  expect(result.mismatches).toEqual([]);
  const db = new Database(path, { readonly: true });
  expect(db.prepare("select distinct kind from journal order by kind").pluck().all()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
  expect(Number(result.checkedOperations)).toBe(db.prepare("select count(*) from journal").pluck().get());
  db.close();
});

test("a ledger fits whose keys were forgotten and used anew", async () => {
  const executor = await open();
  const writer = new MixedWriter(executor, { seed: 2, users: 5, passMs: (ms) => passMs(200 * ms) });
  const other = join(folder, "old-keys.db");
  for (let batch = 0; batch < 30; batch++) await writer.write(50);
  await executor.close();
  copyFileSync(path, other);
  const db = new Database(other, { readonly: true });
  expect(db.prepare("select min(ordinal) from idempotency_keys").pluck().get()).toBeGreaterThan(1);
  db.close();
  expect((await verified(other, { idempotencyRetentionMs })).mismatches).toEqual([]);
});

test("it fits while the ledger goes on being written", async () => {
  const executor = await open();
  const writer = new MixedWriter(executor, { seed: 3, users: 8, passMs });
  await writer.open().catch(() => undefined);
  let written = 0;
  const result = await verified(path, {
    idempotencyRetentionMs,
    async afterStep() {
      if (written++ < 40) await writer.write(60);
    },
  });
  expect(written).toBeGreaterThan(5);
  expect(result.mismatches).toEqual([]);
  await executor.close();
});

describe(`${changesMade} changes with seed ${seed}`, () => {
  const kinds = Object.keys(changes);
  test("each is found", { timeout: 600_000 + changesMade * 3_000 }, async () => {
    const pick = randomNumbers(seed);
    const missed: string[] = [];
    for (let index = 0; index < changesMade; index++) {
      copyFileSync(first, copy);
      const said = tamper(copy, kinds[index % kinds.length]!, pick);
      const { mismatches } = await verified(copy, { idempotencyRetentionMs });
      if (mismatches.length === 0) missed.push(`${kinds[index % kinds.length]}: ${said}`);
    }
    expect(missed).toEqual([]);
  });
});

describe("the report names the place", () => {
  test("a balance", async () => {
    const { mismatches, mismatchCount } = await verifiedAfter((db) => void db.exec("update wallets set available_minor = 1234567 where user_id = 'user-0' and currency = 'USD'"));
    expect(mismatchCount).toBe(1);
    expect(mismatches[0]).toMatchObject({ subject: expect.stringMatching(/^wallet \d+ \(user user-0, USD\): available$/), actual: "12345.67" });
  });

  test("one record, and where the rest of the journal disagrees with it, but not all that follows", async () => {
    const { mismatches } = await verifiedAfter((db) => void db.exec("update journal set available_after_minor = available_after_minor + 1 where sequence = 500"));
    expect(mismatches[0]!.subject).toMatch(/^operation 500 \([A-Z_]+\): hash over its content and the hash of operation 499$/);
    expect(mismatches[1]!.subject).toMatch(/^operation 500 \([A-Z_]+\): wallet \d+ \(user user-\d+, [A-Z]{3}\): available after$/);
    expect(mismatches.length).toBeLessThanOrEqual(4);
  });

  test("a lost record", async () => {
    const { mismatches } = await verifiedAfter((db) => void db.exec("delete from journal where sequence between 300 and 302"));
    expect(mismatches[0]).toEqual({ subject: "operations 300 to 302", expected: "3 records", actual: "none" });
  });

  test("a journal that is gone: at most 1,000 mismatches are kept, all are counted", async () => {
    const { mismatches, mismatchCount } = await verifiedAfter((db) => void db.exec("update idempotency_keys set fingerprint = x'00'"));
    expect(mismatches.length).toBe(1000);
    expect(mismatchCount).toBeGreaterThan(1000);
    expect((await verifiedAfter((db) => void db.exec("delete from journal"))).mismatches[0]!.subject).toBe("head of partition 0: sequence");
  });
});

describe("what cannot be decoded is a mismatch, not an exception", () => {
  test.each([
    ["a kind without a meaning", "update journal set kind = 99 where sequence = 200", "operation 200"],
    ["metadata that is no JSON", `update journal set metadata = '{"a":' where sequence = 200`, "operation 200"],
    ["metadata that is no object", "update journal set metadata = 'null' where sequence = 200", "operation 200"],
    ["metadata with a number", `update journal set metadata = '{"a":1}' where sequence = 200`, "operation 200"],
    ["a time beyond every calendar", "update journal set time_ms = 9223372036854775807 where sequence = 200", "operation 200"],
    ["more decimals than memory", "update journal set opened_exponent = 9007199254740991 where sequence = 1", "operation 1"],
    ["a state without a meaning", "update journal set state_after = 0 where sequence = 200", "operation 200"],
    ["half a receiver", "update journal set receiver_wallet_id = null where sequence = (select min(sequence) from journal where receiver_wallet_id is not null)", "operation"],
    ...["amount_minor", "available_after_minor", "held_after_minor", "state_after", "version_after", "previous_sequence"].map(
      (column): [string, string, string] => [`a receiver without ${column}`, `update journal set receiver_${column} = null where sequence = (select min(sequence) from journal where receiver_wallet_id is not null)`, "operation"],
    ),
    ["an opening without a currency", "update journal set opened_currency = null where sequence = 1", "operation 1"],
    ["an opening of no currency", "update journal set opened_currency = '' where sequence = 1", "operation 1"],
    ["an opening without decimals", "update journal set opened_exponent = null where sequence = 1", "operation 1"],
    ["an opening without a user", "update journal set opened_user_id = null where sequence = 1", "operation 1"],
    ["a hold without its captured money", "update journal set hold_captured_after_minor = null where sequence = (select min(sequence) from journal where hold_id is not null)", "operation"],
    ["a hold without its time", "update journal set hold_eligible_time_ms = null where sequence = (select min(sequence) from journal where hold_id is not null)", "operation"],
    ["half a hold", "update journal set hold_status_after = null where sequence = (select min(sequence) from journal where hold_id is not null)", "operation"],
    ["a balance without a wallet", "update journal set receiver_available_after_minor = 5 where sequence = 1", "operation 1"],
    ["a negative place", "update journal set sequence = -5 where sequence = 200", "operation -5"],
    ["a hash of no length", "update journal set hash = x'' where sequence = 200", "operation 200"],
    ["a key's hash of three bytes", "update journal set key_hash = x'010203' where sequence = 200", "operation 200"],
    ["a wallet's state without a meaning", "update wallets set state = 77 where user_id = 'user-1' and currency = 'USD'", "wallet"],
    ["decimals without end", "update wallets set exponent = 9223372036854775807 where user_id = 'user-1' and currency = 'USD'", "wallet"],
    ["counters that break off", "update wallets set totals = x'0180' where user_id = 'user-1' and currency = 'USD'", "wallet"],
    ["counters of an unknown kind", "update currency_totals set totals = x'ff0101' where currency = 'USD'", "counters of USD"],
    ["counters of a megabyte", "update currency_totals set totals = zeroblob(1000000) where currency = 'USD'", "counters of USD"],
    ["a hold's status without a meaning", "update holds set status = -1 where hold_id = (select min(hold_id) from holds)", "hold"],
    ["a rejection that is no JSON", "update idempotency_keys set rejection = '{' where ordinal = (select min(ordinal) from idempotency_keys where rejection is not null)", "idempotency key"],
    ["a rejection of null", "update idempotency_keys set rejection = 'null' where ordinal = (select min(ordinal) from idempotency_keys where rejection is not null)", "idempotency key"],
    ["a rejection that is an operation too", "update idempotency_keys set rejection = '{}' where ordinal = (select min(ordinal) from idempotency_keys where sequence is not null)", "idempotency key"],
    ["a head of nothing", "update ledger_head set hash = x'', time_ms = -9223372036854775808, sequence = -1", "head of partition 0"],
    ["no head", "delete from ledger_head", "head of partition 0"],
    ["no row of the ledger's own", "delete from ledger", "the ledger's own row"],
    ["rows of another partition", "update wallets set partition = 9 where user_id = 'user-1' and currency = 'USD'", "table wallets"],
    ["rows of a negative partition", "update holds set partition = -1 where hold_id = (select min(hold_id) from holds)", "table holds"],
  ])("%s", async (_, change, subject) => {
    const { mismatches } = await verifiedAfter((db) => void db.exec(change));
    expect(mismatches.map((each) => each.subject)).toEqual(expect.arrayContaining([expect.stringMatching(new RegExp(`^${subject}`))]));
  });
});
