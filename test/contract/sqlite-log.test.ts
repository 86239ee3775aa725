// The write-ahead log: it stays short under load, is empty after a quiet moment, and where it cannot be moved nobody goes on as if it had been.

import { once } from "node:events";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import Database from "better-sqlite3";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Answer } from "../../src/domain/answer.ts";
import { executorOn, type Executor } from "../../src/ledger/executor.ts";
import { checkpointFault, threadCheckpointer, type Checkpointer } from "../../src/store/sqlite/checkpointer.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import type { StoreFault } from "../../src/store/store.ts";
import { toCommand } from "../support/asked.ts";
import { add, init, storyRules } from "../support/given.ts";

let folder: string;
let path: string;
const executors: Executor[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "wallet-log-"));
  path = join(folder, "wallet.db");
});
afterEach(async () => {
  for (const executor of executors.splice(0)) await executor.close();
  rmSync(folder, { recursive: true });
});

const open = async (checkpointer?: (path: string) => Checkpointer, onFault: (fault: StoreFault) => void = () => {}): Promise<Executor> => {
  const executor = executorOn(await openSqliteStore(path, Date.now, { ...(checkpointer && { checkpointer }), onFault }), storyRules);
  executors.push(executor);
  return executor;
};

const walletsCount = 400;
const openWallets = (executor: Executor): Promise<readonly Answer[]> => executor.execute(Array.from({ length: walletsCount }, (_, index) => toCommand(init("USD", { user: `user-${index}` }))));

/** A batch that changes every wallet: some 10 pages of their states and 220 of the journal. */
const changeAll = async (executor: Executor): Promise<void> => {
  const answers = await executor.execute(Array.from({ length: walletsCount }, (_, index) => toCommand(add("1", { user: `user-${index}`, metadata: { note: "n".repeat(2_000) } }))));
  expect(answers.every(({ type }) => type === "applied")).toBe(true);
  // Whoever moves the log is heard between two batches.
  await setImmediate();
};

const logBytes = (): number => statSync(`${path}-wal`).size;
/** What one batch adds to the log before it is ever moved. */
const bytesOfABatch = async (executor: Executor): Promise<number> => {
  const before = logBytes();
  await changeAll(executor);
  return logBytes() - before;
};
const logState = (): { busy: number; log: number; checkpointed: number } => {
  const connection = new Database(path);
  try {
    return (connection.pragma("wal_checkpoint(NOOP)") as [{ busy: number; log: number; checkpointed: number }])[0];
  } finally {
    connection.close();
  }
};

/** Pages of the log that are in use: a log that is begun anew has hardly any, though its file stays as long as it was. */
const logPages = (): number => logState().log;

/** From so many on it is seen to that no reader stands in it: 64 MiB. */
const longLogPages = 16_384;

/** Three times what one round of the log holds. */
const batches = 90;

test("without a checkpointer the writer moves it between batches", async () => {
  const executor = await open();
  await openWallets(executor);
  const bytesABatch = await bytesOfABatch(executor);
  for (let batch = 0; batch < batches; batch++) await changeAll(executor);
  expect(logBytes()).toBeLessThan(bytesABatch * batches * 0.6);
});

test("with one it is moved beside the writing, and used anew", async () => {
  const moved = vi.fn<() => void>();
  let underWay = 0;
  const executor = await open((truePath) => {
    const { checkpoint, close } = threadCheckpointer(truePath);
    const counted = async (): Promise<void> => {
      underWay++;
      await checkpoint().finally(() => underWay--);
      moved();
    };
    return { checkpoint: counted, close };
  });
  await openWallets(executor);
  const bytesABatch = await bytesOfABatch(executor);
  // From a batch on by which it has begun, writing waits for it: the log's length does not depend on how fast a thread is.
  for (let batch = 0; batch < batches; batch++) {
    await changeAll(executor);
    if (batch < batches / 3 + 1) continue;
    await vi.waitFor(() => {
      expect(moved).toHaveBeenCalled();
      expect(underWay).toBe(0);
    }, 300_000);
  }
  expect(logBytes()).toBeLessThan(bytesABatch * batches * 0.6);
});

test("what the checkpointer leaves the writer moves between batches", async () => {
  const executor = await open(() => ({ checkpoint: async () => {}, close: async () => {} }));
  await openWallets(executor);
  const bytesABatch = await bytesOfABatch(executor);
  for (let batch = 0; batch < batches; batch++) await changeAll(executor);
  expect(logBytes()).toBeLessThan(bytesABatch * batches * 0.6);
});

