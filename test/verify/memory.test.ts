// A verification's memory does not grow with the ledger: what it recomputes lies in a file.

import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";
import { executorOn } from "../../src/ledger/executor.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { startMs, storyRules } from "../support/given.ts";
import { MixedWriter } from "../support/mixed-ledger.ts";

const folder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "wallet-verify-memory-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A ledger with this many users, three wallets each, and then this many operations on them, verified by a process of its own. */
async function peakOf({ users, operations }: { users: number; operations: number }): Promise<{ operations: number; mismatchCount: number; tookMs: number; peakMib: number }> {
  const path = join(folder, `${users}.db`);
  let nowMs = startMs;
  const executor = executorOn(await openSqliteStore(path, () => nowMs), storyRules);
  const writer = new MixedWriter(executor, { seed: 6, users, passMs: (ms) => (nowMs += ms) });
  await writer.open();
  for (let written = 0; written < operations; written += 500) await writer.write(500);
  await executor.close();
  const script = fileURLToPath(new URL("peak-memory.ts", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script, path], { env: { PATH: process.env["PATH"] ?? "" } });
  return JSON.parse(stdout) as Awaited<ReturnType<typeof peakOf>>;
}

test("120,000 operations on 24,000 wallets take hardly more than 50,000 on 9,000", async () => {
  const small = await peakOf({ users: 3_000, operations: 30_000 });
  const large = await peakOf({ users: 8_000, operations: 80_000 });
  console.log("verified", small, large);
  expect(small.mismatchCount + large.mismatchCount).toBe(0);
  expect(large.operations).toBeGreaterThan(90_000);
  // What exceeds the caches is the garbage collector's room: some 450 MiB, also with 400,000 operations on 90,000 wallets.
  expect(large.peakMib).toBeLessThan(small.peakMib + 200);
});
