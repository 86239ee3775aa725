// A source that did not stay as it was while it was copied: nobody is told that the copy may be served.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, expect, onTestFinished, test } from "vitest";
import { openCopyScratch, openCopySource, openCopyTarget } from "../../src/copy-ends.ts";
import type { Database as LedgerDatabase } from "../../src/database.ts";
import { copyLedger } from "../../src/store/copy/copy-ledger.ts";
import { toCommand } from "../support/asked.ts";
import { asOwner } from "../support/postgres-place.ts";
import { addressOf, Clock, cleanUp, copy, mixedLedger, newPlace, rowsOf, serving } from "./ledgers.ts";

afterAll(cleanUp);

const bin = fileURLToPath(new URL("../../bin/wallet.js", import.meta.url));

const lost = /^The source was written to while it was copied, or its lock was lost meanwhile \(.+\)\. Nothing of the source is lost, .* run the copy again with --to an empty target\.$/m;

/** How often something is looked at until it is so, in milliseconds. */
const lookEveryMs = 10;

function startCopy(from: LedgerDatabase, to: LedgerDatabase) {
  const child = spawn(process.execPath, [bin, "copy", "--from", addressOf(from), "--to", addressOf(to), "--idempotency-retention=1h"], { env: { PATH: process.env["PATH"] ?? "" }, stdio: ["ignore", "pipe", "pipe"] });
  // One that a failed test has left standing still, too.
  onTestFinished(() => void child.kill("SIGKILL"));
  const ended = Promise.all([once(child, "exit"), text(child.stdout), text(child.stderr)]).then(([[exitCode], stdout, stderr]) => ({ exitCode: exitCode as number | null, stdout, stderr }));
  return { child, ended };
}

/** On a connection of its own: within a transaction pg_stat_activity is always what it was at first. */
async function untilFound(database: LedgerDatabase, query: string): Promise<void> {
  await asOwner(async (client) => {
    while ((await client.query(query)).rowCount === 0) await delay(lookEveryMs);
  }, addressOf(database));
}

/** Ends the session that has the locks, as a restart or a router would. */
async function endSession(source: LedgerDatabase): Promise<void> {
  await asOwner(async (client) => {
    const holder = "from pg_stat_activity where datname = current_database() and application_name = 'wallet' and state = 'idle in transaction'";
    const { rowCount } = await client.query(`select pg_terminate_backend(pid) ${holder}`);
    expect(rowCount).toBe(1);
    while ((await client.query(`select 1 ${holder}`)).rowCount !== 0) await delay(lookEveryMs);
  }, addressOf(source));
}

async function writeTo(ledger: LedgerDatabase, clock: Clock): Promise<void> {
  const [answer] = await serving(ledger, clock, (executor) => executor.execute([toCommand({ type: "add", user: "user-1", currency: "USD", amount: "1" })]));
  expect(answer).toMatchObject({ type: "applied" });
}

test("the source's session ends after the rows were copied, and its services go on: the copy does not say ok", async () => {
  const clock = new Clock();
  const original = await mixedLedger("postgres", { batches: 3, clock, partitions: 2 });
  const target = await newPlace("postgres");
  // A beginning, so that there is a note, which the last transaction drops: whoever reads it keeps that transaction waiting.
  await expect(copy(original, target, { chunkRows: 50, writesMax: 1 })).rejects.toThrow();
  const { child, ended } = await asOwner(async (client) => {
    await client.query("begin");
    await client.query("lock table ledger_copy in access share mode");
    const started = startCopy(original, target);
    await untilFound(target, "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like 'drop table ledger_copy%'");
    // COMMIT is sent already: the target becomes a ledger, and the copy does not come to its end before it may.
    started.child.kill("SIGSTOP");
    await client.query("rollback");
    await untilFound(target, "select 1 from ledger");
    return started;
  }, addressOf(target));
  await endSession(original);
  await writeTo(original, clock);
  child.kill("SIGCONT");
  expect(await ended).toEqual({ exitCode: 2, stdout: "", stderr: expect.stringMatching(lost) });
});

test.each(["ends", "ends, and its services go on"])("the source's session %s before the target is a ledger: it does not become one", async (what) => {
  const clock = new Clock();
  const original = await mixedLedger("postgres", { batches: 2, clock });
  const target = await newPlace("postgres");
  const [source, end] = [await openCopySource(original), await openCopyTarget(target)];
  const afterChunk = async ({ table }: { readonly table: string }): Promise<void> => {
    // The last table of the one partition.
    if (table !== "moved_operations") return;
    await endSession(original);
    if (what !== "ends") await writeTo(original, clock);
  };
  await expect(copyLedger(source, end, { openScratch: openCopyScratch, afterChunk })).rejects.toThrow(lost);
  await end.close();
  await source.close();
  expect(await rowsOf(target, ["ledger"])).toEqual({ ledger: [] });
});

test("a SQLite ledger whose lock somebody has removed, and served", async () => {
  const clock = new Clock();
  const original = await mixedLedger("sqlite", { batches: 1, clock });
  const source = await openCopySource(original);
  await source.assertUnchanged();
  rmSync(`${addressOf(original).slice("sqlite:".length)}.lock`);
  await writeTo(original, clock);
  await expect(source.assertUnchanged()).rejects.toThrow(lost);
  await source.close();
});

test("a remembered rejection is a change too, though no journal has another record", async () => {
  const clock = new Clock();
  const original = await mixedLedger("sqlite", { batches: 1, clock });
  const source = await openCopySource(original);
  rmSync(`${addressOf(original).slice("sqlite:".length)}.lock`);
  const [answer] = await serving(original, clock, (executor) => executor.execute([toCommand({ type: "withdraw", user: "user-1", currency: "USD", amount: "99999999", key: "refused" })]));
  expect(answer).toMatchObject({ type: "rejected" });
  await expect(source.assertUnchanged()).rejects.toThrow(lost);
  await source.close();
});

test("no setting of a database's ends a session that waits for the other end", async () => {
  const original = await mixedLedger("postgres", { batches: 1 });
  const target = await newPlace("postgres");
  for (const database of [original, target]) {
    await asOwner(async (client) => {
      const { rows } = await client.query<{ name: string }>("select name from pg_settings where name in ('transaction_timeout', 'idle_session_timeout', 'idle_in_transaction_session_timeout')");
      const { rows: named } = await client.query<{ name: string }>("select current_database() as name");
      for (const { name } of rows) await client.query(`alter database ${named[0]!.name} set ${name} = '300ms'`);
    }, addressOf(database));
  }
  const [source, end] = [await openCopySource(original), await openCopyTarget(target)];
  await delay(1_000);
  await source.assertUnchanged();
  // It answers that it has no tables yet.
  await expect(end.heads()).rejects.toMatchObject({ code: "42P01" });
  await end.close();
  await source.close();
});

test("a target that does not wait for its disk is told of", async () => {
  const target = await newPlace("postgres");
  await asOwner(async (client) => {
    const { rows } = await client.query<{ name: string }>("select current_database() as name");
    await client.query(`alter database ${rows[0]!.name} set synchronous_commit = off`);
  }, addressOf(target));
  expect(await startCopy(await mixedLedger("sqlite", { batches: 1 }), target).ended).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(/^The target may lose what is written to it: synchronous_commit is off: .*\.$/m) });
});
