// `npm run start:postgres`: one command, a real PostgreSQL, and the ledger is there again the next time.

import { spawn, type ChildProcess } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { WalletService } from "../../gen/wallet/v1/wallet_service_pb.ts";
import { openPostgresAudit } from "../../src/store/postgres/postgres-audit.ts";
import { grpcClient } from "../faults/grpc-client.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

interface Started {
  readonly process: ChildProcess;
  readonly exitCode: Promise<number | null>;
  said(): string;
}

let folder: string;
let all: Started[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "wallet-start-"));
  // PostgreSQL runs as another user where the tests run as root.
  chmodSync(folder, 0o711);
  all = [];
});
afterEach(async () => {
  for (const { process } of all) process.kill("SIGTERM");
  await Promise.all(all.map(({ exitCode }) => exitCode));
  rmSync(folder, { recursive: true, force: true });
});

function start(...flags: readonly string[]): Started {
  const child = spawn(join(root, "node_modules/.bin/node"), [join(root, "scripts/start-postgres.ts"), ...flags, "--listen=127.0.0.1:0"], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  child.stdout.on("data", (chunk) => void (said += String(chunk)));
  child.stderr.on("data", (chunk) => void (said += String(chunk)));
  const exitCode = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const started = { process: child, exitCode, said: () => said };
  all.push(started);
  return started;
}

async function addressOf({ process, said }: Started): Promise<string> {
  for (;;) {
    const address = /"address":"([^"]+)".*"msg":"listening"/.exec(said())?.[1];
    if (address !== undefined) return address;
    if (process.exitCode !== null) throw new Error(`it ended: ${said()}`);
    await delay(20);
  }
}

test("serves, says where its database is, refuses another on the same folder, and has the ledger the next time", async () => {
  const first = start();
  const client = grpcClient(await addressOf(first));
  await client.call(WalletService.method.initWallet, { userId: "ann", currency: "USD" });
  expect(await client.call(WalletService.method.addMoney, { userId: "ann", amount: "5" })).toMatchObject({ type: "answered" });
  client.close();

  const url = /^PostgreSQL: (.*)$/m.exec(first.said())![1]!.replace(/\$\(cat (.*)\)/, (_, path: string) => readFileSync(path, "utf8"));
  const audit = await openPostgresAudit(url);
  await audit.close();

  const second = start();
  expect(await second.exitCode).toBe(1);
  expect(second.said()).toMatch(/^PostgreSQL cannot be started in .*data\/postgres: [^]*stop that one; [^]* ps -p (\d+) .* kill -INT \1 ends it/);
  first.process.kill("SIGTERM");
  expect(await first.exitCode).toBe(0);

  const third = start();
  const again = grpcClient(await addressOf(third));
  // What somebody has written down of it stays right.
  expect(third.said()).toContain(/^PostgreSQL: .*$/m.exec(first.said())![0]);
  expect(await again.call(WalletService.method.getWallet, { userId: "ann" })).toMatchObject({ type: "answered", response: { wallet: { balance: { available: "5.00" } } } });

  // Ended in the middle of a load: its database is there until everybody is answered.
  const load = Array.from({ length: 200 }, (_, index) => again.call(WalletService.method.addMoney, { userId: "ann", amount: "1", idempotencyKey: `add-${index}` }));
  await Promise.race(load);
  third.process.kill("SIGTERM");
  const outcomes = await Promise.all(load);
  expect(outcomes.map((outcome) => (outcome.type === "refused" ? outcome.reason : outcome.type)).filter((each) => each !== "answered")).toEqual([]);
  again.close();
  expect(await third.exitCode).toBe(0);
});

test.each([
  ["--help", 0, /--listen/],
  ["--bogus", 2, /There is no flag --bogus/],
  ["--database-url=sqlite:other.db", 2, /a database of its own/],
  ["verify", 2, /npm run verify/],
] as const)("%s starts nothing", async (flag, exitCode, sentence) => {
  const started = start(flag);
  expect(await started.exitCode).toBe(exitCode);
  expect(started.said()).toMatch(sentence);
  expect(readdirSync(folder)).toEqual([]);
});
