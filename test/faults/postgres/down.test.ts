// The database is stopped, frozen, or has no connection left: callers hear that it is unavailable, the process lives, and all works again by itself when it is back.

import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { Client } from "pg";
import { WalletService } from "../../../gen/wallet/v1/wallet_service_pb.ts";
import { grpcClient, type GrpcClient, type Outcome } from "../grpc-client.ts";
import { cleanUp, startService, type ServiceProcess } from "../service-process.ts";
import { cleanUpServers, OwnPostgres } from "../../support/own-postgres.ts";

/** Enough for every partition, and for many that wait behind others. */
const callCount = 200;
/** So many the database has. */
const connectionCount = 40;
/** So many milliseconds after the database is back it is served again at the latest. */
const backMs = 120_000;

let database: OwnPostgres;
let service: ServiceProcess;
let client: GrpcClient;
let keys = 0;

beforeAll(async () => {
  database = await OwnPostgres.start({ max_connections: `${connectionCount}` });
});
beforeEach(async () => {
  service = await startService({ databaseUrl: database.url, flags: ["--partitions=8"] });
  client = grpcClient(service.address);
  await Promise.all(Array.from({ length: 20 }, (_, user) => client.call(WalletService.method.initWallet, { userId: `user-${user}`, currency: "USD", idempotencyKey: `open-${user}` })));
});
afterEach(async () => {
  client.close();
  if (!service.isOver()) await service.end("SIGKILL");
});
afterAll(async () => {
  cleanUp();
  await cleanUpServers();
});

interface Sent {
  readonly key: number;
  readonly outcome: Outcome;
  readonly tookMs: number;
}

/** Sent again with the same key it is the same call. */
async function add(key = ++keys): Promise<Sent> {
  const startMs = performance.now();
  const outcome = await client.call(WalletService.method.addMoney, { userId: `user-${key % 20}`, amount: "1", reference: `add-${key}`, idempotencyKey: `add-${key}` });
  return { key, outcome, tookMs: performance.now() - startMs };
}

/** Many calls at once. All of them are answered before their client gives up, and with nothing but that the database is unavailable or the outcome unknown. */
async function expectUnavailable(): Promise<readonly Sent[]> {
  const sent = await Promise.all(Array.from({ length: callCount }, () => add()));
  const reasons = new Set(sent.map(({ outcome }) => (outcome.type === "refused" ? outcome.reason : outcome.type)));
  expect([...reasons].filter((reason) => reason !== "STORE_UNAVAILABLE" && reason !== "OUTCOME_UNKNOWN")).toEqual([]);
  const slowestMs = Math.max(...sent.map(({ tookMs }) => tookMs));
  console.log(`${callCount} calls answered after ${Math.round(Math.min(...sent.map(({ tookMs }) => tookMs)))} to ${Math.round(slowestMs)} ms`);
  // Known to be down, nobody waits for it anew.
  const again = await add();
  console.log(`another one after ${Math.round(again.tookMs)} ms`);
  expect(again.outcome).toMatchObject({ type: "refused", reason: "STORE_UNAVAILABLE" });
  const read = await client.call(WalletService.method.getWallet, { userId: "user-1" });
  expect(read).toMatchObject({ type: "refused", reason: "STORE_UNAVAILABLE" });
  expect((await fetch(`http://${service.address}/healthz`)).status).toBe(200);
  expect(service.isOver()).toBe(false);
  return sent;
}

/** It serves again by itself, and whatever was sent before is there once after it was sent again. */
async function expectBack(sent: readonly Sent[]): Promise<void> {
  const startMs = performance.now();
  for (;;) {
    const { outcome } = await add();
    if (outcome.type === "answered") break;
    if (performance.now() - startMs > backMs) throw new Error("it did not come back");
    await sleep(50);
  }
  console.log(`back after ${Math.round(performance.now() - startMs)} ms`);
  for (const { key } of sent) {
    const { outcome } = await add(key);
    expect(outcome.type, `add-${key}`).toBe("answered");
  }
  const counts = await database.ask<{ count: string }>("select count(*) as count from journal where reference = any($1) group by reference", [sent.map(({ key }) => `add-${key}`)]);
  expect(counts.map(({ count }) => count)).toEqual(sent.map(() => "1"));
}

test("stopped, and started again", async () => {
  await database.stop();
  const sent = await expectUnavailable();
  await database.start({ max_connections: `${connectionCount}` });
  await expectBack(sent);
  expect(await service.end("SIGTERM")).toEqual({ exitCode: 0, signal: null });
});

test("frozen in the middle of the load, and thawed", async () => {
  const under = Array.from({ length: 40 }, () => add());
  await sleep(30);
  database.signal("SIGSTOP");
  const sent = await expectUnavailable();
  database.signal("SIGCONT");
  await expectBack([...sent, ...(await Promise.all(under))]);
  expect(await service.end("SIGTERM")).toEqual({ exitCode: 0, signal: null });
});

test("frozen under load when the service is asked to stop: it ends in order, and everybody is answered", async () => {
  // It sweeps too, and whoever sweeps waits as others do.
  await service.end("SIGTERM");
  service = await startService({ databaseUrl: database.url, flags: ["--auto-release=true"] });
  client.close();
  client = grpcClient(service.address);
  const load = Array.from({ length: callCount }, () => add());
  await sleep(50);
  database.signal("SIGSTOP");
  // A malformed call, behind them on the same connection: once it is refused, all of them have arrived. Some are in the middle of a transaction, the others wait behind those.
  expect((await client.call(WalletService.method.addMoney, { amount: "1" })).type).toBe("refused");
  const startMs = performance.now();
  const ended = await service.end("SIGTERM");
  console.log(`ended after ${Math.round(performance.now() - startMs)} ms`);
  const sent = await Promise.all(load);
  database.signal("SIGCONT");
  expect(ended).toEqual({ exitCode: 0, signal: null });
  expect(sent.map(({ outcome }) => outcome.type)).not.toContain("silent");
});

test("without a connection left, until others let go of theirs", async () => {
  const others: Client[] = [];
  try {
    await takeEveryConnection(others);
    const sent = await expectUnavailable();
    await Promise.all(others.splice(0).map((other) => other.end()));
    await expectBack(sent);
  } finally {
    await Promise.all(others.map((other) => other.end()));
  }
  expect(await service.end("SIGTERM")).toEqual({ exitCode: 0, signal: null });
});

/** All that the database has, into `others`. The service's own are taken from it: each time until its place is had by others, for it asks for a new one at once. */
async function takeEveryConnection(others: Client[]): Promise<void> {
  for (const startMs = performance.now(); others.length < connectionCount; ) {
    if (performance.now() - startMs > 60_000) throw new Error(`only ${others.length} connections could be had`);
    const other = new Client(database.url);
    other.on("error", () => {});
    const isTaken = await other.connect().then(
      () => true,
      () => false,
    );
    if (isTaken) others.push(other);
    await others[0]?.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'wallet%'");
  }
}

test.each([
  ["fsync", "off"],
  ["synchronous_commit", "off"],
])("with %s=%s answers do not mean durable, and it says so", async (name, value) => {
  await database.stop();
  await database.start({ [name]: value });
  const other = await startService({ databaseUrl: database.url });
  expect(await (await fetch(`http://${other.address}/readyz`)).json()).toEqual({ ready: true, durable: false });
  expect(other.stderr()).toMatch(new RegExp(`"level":"warn"[^\\n]*${name} is off`));
  await other.end("SIGTERM");
  await database.stop();
  await database.start({ max_connections: `${connectionCount}` });
});
