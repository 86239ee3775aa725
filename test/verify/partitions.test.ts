// A verification of a ledger with several partitions: each is replayed by itself, and an operation between two is found with both its records or told.

import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { recordHash } from "../../src/domain/canonical.ts";
import { executorOn, type Executor } from "../../src/ledger/executor.ts";
import { recordFromRow } from "../../src/store/rows.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { randomNumbers } from "../e2e/random-numbers.ts";
import { toCommand, type Asked } from "../support/asked.ts";
import { checkBooks } from "../support/books.ts";
import { copySqliteLedger, shortRuns } from "../support/engines.ts";
import { add, init, startMs, storyRules, transfer } from "../support/given.ts";
import { MixedWriter } from "../support/mixed-ledger.ts";
import { changes, tamper } from "../support/tampering.ts";
import { verified } from "../support/verified.ts";

const { idempotencyRetentionMs } = storyRules;

/** Of this run; TEST_SEED makes the changes of another run again. */
const seed = Number(process.env["TEST_SEED"] ?? Date.now() % 1_000_000_007);

/** Changes of every kind; a long run has thousands. */
const changesMade = Number(process.env["TEST_CHANGES"] ?? 50);

const folder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "wallet-verify-"));
const inFolder = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let nowMs = startMs;
const open = async (path: string): Promise<Executor> => executorOn(await openSqliteStore(path, () => nowMs, { partitions: 8, keySizes: shortRuns }), storyRules);
const problemsIn = async (path: string): Promise<{ subject: string; expected: string; actual: string }[]> => [...(await verified(path, { idempotencyRetentionMs })).mismatches];

describe("a ledger with a past", () => {
  const path = inFolder("mixed.db");
  const copy = inFolder("copy.db");
  const first = inFolder("first.db");
  beforeAll(async () => {
    const executor = await open(path);
    const writer = new MixedWriter(executor, { seed: 1, users: 8, passMs: (ms) => void (nowMs += ms) });
    await writer.open();
    for (let batch = 0; batch < 20; batch++) await writer.write(100);
    await executor.close();
    copySqliteLedger(path, first);
  });

  test("fits as it was written, and has operations between partitions", async () => {
    expect(await problemsIn(first)).toEqual([]);
    expect(checkBooks(first, { idempotencyRetentionMs }).problems).toEqual([]);
    const db = new Database(first, { readonly: true });
    expect(db.prepare("select count(*) from journal where side = 2").pluck().get()).toBeGreaterThan(100);
    expect(db.prepare("select count(distinct partition) from journal").pluck().get()).toBe(5);
    db.close();
  });

  test("fits while it goes on being written", async () => {
    const executor = await open(path);
    const writer = new MixedWriter(executor, { seed: 3, users: 8, passMs: (ms) => void (nowMs += ms) });
    let written = 0;
    const { mismatches } = await verified(path, {
      idempotencyRetentionMs,
      async afterStep() {
        if (written++ < 40) await writer.write(60);
      },
    });
    await executor.close();
    expect(written).toBeGreaterThan(5);
    expect(mismatches).toEqual([]);
  });

  test(`does not fit after any of ${changesMade} changes with seed ${seed}`, { timeout: 600_000 + changesMade * 3_000 }, async () => {
    const kinds = Object.keys(changes);
    const pick = randomNumbers(seed);
    const missed: string[] = [];
    for (let index = 0; index < changesMade; index++) {
      copyFileSync(first, copy);
      const said = tamper(copy, kinds[index % kinds.length]!, pick);
      if ((await problemsIn(copy)).length === 0) missed.push(`${kinds[index % kinds.length]}: ${said}`);
    }
    expect(missed).toEqual([]);
  });
});

