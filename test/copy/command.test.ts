// `copy` as people start it: what it prints and exits with, what it refuses, and what it is after kill -9.

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import { afterAll, expect, test } from "vitest";
import type { Database as LedgerDatabase } from "../../src/database.ts";
import { openCopySource } from "../../src/copy-ends.ts";
import { asOwner } from "../support/postgres-place.ts";
import { toCommand } from "../support/asked.ts";
import { addressOf, Clock, cleanUp, copy, mixedLedger, newPlace, openStore, rowsOf, serving } from "./ledgers.ts";

afterAll(cleanUp);

const bin = fileURLToPath(new URL("../../bin/wallet.js", import.meta.url));

interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(...args: string[]): { readonly child: ChildProcess; readonly ended: Promise<Ended> } {
  const child = spawn(process.execPath, [bin, ...args], { env: { PATH: process.env["PATH"] ?? "" }, stdio: ["ignore", "pipe", "pipe"] });
  const ended = Promise.all([once(child, "exit"), text(child.stdout), text(child.stderr)]).then(([[exitCode], stdout, stderr]) => ({ exitCode: exitCode as number | null, stdout, stderr }));
  return { child, ended };
}

function copyCommand(from: LedgerDatabase, to: LedgerDatabase, ...flags: string[]): Promise<Ended> {
  return start("copy", "--from", addressOf(from), "--to", addressOf(to), "--idempotency-retention=1h", ...flags).ended;
}

const refused = (sentence: RegExp): Ended => ({ exitCode: 2, stdout: "", stderr: expect.stringMatching(sentence) });

test("there and back: one line on stdout, exit code 0, and no password anywhere", async () => {
  const original = await mixedLedger("sqlite", { batches: 5 });
  const moved = await newPlace("postgres");
  const there = await copyCommand(original, moved);
  const records = (await rowsOf(original))["journal"]!.length;
  expect(there).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(new RegExp(`^ok: sqlite:/.*\\.db to postgres://127\\.0\\.0\\.1:\\d+/wallet_\\w+, records: ${records}, partitions: 1; everything fits\\n$`)) });
  expect(there.stderr).toMatch(/^journal: \d+ of \d+ rows\n/);
  expect(there.stdout + there.stderr).not.toContain("only%20on");
  const back = await newPlace("sqlite");
  expect(await copyCommand(moved, back)).toMatchObject({ exitCode: 0 });
  expect(await rowsOf(back)).toEqual(await rowsOf(original));
});

test("over other partitions, killed in between", async () => {
  const original = await mixedLedger("sqlite", { batches: 30 });
  const moved = await newPlace("sqlite");
  const { child, ended } = start("copy", "--from", addressOf(original), "--to", addressOf(moved), "--partitions", "4", "--idempotency-retention=1h");
  await once(child.stderr!, "data");
  child.kill("SIGKILL");
  expect(await ended).toMatchObject({ exitCode: null });
  expect(await copyCommand(original, moved)).toEqual(refused(/holds the beginning of a copy over 4 partitions/));
  expect(await copyCommand(original, moved, "--partitions=4")).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^ok: .*, records: \d+, partitions: 4; everything fits\n$/) });
  const ids = async (ledger: LedgerDatabase): Promise<unknown> => [...new Set((await rowsOf(ledger, ["journal"]))["journal"]!.map((row) => row["operation_id"] as bigint))].toSorted((a, b) => (a < b ? -1 : 1));
  expect(await ids(moved)).toEqual(await ids(original));
});

test("a row that somebody has altered is copied, and told: exit code 1", async () => {
  const original = await mixedLedger("sqlite", { batches: 2 });
  new Database(original.kind === "sqlite" ? original.path : "").exec("update wallets set available_minor = available_minor + 1 where wallet_id = 1").close();
  const { exitCode, stdout } = await copyCommand(original, await newPlace("sqlite"));
  expect(exitCode).toBe(1);
  expect(stdout).toMatch(/^wallet 1 \(user user-0, USD\): available: expected .*\n.*not ok: .*, mismatches: 1; do not serve the copy\n$/s);
});

test("what cannot be copied, or copied to, is refused with a sentence", async () => {
  const clock = new Clock();
  const original = await mixedLedger("sqlite", { batches: 1, clock });
  const served = await openStore(original, clock);
  expect(await copyCommand(original, await newPlace("sqlite"))).toEqual(refused(/^Another process has the ledger .* open\./));
  await served.close();
  expect(await copyCommand(await newPlace("sqlite"), await newPlace("sqlite"))).toEqual(refused(/^There is no ledger .*\. Give --from the path of one\.\n$/));
  expect(await copyCommand(await newPlace("postgres"), await newPlace("sqlite"))).toEqual(refused(/^The database is not a ledger yet\./));
  expect(await copyCommand(original, original)).toEqual(refused(/^--from and --to are the same, sqlite:/));
  for (const kind of ["sqlite", "postgres"] as const) expect(await copyCommand(original, await mixedLedger(kind, { batches: 1 }))).toEqual(refused(/already is a ledger, and a copy needs an empty target\./));

  const foreign = await newPlace("sqlite");
  new Database(foreign.kind === "sqlite" ? foreign.path : "").exec("create table mine (it text)").close();
  expect(await copyCommand(original, foreign)).toEqual(refused(/is a database of another program/));
  const theirs = await newPlace("postgres");
  await asOwner((client) => client.query("create table mine (it text)"), addressOf(theirs));
  expect(await copyCommand(original, theirs)).toEqual(refused(/^The database has tables of another program/));

  expect(await start("copy", "--from", addressOf(original)).ended).toEqual(refused(/^copy needs --to, which takes sqlite: /));
  expect(await start("copy", "--form", addressOf(original)).ended).toEqual(refused(/did you mean --from\?/));
  expect(await start("copy", "--from", "postgres://me:secret@host", "--to=sqlite:x").ended).toEqual(refused(/^--from is "postgres:\/\/…@host"; it names no database/));
  expect(await copyCommand(original, await newPlace("sqlite"), "--partitions=0")).toEqual(refused(/^--partitions is "0"; it takes a whole number from 1 to 32768\.\n$/));
  expect(await start("copy", "--help").ended).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("Exit codes: 0 copied") });
});

