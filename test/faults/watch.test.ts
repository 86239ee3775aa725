// Watching under faults: the service is killed again and again, a watcher too, another one is slow, and each sees every operation once and in order.
// Then what watchers cost: those who never read, and thousands who wait.
//
// TEST_WATCH_KILLS=100 makes it long and prints its figures; TEST_SEED=… runs a run again.

import Database from "better-sqlite3";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { WalletService } from "../../gen/wallet/v1/wallet_service_pb.ts";
import { grpcClient } from "./grpc-client.ts";
import { processorMs, residentBytes } from "./process-figures.ts";
import { randomFrom, seed, type Random } from "./random.ts";
import { rawWatches } from "./raw-watch.ts";
import { killAndResume } from "./restless.ts";
import { cleanUp, newFolder, startService, type ServiceProcess } from "./service-process.ts";
import { startWatcher, type SeenOperation } from "./watcher.ts";
import { Workload } from "./workload.ts";

const kills = Number(process.env["TEST_WATCH_KILLS"] ?? 5);
const isLong = kills > 50;

/** How long the load lasts before a kill, at most. */
const loadMaxMs = 1_000;
const clientCount = 2;
const inFlightEach = 8;
/** The first user that the workload makes, one of the few that most of it is about. */
const busyUser = "user-0";

const MiB = 1024 * 1024;

afterAll(cleanUp);

test(`three watchers of a service that is killed ${kills} times see every operation once, in order`, { timeout: 600_000 + kills * 10_000 }, async () => {
  const random = randomFrom(seed);
  const databasePath = join(newFolder("watch"), "wallet.db");
  let service = await startService({ databasePath });
  const { address } = service;
  const steady = startWatcher({ address });
  const restless = startWatcher({ address });
  const slow = startWatcher({ address, slowMs: 1 });
  const ofOneUser = startWatcher({ address, user: busyUser });
  const watchers = { steady, restless, slow, ofOneUser };
  const workload = new Workload(random);

  const restlessness = killAndResume(restless, random);
  for (let kill = 1; kill <= kills; kill++) {
    await loadAndKill(service, workload, random);
    service = await startService({ databasePath, listen: address });
  }
  await restlessness.stop();

  const journal = journalOf(databasePath);
  const expected = { steady: journal, restless: journal, slow: journal, ofOneUser: journal.filter(({ users }) => users.includes(busyUser)) };
  for (const name of ["steady", "restless", "slow", "ofOneUser"] as const) await until(() => watchers[name].seen.length >= expected[name].length);
  // Whatever comes twice would come now.
  await sleep(200);
  for (const watcher of Object.values(watchers)) await watcher.stop();
  expect(await service.end("SIGTERM")).toEqual({ exitCode: 0, signal: null });

  const figures = Object.fromEntries(Object.entries(watchers).map(([name, { seen, connections }]) => [name, { seen: seen.length, connections }]));
  const summary = { seed, kills, operations: journal.length, watcherKills: restlessness.kills(), ...figures };
  if (isLong) console.log(JSON.stringify(summary, undefined, 2));
  for (const name of ["steady", "restless", "slow", "ofOneUser"] as const) expect(flaw(watchers[name].seen, expected[name]), `${name}, TEST_SEED=${seed}`).toBeUndefined();
  // It was a trial only if there was something to see, and somebody to lose it.
  expect(journal.length, JSON.stringify(summary)).toBeGreaterThan(kills * 10);
  expect(restlessness.kills(), JSON.stringify(summary)).toBeGreaterThan(0);
  expect(steady.connections, JSON.stringify(summary)).toBeGreaterThan(kills);
});

test("SIGTERM ends watches with a word, and who resumes elsewhere misses nothing", async () => {
  const databasePath = join(newFolder("watch-drain"), "wallet.db");
  const service = await startService({ databasePath });
  const watcher = startWatcher({ address: service.address, from: "now" });
  await watcher.isWatching;
  const workload = new Workload(randomFrom(seed));
  const clients = Array.from({ length: clientCount }, () => grpcClient(service.address));
  const load = workload.run(clients, inFlightEach);
  await until(() => watcher.seen.length > 100);
  const ended = service.end("SIGTERM");
  await load;
  expect(await ended).toEqual({ exitCode: 0, signal: null });
  expect(watcher.ends[0]).toBe("Unavailable");
  const next = await startService({ databasePath, listen: service.address });
  const journal = journalOf(databasePath);
  await until(() => watcher.seen.length >= journal.length);
  await watcher.stop();
  for (const client of clients) client.close();
  await next.end("SIGTERM");
  expect(flaw(watcher.seen, journal)).toBeUndefined();
});

