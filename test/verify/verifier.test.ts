// Verifications in their threads: shared by who asks meanwhile, ended with their last caller, and ended at once when the service goes down.

import type { Worker } from "node:worker_threads";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ReportService, VerifyLedgerRequestSchema } from "../../gen/wallet/v1/report_service_pb.ts";
import { WalletService } from "../../gen/wallet/v1/wallet_service_pb.ts";
import { executorOn } from "../../src/ledger/executor.ts";
import type { VerificationEvent } from "../../src/ledger/verifier-messages.ts";
import { Verifier, VerifierClosed } from "../../src/ledger/verifier.ts";
import { StartError } from "../../src/start-error.ts";
import { engines, type LedgerPlace } from "../support/engines.ts";
import { startMs, storyRules } from "../support/given.ts";
import { MixedWriter } from "../support/mixed-ledger.ts";
import { startService } from "../support/service.ts";
import { keepTypeStripping } from "../support/type-stripping.ts";

const entry = new URL("../../src/verifier.ts", import.meta.url);
const never = new AbortController().signal;
const { idempotencyRetentionMs } = storyRules;

let place: LedgerPlace;
beforeAll(async () => {
  keepTypeStripping();
  place = await engines[0]!.open();
  let nowMs = startMs;
  const executor = executorOn(await place.openStore(() => nowMs), storyRules);
  const writer = new MixedWriter(executor, { seed: 5, users: 50, passMs: (ms) => (nowMs += ms) });
  await writer.open();
  for (let batch = 0; batch < 60; batch++) await writer.write(200);
  await executor.close();
});
afterAll(() => place.remove());

const verifierOf = (path = place.path): Verifier => new Verifier(entry, { database: { kind: "sqlite", path }, idempotencyRetentionMs });

async function eventsOf(verification: AsyncIterable<VerificationEvent>): Promise<VerificationEvent[]> {
  const events: VerificationEvent[] = [];
  for await (const event of verification) events.push(event);
  return events;
}

test("progress never goes back and never beyond what there is; the result comes last", async () => {
  const events = await eventsOf(verifierOf().verify(never));
  const progress = events.slice(0, -1);
  expect(progress.length).toBeGreaterThan(0);
  for (const [index, event] of progress.entries()) {
    if (event.type !== "progress") throw new Error("a result in the middle");
    expect(event.checkedOperations).toBeLessThanOrEqual(event.totalOperations);
    expect(event.checkedOperations).toBeGreaterThanOrEqual(index === 0 ? 0n : (progress[index - 1] as typeof event).checkedOperations);
  }
  expect(events.at(-1)).toMatchObject({ type: "result", mismatches: [], mismatchCount: 0 });
});

test("who asks while one is under way is told the same result; afterwards a new one begins", async () => {
  const verifier = verifierOf();
  const [first, second] = await Promise.all([eventsOf(verifier.verify(never)), eventsOf(verifier.verify(never))]);
  expect(second.at(-1)).toBe(first.at(-1));
  const third = await eventsOf(verifier.verify(never));
  expect(third.at(-1)).toEqual(first.at(-1));
  expect(third.at(-1)).not.toBe(first.at(-1));
});

test("a caller who goes away leaves the others; a verification that nobody waits for ends, and the next one is a new one", async () => {
  const verifier = verifierOf();
  const leaving = new AbortController();
  const left = verifier.verify(leaving.signal);
  const staying = eventsOf(verifier.verify(never));
  await left.next();
  leaving.abort(new Error("gone"));
  await expect(left.next()).rejects.toThrow("gone");
  expect((await staying).at(-1)).toMatchObject({ type: "result" });

  const alone = new AbortController();
  const abandoned = verifier.verify(alone.signal);
  const waiting = abandoned.next();
  alone.abort(new Error("gone too"));
  await expect(waiting).rejects.toThrow("gone too");
  expect((await eventsOf(verifier.verify(never))).at(-1)).toMatchObject({ type: "result", mismatches: [] });
});

