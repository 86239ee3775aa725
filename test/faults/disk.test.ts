// Disks that fail: a full one stops writes and nothing else, and one that refuses in the middle of a commit stops the process in time.

import { cpSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { ReportService } from "../../gen/wallet/v1/report_service_pb.ts";
import { WalletService } from "../../gen/wallet/v1/wallet_service_pb.ts";
import { checkBooks } from "../support/books.ts";
import { grpcClient, type GrpcClient } from "./grpc-client.ts";
import type { Acknowledged } from "./intentions.ts";
import { reconcile } from "./journal-file.ts";
import { randomFrom, seed } from "./random.ts";
import { cleanUp, newFolder, readiness, startService } from "./service-process.ts";
import { missing, settle } from "./settle.ts";
import { smallDisk } from "./small-disk.ts";
import { ToldBook } from "./told.ts";
import { Workload } from "./workload.ts";

afterAll(cleanUp);

/** Two databases of the test's size, and a log that grows until its first checkpoint. */
const diskKib = 24 * 1024;

test("a full disk: reads go on, writes are refused and do nothing, and with space again all goes on without a restart", async (context) => {
  const disk = await smallDisk(context, diskKib);
  const databasePath = join(disk.folder, "wallet.db");
  const service = await startService({ databasePath, through: disk.through });
  const client = grpcClient(service.address);
  const workload = new Workload(randomFrom(seed));
  await runUntil(workload, client, () => workload.acknowledged.length >= 500);

  for (let time = 1; time <= 2; time++) {
    disk.fill();
    // The log has room of its own for a while.
    await runUntil(workload, client, () => workload.undone.length > 0);
    // After a batch that did not fit, a smaller one may: what counts is a stretch in which nothing did.
    let before: unknown;
    const done = (): number => workload.acknowledged.length + workload.released;
    for (let known = -1, tries = 0; known !== done(); tries++) {
      expect(tries).toBeLessThan(20);
      known = done();
      before = await operations(client);
      const refused = workload.undone.length;
      await runUntil(workload, client, () => workload.undone.length >= refused + 100);
    }
    expect(new Set(workload.undone.map(({ reason }) => reason))).toEqual(new Set(["STORE_UNAVAILABLE"]));
    expect(await operations(client)).toEqual(before);
    expect(await missing(client, workload.acknowledged), `TEST_SEED=${seed}`).toEqual([]);
    for (const { intention } of workload.undone) {
      const { userId, key: idempotencyKey } = intention;
      expect(await client.call(WalletService.method.getOperation, { userId, idempotencyKey })).toMatchObject({ type: "refused", reason: "OPERATION_NOT_FOUND" });
    }
    expect(await readiness(service.address)).toBe(200);

    disk.free();
    const settled = await settle(client, workload.undone.splice(0).map(({ intention }) => intention));
    expect(settled.problems, `TEST_SEED=${seed}`).toEqual([]);
    expect(settled.hadBeenDecided, `TEST_SEED=${seed}`).toBe(0);
    workload.acknowledged.push(...settled.acknowledged);
    const known = workload.acknowledged.length;
    await runUntil(workload, client, () => workload.acknowledged.length >= known + 200);
    expect(workload.undone).toEqual([]);
  }

  expect(workload.unknown).toEqual([]);
  client.close();
  expect(service.isOver()).toBe(false);
  expect(await service.end("SIGTERM")).toEqual({ exitCode: 0, signal: null });
  const copy = newFolder("copy");
  cpSync(disk.outside, copy, { recursive: true });
  expectRightBooks(join(copy, "wallet.db"), workload.acknowledged);
});

test("a commit that the disk breaks off: its callers are told that nobody knows, the process stops, and a new one knows", async () => {
  const databasePath = join(newFolder("broken"), "wallet.db");
  // Files may not grow beyond this many KiB. Node ignores SIGXFSZ, so that the write fails with EFBIG, which is no full disk but an I/O error.
  const fileMaxKib = 2_048;
  const through = ["bash", "-c", `ulimit -f ${fileMaxKib} && exec "$@"`, "bash"];
  const limited = await startService({ databasePath, through });
  const workload = new Workload(randomFrom(seed + 1));
  const clients = Array.from({ length: 2 }, () => grpcClient(limited.address));
  await workload.run(clients, 8);
  for (const client of clients) client.close();
  expect(await limited.ended).toEqual({ exitCode: 1, signal: null });
  expect(limited.stderr()).toContain("the store can no longer be trusted");
  expect(workload.acknowledged.length).toBeGreaterThan(100);
  // Before the process ends: a caller that hears nothing could not tell this from a lost connection.
  expect(workload.toldUnknown).toBeGreaterThan(0);
  expect(checkBooks(databasePath).problems).toEqual([]);

  const service = await startService({ databasePath });
  const client = grpcClient(service.address);
  expect(await missing(client, workload.acknowledged), `TEST_SEED=${seed}`).toEqual([]);
  const settled = await settle(client, [...workload.unknown, ...workload.undone.map(({ intention }) => intention)]);
  expect(settled.problems, `TEST_SEED=${seed}`).toEqual([]);
  client.close();
  expect(await service.end("SIGTERM")).toEqual({ exitCode: 0, signal: null });
  expectRightBooks(databasePath, [...workload.acknowledged, ...settled.acknowledged]);
});

test("with several network threads a broken commit stops the process, too, whichever thread's callers it was of", async () => {
  // One connection is of one thread: that all of them are of the first is once in 64 runs.
  for (let run = 0; run < 3; run++) {
    const through = ["bash", "-c", 'ulimit -f 1024 && exec "$@"', "bash"];
    const service = await startService({ databasePath: join(newFolder("broken"), "wallet.db"), through, flags: ["--network-threads=4"] });
    const client = grpcClient(service.address);
    const workload = new Workload(randomFrom(seed + run));
    const running = workload.run([client], 8);
    const ended = await service.ended;
    expect(ended, service.stderr().slice(-4000)).toEqual({ exitCode: 1, signal: null });
    expect(service.stderr()).toContain("the store can no longer be trusted");
    await running;
    client.close();
  }
});

/** Sends intentions, a few at a time, until this is so. */
async function runUntil(workload: Workload, client: GrpcClient, isEnough: () => boolean): Promise<void> {
  const answersMax = 30_000;
  await workload.run([client], 8, (count) => {
    if (isEnough() || count >= answersMax) workload.stop();
  });
  expect(isEnough(), "what was waited for did not happen").toBe(true);
}

/** How many operations of each kind the service has, by its own report. */
async function operations(client: GrpcClient): Promise<unknown> {
  const report = await client.call(ReportService.method.getWalletOperationReport, {});
  expect(report.type).toBe("answered");
  return report;
}

function expectRightBooks(databasePath: string, acknowledged: readonly Acknowledged[]): void {
  expect(reconcile(databasePath, new ToldBook(acknowledged).operations)).toEqual({ lost: [], doubled: [], strays: [] });
  expect(checkBooks(databasePath).problems).toEqual([]);
}