describe("an operation between two partitions", () => {
  /** Before alice, in partition 1, pays bob, in partition 0; and after it. */
  const [before, after, copy] = [inFolder("before.db"), inFolder("after.db"), inFolder("altered.db")];
  const transferId = (1n << 48n) + 3n;
  const subject = `operation ${transferId}, between two partitions`;

  beforeAll(async () => {
    const path = inFolder("two.db");
    const ask = async (...batch: Asked[]): Promise<void> => {
      const executor = await open(path);
      await executor.execute(batch.map(toCommand));
      await executor.close();
    };
    await ask(init(), add("100"), init("USD", { user: "bob" }));
    copySqliteLedger(path, before);
    await ask(transfer("30", "bob"));
    copySqliteLedger(path, after);
  });

  function altered(alter: (db: Database.Database) => void): string {
    copyFileSync(after, copy);
    const db = new Database(copy);
    db.defaultSafeIntegers(true);
    alter(db);
    db.close();
    return copy;
  }

  /** Everything of one partition as it was before. */
  const setBack = (partition: number) => (db: Database.Database): void => {
    db.exec(`attach '${before}' as earlier`);
    for (const table of ["ledger_head", "journal", "wallets", "currency_totals", "history_marks"]) {
      db.exec(`delete from ${table} where partition = ${partition}; insert into ${table} select * from earlier.${table} where partition = ${partition}`);
    }
    db.exec("detach earlier");
  };

  /** The last record of a partition with other values, sealed anew, its head with it. */
  const rewritten = (partition: number, set: string) => (db: Database.Database): void => {
    db.exec(`update journal set ${set} where partition = ${partition} and operation_id = ${transferId}`);
    const rows = db.prepare<[number], Record<string, unknown>>("select * from journal where partition = ? order by sequence desc limit 2").all(partition);
    const hash = recordHash(rows[1]!["hash"] as Uint8Array, recordFromRow(rows[0] as never));
    db.prepare("update journal set hash = ? where partition = ? and sequence = ?").run(hash, partition, rows[0]!["sequence"]);
    db.prepare("update ledger_head set hash = ? where partition = ?").run(hash, partition);
  };

  test("fits", async () => expect(await problemsIn(after)).toEqual([]));

  test.each<[string, number, string]>([
    ["the receiver's", 0, "a record in the receiver's partition"],
    ["the payer's", 1, "a record in the payer's partition"],
  ])("is told where a whole partition is without it: %s", async (_, partition, expected) => {
    const path = altered(setBack(partition));
    expect(await problemsIn(path)).toEqual([{ subject, expected, actual: "none" }]);
    expect(checkBooks(path).problems).not.toEqual([]);
  });

  test.each<[string, number, string]>([
    ["what the payer's says of it", 1, "reference = 'another'"],
    ["what the receiver's says of it", 0, "reference = 'another'"],
    ["to whom the payer's says it went", 1, "other_user_id = 'eve'"],
    ["from whom the receiver's says it came", 0, "other_user_id = 'eve'"],
  ])("is told where the two records contradict each other, every hash made right again: %s", async (_, partition, set) => {
    const path = altered(rewritten(partition, set));
    expect(await problemsIn(path)).toEqual([{ subject, expected: "two records that say the same", actual: "two that contradict each other" }]);
    expect(checkBooks(path).problems).not.toEqual([]);
  });

  test("is told where the receiver's has another amount", async () => {
    const subjects = (await problemsIn(altered(rewritten(0, "receiver_amount_minor = 3001")))).map((each) => each.subject);
    expect(subjects).toContain("partition 0: operation 2 (TRANSFER): receiver's amount");
    expect(subjects).toContain(subject);
  });

  test("a wallet in a partition that is not its user's is told", async () => {
    const mismatches = await problemsIn(altered((db) => db.exec("update ledger set partitions = 9; insert into ledger_head (partition, sequence, hash, time_ms, key_ordinal) select 8, 0, hash, time_ms, 0 from ledger_head where partition = 2")));
    expect(mismatches).toContainEqual({ subject: "partition 1: operation 1 (INIT): partition", expected: "7, the user's", actual: "1, the user's" });
  });
});