test("starting and leaving again and again never has more than one thread", async () => {
  let alive = 0;
  let most = 0;
  const count = (worker: Worker): void => {
    most = Math.max(most, ++alive);
    worker.on("exit", () => alive--);
  };
  process.on("worker", count);
  try {
    const verifier = verifierOf();
    for (let call = 0; call < 30; call++) await expect(eventsOf(verifier.verify(AbortSignal.timeout(25)))).rejects.toThrow("timeout");
    const together = Array.from({ length: 5 }, () => eventsOf(verifier.verify(never)));
    for (const events of await Promise.all(together)) expect(events.at(-1)).toMatchObject({ type: "result", mismatches: [] });
    await verifier.close();
    expect({ most, alive }).toEqual({ most: 1, alive: 0 });
  } finally {
    process.off("worker", count);
  }
});

test("a thread that is ended in the middle leaves neither a lock nor an open file", async () => {
  const verifier = verifierOf();
  for (let call = 0; call < 10; call++) {
    const leaving = new AbortController();
    const verification = verifier.verify(leaving.signal);
    await verification.next();
    leaving.abort(new Error("gone"));
    await expect(verification.next()).rejects.toThrow("gone");
  }
  await verifier.close();
  const db = new Database(place.path, { timeout: 0 });
  expect(db.pragma("wal_checkpoint(TRUNCATE)")).toEqual([{ busy: 0, log: 0, checkpointed: 0 }]);
  db.close();
});

test("a message that cannot be read fails the verification", async () => {
  const verification = verifierOf().verify(never);
  const started = new Promise<Worker>((resolve) => process.once("worker", resolve));
  const waiting = verification.next();
  (await started).emit("messageerror", new Error("cannot be read"));
  await expect(waiting).rejects.toThrow("cannot be read");
});

test("closing ends what is under way and takes no more", async () => {
  const verifier = verifierOf();
  const verification = verifier.verify(never);
  await verification.next();
  await verifier.close();
  await expect(verification.next()).rejects.toThrow(VerifierClosed);
  await expect(verifier.verify(never).next()).rejects.toThrow(VerifierClosed);
  await verifier.close();
});

test("a ledger that is not there is a sentence", async () => {
  await expect(verifierOf(`${place.path}.missing`).verify(never).next()).rejects.toThrow(StartError);
});

describe("in the service", () => {
  test("it says what somebody changed, and does not hold the service up when it stops", async () => {
    const service = await startService();
    const client = createClient(ReportService, createGrpcTransport({ baseUrl: service.url }));
    const lastOf = async (onEvent = (): void => {}) => {
      let last;
      for await (const each of client.verifyLedger(create(VerifyLedgerRequestSchema))) {
        last = each.event;
        onEvent();
      }
      return last;
    };
    try {
      expect(await lastOf()).toMatchObject({ case: "result", value: { ok: true, mismatchCount: 0n } });
      const db = new Database(service.databasePath);
      db.exec("update ledger_head set sequence = 7");
      db.close();
      expect(await lastOf()).toMatchObject({ case: "result", value: { ok: false, mismatchCount: 1n, mismatches: [{ subject: "head of partition 0: sequence", expected: "0", actual: "7" }] } });
      // Long enough to be under way when the stop comes.
      const wallets = createClient(WalletService, createGrpcTransport({ baseUrl: service.url }));
      const opened = Array.from({ length: 10_000 }, (_, index) => ({ operation: { case: "initWallet" as const, value: { userId: `u${index}`, currency: "USD" } } }));
      await wallets.executeBatch({ items: opened });
      const underWay = Promise.withResolvers<void>();
      const interrupted = lastOf(() => underWay.resolve()).then(
        () => "finished",
        (error: unknown) => Code[ConnectError.from(error).code],
      );
      await underWay.promise;
      await service.stop();
      expect(["finished", "Unavailable"]).toContain(await interrupted);
      expect(service.complaints).toEqual([]);
    } finally {
      await service.remove();
    }
  });
});
