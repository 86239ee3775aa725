// A long ledger moved from SQLite to PostgreSQL and back by the command: every row as before, and how long it took.
//
// `npm run copy:long` moves 1,000,000 operations; TEST_COPY_OPERATIONS=… any other number.

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import { afterAll, expect, test } from "vitest";
import type { Database as LedgerDatabase } from "../../src/database.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { executorOn } from "../../src/ledger/executor.ts";
import { storyRules } from "../support/given.ts";
import { MixedWriter } from "../support/mixed-ledger.ts";
import { asOwner } from "../support/postgres-place.ts";
import { addressOf, Clock, cleanUp, copiedTables, newPlace } from "./ledgers.ts";

afterAll(cleanUp);

const operationsMin = BigInt(process.env["TEST_COPY_OPERATIONS"] ?? 5_000);
const bin = fileURLToPath(new URL("../../bin/wallet.js", import.meta.url));

/** Commands that are decided in one transaction; two in three of them become operations. */
const batchLength = 1_000;

async function makeLedger(): Promise<LedgerDatabase & { kind: "sqlite" }> {
  const database = (await newPlace("sqlite")) as LedgerDatabase & { kind: "sqlite" };
  const clock = new Clock();
  const store = await openSqliteStore(database.path, clock.now);
  const writer = new MixedWriter(executorOn(store, storyRules), { seed: 11, users: 1_000, passMs: (ms) => void (clock.timeMs += ms) });
  await writer.open();
  const connection = new Database(database.path, { readonly: true });
  connection.defaultSafeIntegers(true);
  const head = connection.prepare<[], bigint>("select sequence from ledger_head").pluck();
  while (head.get()! < operationsMin) await writer.write(batchLength);
  connection.close();
  await store.close();
  return database;
}

/** Copies with the real command. Answers how many seconds it took, verification included. */
async function copied(from: LedgerDatabase, to: LedgerDatabase): Promise<number> {
  const startMs = performance.now();
  const child = spawn(process.execPath, [bin, "copy", "--from", addressOf(from), "--to", addressOf(to), "--idempotency-retention=1h"], { env: { PATH: process.env["PATH"] ?? "" }, stdio: ["ignore", "pipe", "pipe"] });
  const [[exitCode], stdout, stderr] = await Promise.all([once(child, "exit"), text(child.stdout), text(child.stderr)]);
  expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 0, stdout: expect.stringMatching(/^ok: /), stderr: expect.any(String) });
  const seconds = (performance.now() - startMs) / 1_000;
  console.log(`${seconds.toFixed(0)} s: ${stdout.trim()}`);
  return seconds;
}

test(`${operationsMin} operations there and back`, { timeout: 600_000 + Number(operationsMin) }, async () => {
  const original = await makeLedger();
  const there = await newPlace("postgres");
  await copied(original, there);
  const back = (await newPlace("sqlite")) as typeof original;
  await copied(there, back);

  const connection = new Database(back.path);
  connection.exec(`attach '${original.path}' as original`);
  for (const table of copiedTables) {
    const differing = connection.prepare(`select (select count(*) from (select * from main.${table} except select * from original.${table})) + (select count(*) from (select * from original.${table} except select * from main.${table}))`).pluck();
    expect(differing.get(), table).toBe(0);
  }
  const digest = createHash("sha256");
  for (const hash of connection.prepare<[], Buffer>("select hash from original.journal order by partition, sequence").pluck().iterate()) digest.update(hash);
  connection.close();
  const [inPostgres] = await asOwner(async (client) => (await client.query<{ digest: string }>("select encode(sha256(string_agg(hash, ''::bytea order by partition, sequence)), 'hex') as digest from journal")).rows, addressOf(there));
  expect(inPostgres).toEqual({ digest: digest.digest("hex") });
});
