// `npm run verify` from the shell: what it prints where, its exit codes, that it changes nothing, and that it runs beside a server.

import { spawn } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { executorOn } from "../../src/ledger/executor.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { plainWay } from "../support/clients/ways.ts";
import { copySqliteLedger } from "../support/engines.ts";
import { startMs, storyRules } from "../support/given.ts";
import { MixedWriter } from "../support/mixed-ledger.ts";
import { spawnService } from "../support/service.ts";

const bin = fileURLToPath(new URL("../../bin/wallet.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "wallet-verify-command-"));
const good = join(folder, "good.db");
const bad = join(folder, "bad.db");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function verify(...args: string[]): Promise<Ended> {
  const child = spawn(process.execPath, [bin, "verify", ...args], { env: { PATH: process.env["PATH"] ?? "" }, stdio: ["ignore", "pipe", "pipe"] });
  const output = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
  return new Promise((resolve) => child.on("close", (exitCode) => resolve({ exitCode, ...output })));
}

const of = (path: string): string[] => [`--database-url=sqlite:${path}`, "--idempotency-retention=1h"];

beforeAll(async () => {
  let nowMs = startMs;
  const executor = executorOn(await openSqliteStore(good, () => nowMs), storyRules);
  const writer = new MixedWriter(executor, { seed: 4, users: 5, passMs: (ms) => (nowMs += ms) });
  await writer.open();
  for (let batch = 0; batch < 5; batch++) await writer.write(100);
  await executor.close();
  copySqliteLedger(good, bad);
});

test("a ledger that fits: ok on stdout, progress on stderr, exit code 0, and nothing is changed", async () => {
  const before = readFileSync(good);
  const { exitCode, stdout, stderr } = await verify(...of(good));
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: expect.stringMatching(/^ok: \d+ operations, and everything fits\n$/) });
  expect(stderr).toMatch(/^\d+ of \d+ operations\n/);
  expect(readFileSync(good).equals(before)).toBe(true);
});

test("a ledger that does not fit: each mismatch on a line, exit code 1", async () => {
  const db = new Database(bad);
  db.exec("update wallets set available_minor = 1234567 where user_id = 'user-0' and currency = 'USD'; update wallets set user_id = 'thief' || char(10) || char(27) where user_id = 'user-1' and currency = 'JPY'");
  db.close();
  const { exitCode, stdout } = await verify(...of(bad));
  expect(exitCode).toBe(1);
  expect(stdout.trimEnd().split("\n")).toEqual([
    expect.stringMatching(/^wallet \d+ \(user user-0, USD\): available: expected \d+\.\d\d, found 12345\.67$/),
    expect.stringMatching(/^wallet \d+ \(user user-1, JPY\): user id: expected user-1, found thief\\u000a\\u001b$/),
    expect.stringMatching(/^not ok: \d+ operations, mismatches: 2$/),
  ]);
});

test("a thousand mismatches are listed, the others counted", async () => {
  const worse = join(folder, "worse.db");
  copyFileSync(good, worse);
  const db = new Database(worse);
  db.exec("update journal set hash = x'00', reference = 'x'");
  db.close();
  const { exitCode, stdout } = await verify(...of(worse));
  const lines = stdout.trimEnd().split("\n");
  expect(exitCode).toBe(1);
  expect(lines.length).toBeLessThanOrEqual(1002);
  expect(lines[0]).toMatch(/^operation 1 \(INIT\): hash over its content: expected [0-9a-f]{64}, found 00$/);
});

test("what cannot be verified: a sentence on stderr, exit code 2, and no file is made", async () => {
  const text = join(folder, "text.db");
  writeFileSync(text, "this is a letter to my aunt and not a database, although it is long enough to be taken for one");
  const foreign = join(folder, "foreign.db");
  new Database(foreign).exec("create table aunts (name text)").close();
  const empty = join(folder, "empty.db");
  writeFileSync(empty, "");
  const older = join(folder, "older.db");
  copyFileSync(good, older);
  new Database(older).exec("delete from kysely_migration where name = (select max(name) from kysely_migration)").close();
  const before = readdirSync(folder);
  expect(await verify(...of(join(folder, "missing.db")))).toEqual({ exitCode: 2, stdout: "", stderr: expect.stringMatching(/^There is no ledger .*missing\.db\./) });
  expect(await verify(...of(text))).toEqual({ exitCode: 2, stdout: "", stderr: expect.stringMatching(/text\.db cannot be read: file is not a database\.\n$/) });
  expect(await verify(...of(foreign))).toEqual({ exitCode: 2, stdout: "", stderr: expect.stringContaining("another program") });
  expect(await verify(...of(empty))).toEqual({ exitCode: 2, stdout: "", stderr: expect.stringContaining("not a ledger yet") });
  expect(await verify(...of(older))).toEqual({ exitCode: 2, stdout: "", stderr: expect.stringContaining("older version") });
  expect(await verify("--database-rul=x")).toEqual({ exitCode: 2, stdout: "", stderr: expect.stringContaining("did you mean --database-url?") });
  expect(readdirSync(folder).filter((name) => !/-(wal|shm)$/.test(name))).toEqual(before.filter((name) => !/-(wal|shm)$/.test(name)));
});

test("only the settings that it needs are read: others may be wrong, contradict each other or be missing", async () => {
  const served = `--database-url=sqlite:${good}`;
  expect(await verify(served, "--idempotency-retention=1m", "--listen=0.0.0.0:80")).toMatchObject({ exitCode: 0 });
  expect(await verify(...of(good), "--timeout-max=a while", "--tls-cert=cert.pem")).toMatchObject({ exitCode: 0 });
  expect(await verify(served, "--idempotency-retention=1s")).toEqual({ exitCode: 2, stdout: "", stderr: expect.stringContaining("--idempotency-retention") });
  expect(await verify(...of(good), "--timeout-maximum=5s")).toEqual({ exitCode: 2, stdout: "", stderr: expect.stringContaining("There is no flag --timeout-maximum") });
});

test("it runs beside a server that has the ledger open, and sees what was just answered", async () => {
  const service = await spawnService();
  const client = plainWay(service);
  try {
    await client.call("WalletService", "InitWallet", { user_id: "ann", currency: "USD" });
    await client.call("WalletService", "AddMoney", { user_id: "ann", amount: "5" });
    expect(await verify(`--database-url=sqlite:${service.databasePath}`)).toMatchObject({ exitCode: 0, stdout: "ok: 2 operations, and everything fits\n" });
    expect(await client.call("WalletService", "AddMoney", { user_id: "ann", amount: "5" })).toMatchObject({ ok: true });
  } finally {
    client.close();
    await service.remove();
  }
});