test.skipIf(!existsSync("/proc/self/status"))("watchers that never read cost the service a bounded amount of memory, are gone when they vanish, and do not keep it from its end", async () => {
  const stalled = 80;
  const service = await startService({ databasePath: join(newFolder("watch-slow"), "wallet.db"), flags: [`--watchers-max=${stalled}`, "--drain-timeout=1s"] });
  const client = grpcClient(service.address);
  await client.call(WalletService.method.initWallet, { userId: "ann", currency: "USD" });
  const metadata = Object.fromEntries(Array.from({ length: 16 }, (_, index) => [`note-${index}`, "x".repeat(256)]));
  const addMany = (count: number): Promise<unknown> =>
    Promise.all(Array.from({ length: 32 }, async () => {
      for (let left = count / 32; left > 0; left--) await client.call(WalletService.method.addMoney, { userId: "ann", amount: "1", metadata });
    }));
  await addMany(960);
  const sessions = await rawWatches(service.address, { count: stalled, perSession: 1, reads: false });
  const beforeBytes = residentBytes(service.pid);
  const operations = 3_200;
  await addMany(operations);
  const grownBytes = residentBytes(service.pid) - beforeBytes;
  const unreadBytes = stalled * operations * 16 * 256;
  console.log(`${stalled} stalled watchers with ${Math.round(unreadBytes / MiB)} MiB unread: memory grew by ${Math.round(grownBytes / MiB)} MiB`);
  // The whole of it would be far more; the rest is the load's own garbage and SQLite's page cache.
  expect(grownBytes).toBeLessThan(unreadBytes / 3);
  // In the middle of a write that nobody reads: their places are free all the same.
  for (const session of sessions) session.destroy();
  const others = Array.from({ length: stalled }, () => startWatcher({ address: service.address, from: "now" }));
  await Promise.all(others.map((other) => other.isWatching));
  await Promise.all(others.map((other) => other.stop()));
  const stalledAtTheEnd = await rawWatches(service.address, { count: 2, perSession: 1, reads: false });
  await addMany(640);
  client.close();
  expect(await service.end("SIGTERM")).toEqual({ exitCode: 0, signal: null });
  for (const session of stalledAtTheEnd) session.destroy();
});

test.skipIf(!existsSync("/proc/self/status"))("2,000 watchers that wait", async () => {
  const service = await startService({ databasePath: join(newFolder("watch-idle"), "wallet.db") });
  const client = grpcClient(service.address);
  await client.call(WalletService.method.initWallet, { userId: "ann", currency: "USD" });
  const add = (): Promise<unknown> => client.call(WalletService.method.addMoney, { userId: "ann", amount: "1" });
  const addMany = async (count: number): Promise<number> => {
    const startMs = processorMs(service.pid);
    for (let left = count; left > 0; left--) await add();
    return processorMs(service.pid) - startMs;
  };
  await addMany(200);
  const aloneMs = await addMany(200);
  const beforeBytes = residentBytes(service.pid);
  const count = 2_000;
  const openingMs = processorMs(service.pid);
  const sessions = await rawWatches(service.address, { count, perSession: 200, user: (index) => `waits-${index}`, reads: true });
  const openedMs = processorMs(service.pid) - openingMs;
  const eachKib = (residentBytes(service.pid) - beforeBytes) / count / 1024;
  await sleep(1_000);
  const idleStartMs = processorMs(service.pid);
  await sleep(3_000);
  const idleMs = (processorMs(service.pid) - idleStartMs) / 3;
  const amongMs = await addMany(200);
  console.log(`${count} waiting watchers: ${eachKib.toFixed(1)} KiB and ${(openedMs / count).toFixed(2)} ms of processor time each to begin, then ${idleMs.toFixed(1)} ms a second altogether; 200 operations of another user took ${amongMs} ms of it, ${aloneMs} ms without them`);
  for (const session of sessions) session.destroy();
  client.close();
  expect(await service.end("SIGTERM")).toEqual({ exitCode: 0, signal: null });
});

interface JournalLine {
  readonly sequence: bigint;
  readonly operationId: bigint;
  /** Whose wallets it is about. */
  readonly users: readonly string[];
}

async function loadAndKill(service: ServiceProcess, workload: Workload, random: Random): Promise<void> {
  const clients = Array.from({ length: clientCount }, () => grpcClient(service.address));
  const load = workload.run(clients, inFlightEach);
  await sleep(random.between(200, loadMaxMs));
  await service.end("SIGKILL");
  await load;
  for (const client of clients) client.close();
}

function journalOf(databasePath: string): JournalLine[] {
  const connection = new Database(databasePath, { readonly: true });
  connection.defaultSafeIntegers(true);
  const rows = connection
    .prepare<[], { sequence: bigint; operation_id: bigint; owner: string; receiver: string | null }>(
      "select j.sequence, j.operation_id, w.user_id as owner, r.user_id as receiver from journal j join wallets w on w.wallet_id = j.wallet_id left join wallets r on r.wallet_id = j.receiver_wallet_id order by j.sequence",
    )
    .all();
  connection.close();
  return rows.map(({ sequence, operation_id: operationId, owner, receiver }) => ({ sequence, operationId, users: receiver === null ? [owner] : [owner, receiver] }));
}

/** The first place where what was seen is not the journal; undefined where it is. */
function flaw(seen: readonly SeenOperation[], journal: readonly JournalLine[]): string | undefined {
  const length = Math.max(seen.length, journal.length);
  for (let index = 0; index < length; index++) {
    const [a, b] = [seen[index], journal[index]];
    if (a?.operationId !== b?.operationId || a?.sequence !== b?.sequence) return `number ${index}: saw ${a?.sequence}, the journal has ${b?.sequence} (${seen.length} seen, ${journal.length} there)`;
  }
  return undefined;
}

/** Looks again and again; the test's own timeout ends what never comes. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await sleep(10);
}