test("a reader that is in one snapshot after the other does not make it grow without end", async () => {
  const executor = await open(threadCheckpointer);
  await openWallets(executor);
  const script = `
    import { createRequire } from "node:module";
    import { parentPort, workerData } from "node:worker_threads";
    const Database = createRequire(workerData.from)("better-sqlite3");
    const connections = [1, 2].map(() => new Database(workerData.path, { readonly: true }));
    const isOver = new Int32Array(workerData.isOver);
    const begin = (connection) => connection.exec("begin; select count(*) from wallets");
    connections.forEach(begin);
    parentPort.postMessage("reads");
    // One begins before the other ends, so that there is always one.
    for (let turn = 0; Atomics.wait(isOver, 0, 0, 25) === "timed-out"; turn++) {
      connections[turn % 2].exec("commit");
      begin(connections[turn % 2]);
    }
    connections.forEach((connection) => connection.close());`;
  const isOver = new SharedArrayBuffer(4);
  const reader = new Worker(new URL(`data:text/javascript,${encodeURIComponent(script)}`), { workerData: { path, from: import.meta.filename, isOver } });
  try {
    await once(reader, "message");
    // How long it becomes depends on how fast threads are; that it is used from its beginning does not.
    let [longest, now] = [0, logPages()];
    for (let batch = 0; now >= longest; batch++) {
      expect(batch, "batches, and the log has only grown").toBeLessThan(1_500);
      longest = now;
      await changeAll(executor);
      now = logPages();
    }
    expect(longest).toBeGreaterThanOrEqual(longLogPages);
  } finally {
    Atomics.store(new Int32Array(isOver), 0, 1);
    Atomics.notify(new Int32Array(isOver), 0);
    await once(reader, "exit");
  }
});

test("a second after the last commit all of it is in the file", async () => {
  const executor = await open();
  await openWallets(executor);
  await vi.waitFor(() => {
    const { log, checkpointed } = logState();
    expect(log).toBeGreaterThan(0);
    expect(checkpointed).toBe(log);
  }, 300_000);
});

test.each([
  ["SQLITE_IOERR_FSYNC", "unknown"],
  ["SQLITE_IOERR_WRITE", "unknown"],
  ["SQLITE_CORRUPT", "unknown"],
  ["SQLITE_FULL", "unavailable"],
  ["SQLITE_BUSY_SNAPSHOT", "unavailable"],
] as const)("a checkpoint that ends with %s says %s", (code, kind) => {
  expect(checkpointFault(code, "")).toMatchObject({ name: "StoreFault", kind });
});

test("after a checkpoint that failed in its sync nothing more is written, and the process is told to stop", async () => {
  const onFault = vi.fn<(fault: StoreFault) => void>();
  const executor = await open(() => ({ checkpoint: () => Promise.reject(checkpointFault("SQLITE_IOERR_FSYNC", "disk I/O error")), close: async () => {} }), onFault);
  await openWallets(executor);
  const failure = await (async () => {
    for (let batch = 0; batch < batches; batch++) await changeAll(executor);
  })().catch((error: unknown) => error);
  expect(failure).toMatchObject({ name: "StoreFault", kind: "unknown", message: expect.stringContaining("SQLITE_IOERR_FSYNC") });
  await expect(executor.execute([toCommand(add("1", { user: "user-1" }))])).rejects.toMatchObject({ kind: "unknown" });
  expect(onFault.mock.calls).toMatchObject([[{ name: "StoreFault", kind: "unknown" }]]);
});

test("a checkpoint for which there was no space is tried again later", async () => {
  const checkpoint = vi.fn<() => Promise<void>>(() => Promise.reject(checkpointFault("SQLITE_FULL", "database or disk is full")));
  const executor = await open(() => ({ checkpoint, close: async () => {} }));
  await openWallets(executor);
  for (let batch = 0; batch < batches; batch++) await changeAll(executor);
  expect(checkpoint.mock.calls.length).toBeGreaterThan(1);
});

test("where the checkpointer cannot begin, nothing is lost, and the writer moves the log", async () => {
  await expect(threadCheckpointer(join(folder, "nowhere", "wallet.db")).checkpoint()).rejects.toMatchObject({ name: "StoreFault", kind: "unavailable" });

  const executor = await open(() => threadCheckpointer(join(folder, "nowhere", "wallet.db")));
  await openWallets(executor);
  await changeAll(executor);
  const bytesABatch = logBytes();
  for (let batch = 0; batch < batches; batch++) {
    await changeAll(executor);
    if (batch === Math.ceil(batches / 3) + 2) await sleep(500);
  }
  expect(logBytes()).toBeLessThan(bytesABatch * batches * 0.6);
});

test("a log that could not be moved is left for the next process: neither a quiet moment nor the end of this one touches it", async () => {
  const checkpoint = vi.fn<() => Promise<void>>(() => Promise.reject(checkpointFault("SQLITE_IOERR_FSYNC", "disk I/O error")));
  const executor = await open(() => ({ checkpoint, close: async () => {} }));
  await openWallets(executor);
  while (checkpoint.mock.calls.length === 0) await changeAll(executor);
  await sleep(1_500);
  expect(logState()).toMatchObject({ checkpointed: 0 });
  await executor.close();
  expect(logState()).toMatchObject({ checkpointed: 0 });
  expect(logBytes()).toBeGreaterThan(0);
});

test("whoever closes waits for the round under way, and there is no further one", async () => {
  let rounds = 0;
  const underWay = Promise.withResolvers<void>();
  const executor = await open(() => ({
    checkpoint() {
      rounds++;
      return underWay.promise;
    },
    close: () => underWay.promise,
  }));
  await openWallets(executor);
  // Enough behind the first round for a second.
  for (let batch = 0; batch < batches; batch++) await changeAll(executor);
  const closed = executor.close();
  underWay.resolve();
  await closed;
  expect(rounds).toBe(1);
});