test.each(["sqlite", "postgres"] as const)("no service starts on a copy in %s that is not finished, nobody verifies it, and another ledger's copy does not go on there", async (kind) => {
  const clock = new Clock();
  const original = await mixedLedger("sqlite", { batches: 3, clock });
  const target = await newPlace(kind);
  await expect(copy(original, target, { chunkRows: 50, writesMax: 3 })).rejects.toThrow();
  const database = `--database-url=${addressOf(target)}`;
  const sentence = /is the target of a copy that is not finished, and no ledger yet\. Finish the copy by starting it again as it was started/;
  expect(await start(database, "--listen=127.0.0.1:0").ended).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(sentence) });
  expect(await start("verify", database).ended).toEqual(refused(sentence));
  expect(await copyCommand(target, await newPlace("sqlite"))).toEqual(refused(sentence));
  expect(await copyCommand(original, target, "--partitions=3")).toEqual(refused(/holds the beginning of a copy over 1 partitions\. Finish it with --partitions 1,/));
  expect(await copyCommand(await mixedLedger("sqlite", { batches: 1, seed: 8 }), target)).toEqual(refused(/^The source is not the ledger that this copy was begun of/));
  await serving(original, clock, (executor) => executor.execute([toCommand({ type: "add", user: "user-1", currency: "USD", amount: "1" })]));
  expect(await copyCommand(original, target)).toEqual(refused(/or has been written to since\. Give --to an empty target/));
});

test("while a PostgreSQL ledger is copied its services cannot write, and two copies do not go into one database", async () => {
  const clock = new Clock();
  const original = await mixedLedger("postgres", { batches: 2, clock, partitions: 2 });
  const source = await openCopySource(original);
  await serving(original, clock, async (executor) => {
    await expect(executor.execute([toCommand({ type: "add", user: "user-1", currency: "USD", amount: "1" })])).rejects.toMatchObject({ name: "StoreFault", kind: "unavailable" });
  });
  await source.close();
  const target = await newPlace("postgres");
  await asOwner(async (client) => {
    await client.query("select pg_advisory_lock(x'57414c43'::int)");
    expect(await copyCommand(original, target)).toEqual(refused(/^Another copy into the same database is under way\./));
  }, addressOf(target));
  expect(await copyCommand(original, target)).toMatchObject({ exitCode: 0 });
});

test.each(["sqlite", "postgres"] as const)("killed again and again, a copy to %s comes to the same rows", async (kind) => {
  const original = await mixedLedger("sqlite", { batches: 250, partitions: 2 });
  const target = await newPlace(kind);
  let kills = 0;
  // Twice when it says that it has begun, however fast the machine is; then a little later each time, until it has come to its end.
  for (let attempt = 0; ; attempt++) {
    const { child, ended } = start("copy", "--from", addressOf(original), "--to", addressOf(target), "--idempotency-retention=1h");
    const killing = (attempt < 2 ? Promise.race([once(child.stderr!, "data"), ended]) : delay(300 + 130 * attempt)).then(() => child.kill("SIGKILL"));
    const { exitCode, stdout, stderr } = await ended;
    await killing;
    if (exitCode === null) {
      kills++;
      continue;
    }
    // Killed while it was being verified, or just before: what is there is a ledger.
    if (exitCode === 2) expect(stderr).toMatch(/already is a ledger/);
    else expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: expect.stringMatching(/^ok: /) });
    break;
  }
  expect(kills).toBeGreaterThan(1);
  expect(await rowsOf(target)).toEqual(await rowsOf(original));
  expect(await start("verify", `--database-url=${addressOf(target)}`, "--idempotency-retention=1h").ended).toMatchObject({ exitCode: 0 });
});

test("stopped by a signal it says so, and goes on when it is started again", async () => {
  const original = await mixedLedger("sqlite", { batches: 250 });
  const target = await newPlace("sqlite");
  const { child, ended } = start("copy", "--from", addressOf(original), "--to", addressOf(target), "--idempotency-retention=1h");
  await once(child.stderr!, "data");
  child.kill("SIGTERM");
  const { exitCode, stderr } = await ended;
  expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringMatching(/Stopped before it was finished\. Started again as it was, the copy goes on from there\.\n$/) });
  expect(await copyCommand(original, target)).toMatchObject({ exitCode: 0 });
});

