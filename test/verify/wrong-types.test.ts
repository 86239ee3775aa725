// A flipped bit can make any value one of another type, which no statement could write: every such row is a mismatch, and none ends the verification.

import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { executorOn } from "../../src/ledger/executor.ts";
import { openSqliteReads } from "../../src/store/sqlite/sqlite-reads.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { writtenQueries } from "../../src/store/sqlite/written-queries.ts";
import type { UserId } from "../../src/domain/wallet.ts";
import { copySqliteLedger, shortRuns } from "../support/engines.ts";
import { startMs, storyRules } from "../support/given.ts";
import { MixedWriter } from "../support/mixed-ledger.ts";
import { verified } from "../support/verified.ts";

const { idempotencyRetentionMs } = storyRules;
const folder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "wallet-verify-types-"));
const good = join(folder, "good.db");
const late = join(folder, "late.db");
const copy = join(folder, "copy.db");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const values = { null: null, text: "aunt", "text of a number": "7", real: 1.5, bytes: Buffer.from("aunt") };

/** Whether a table takes values of every type, which is not in its own hands: its definition is changed for a while. */
function setStrict(db: Database.Database, schema: ReadonlyMap<string, string>, isStrict: boolean): void {
  db.unsafeMode(true);
  db.pragma("writable_schema = ON");
  const update = db.prepare("update sqlite_schema set sql = ? where name = ?");
  for (const [name, sql] of schema) update.run(isStrict ? sql : sql.replaceAll(" not null", "").replace(/strict(, )?/, "").replace(/\b(integer|text)\b/g, "blob"), name);
  db.pragma("writable_schema = RESET");
  db.unsafeMode(false);
}

beforeAll(async () => {
  let nowMs = startMs;
  const path = join(folder, "wallet.db");
  const executor = executorOn(await openSqliteStore(path, () => nowMs, { keySizes: { ...shortRuns, fanout: 100 } }), storyRules);
  const writer = new MixedWriter(executor, { seed: 8, users: 3, passMs: (ms) => (nowMs += ms) });
  await writer.open();
  for (let batch = 0; batch < 6; batch++) await writer.write(100);
  // Rows of wallets learn of everything at the end, and then there are no newer states of them.
  copySqliteLedger(path, late);
  await executor.close();
  copySqliteLedger(path, good);
});

test.each(["null", "hex(totals)"])("counters that are %s are not read by the service", async (value) => {
  copyFileSync(good, copy);
  const db = new Database(copy);
  const schema = new Map(db.prepare<[], [string, string]>("select name, sql from sqlite_schema where name = 'wallets'").raw().all());
  const userId = db.prepare<[], string>("select user_id from wallets").pluck().get() as UserId;
  setStrict(db, schema, false);
  db.exec(`update wallets set totals = ${value}`);
  setStrict(db, schema, true);
  db.close();
  const reads = openSqliteReads(copy, () => startMs, writtenQueries);
  await expect(reads.wallets(userId, undefined)).rejects.toThrow("a wallet's counters are bytes");
  await reads.close();
});

test("counters in text that says the same bytes", async () => {
  const source = new Database(good, { readonly: true });
  const schema = new Map(source.prepare<[], [string, string]>("select name, sql from sqlite_schema where name = 'wallets'").raw().all());
  const wallets = source.prepare<[], number>("select count(*) from wallets").pluck().get();
  source.close();
  copyFileSync(good, copy);
  const db = new Database(copy);
  setStrict(db, schema, false);
  db.exec("update wallets set totals = hex(totals)");
  setStrict(db, schema, true);
  db.close();
  expect((await verified(copy, { idempotencyRetentionMs })).mismatchCount).toBe(wallets);
});

test.each(["ledger", "ledger_head", "wallets", "holds", "journal", "history_marks", "idempotency_keys", "currency_totals", "newer_wallets", "key_runs", "key_chunks", "key_filters"])("%s", async (table) => {
  const ledger = table === "newer_wallets" ? late : good;
  const source = new Database(ledger, { readonly: true });
  const schema = new Map(source.prepare<[], [string, string]>("select name, sql from sqlite_schema where type = 'table' and sql like '%strict%'").raw().all());
  const columns = source.pragma(`table_info(${table})`) as { name: string; notnull: number; pk: number }[];
  source.close();
  const missed: string[] = [];
  for (const { name, notnull, pk } of columns) {
    for (const [type, value] of Object.entries(values)) {
      // What may be null may well be; and of a rejection the journal knows nothing.
      if ((value === null && (notnull === 0 || pk > 0)) || name === "rejection" || name === "id") continue;
      copyFileSync(ledger, copy);
      const db = new Database(copy);
      db.pragma("ignore_check_constraints = ON");
      setStrict(db, schema, false);
      const key = columns.filter((each) => each.pk > 0).map((each) => each.name).join(", ");
      db.prepare(`update ${table} set ${name} = ? where (${key}) = (select ${key} from ${table} order by ${key} limit 1 offset (select count(*) / 2 from ${table}))`).run(value);
      setStrict(db, schema, true);
      db.close();
      const result = await verified(copy, { idempotencyRetentionMs }).catch((error: unknown) => String(error));
      if (typeof result === "string") missed.push(`${name} = ${type}: ${result}`);
      else if (result.mismatchCount === 0) missed.push(`${name} = ${type}: ok`);
    }
  }
  expect(missed).toEqual([]);
});
