// SIGTERM: the process ends with 0, everybody who was taken is answered, what was acknowledged is there, and nobody is cut off.

import { Agent, get } from "node:http";
import { connect as connectHttp2, constants } from "node:http2";
import { connect as connectTcp } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { WalletService } from "../../gen/wallet/v1/wallet_service_pb.ts";
import { checkBooks } from "../support/books.ts";
import { grpcClient } from "./grpc-client.ts";
import { reconcile } from "./journal-file.ts";
import { randomFrom, seed } from "./random.ts";
import { cleanUp, newFolder, readiness, startService, type Ended, type ServiceProcess } from "./service-process.ts";
import { missing, settle } from "./settle.ts";
import { ToldBook } from "./told.ts";
import { watchSession } from "./watched-session.ts";
import { Workload } from "./workload.ts";

afterAll(cleanUp);

const inOrder = { exitCode: 0, signal: null };

/** The service answers thousands of calls in this time. */
const loadMs = 700;

/** Whoever is held up by a connection is so until this is over. */
const drainTimeoutMs = 9_000;
/** Without anything under way a process is gone in a tenth of a second; a busy machine gets fifty times that. */
const soonMs = 5_000;

test.each([1, 2, 3])("under load: nothing is lost, nobody is cut off (%i)", async (trial) => {
  const random = randomFrom(seed + trial);
  const databasePath = join(newFolder("shutdown"), "wallet.db");
  let service = await startService({ databasePath });
  const watchedUsers = ["watched-1", "watched-2"];
  const first = grpcClient(service.address);
  for (const userId of watchedUsers) await first.call(WalletService.method.initWallet, { userId, currency: "USD" });
  first.close();

  const workload = new Workload(random);
  const clients = Array.from({ length: 4 }, () => grpcClient(service.address));
  const load = workload.run(clients, 16);
  const watched = watchedUsers.map((userId) => watchSession(service.address, userId, 32));
  const keptAlive = new Agent({ keepAlive: true });
  expect(await readinessOver(keptAlive, service.address)).toBe(200);
  await sleep(loadMs);
  const ending = service.end("SIGTERM");
  const lastReadiness = await untilNotReady(keptAlive, service.address);

  // The process itself exits with 1 where it is not gone after 9.5 s.
  expect(await ending).toEqual(inOrder);
  expect([503, "ECONNREFUSED", "ECONNRESET"]).toContain(lastReadiness);
  expect(await readiness(service.address)).toBe("ECONNREFUSED");
  await load;
  const ends = await Promise.all(watched.map(({ ended }) => ended));
  expect(ends.map(({ broken }) => broken)).toEqual([[], []]);
  expect(ends.every(({ whole }) => whole > 0)).toBe(true);
  // gRPC's word for a call that was never taken; a broken answer would be INTERNAL, UNKNOWN or CANCELLED.
  expect([...workload.silences.keys()].filter((code) => code !== "UNAVAILABLE")).toEqual([]);
  for (const client of clients) client.close();
  expect(checkBooks(databasePath).problems).toEqual([]);

  service = await startService({ databasePath });
  const client = grpcClient(service.address);
  expect(await missing(client, workload.acknowledged), `TEST_SEED=${seed}`).toEqual([]);
  const settled = await settle(client, [...workload.unknown, ...workload.undone.map(({ intention }) => intention)]);
  expect(settled.problems, `TEST_SEED=${seed}`).toEqual([]);
  // Who got no answer was not taken: nothing of it had been done.
  expect(settled.hadBeenDecided, `TEST_SEED=${seed}`).toBe(0);
  client.close();
  expect(await service.end("SIGTERM")).toEqual(inOrder);

  const told = new ToldBook([...workload.acknowledged, ...settled.acknowledged]).operations;
  expect(told.size).toBeGreaterThan(0);
  expect(reconcile(databasePath, told)).toEqual({ lost: [], doubled: [], strays: [] });
  expect(checkBooks(databasePath).problems).toEqual([]);
});

test("while idle connections of every kind are open: they end in order and hold nobody up", async () => {
  const service = await startService({ databasePath: join(newFolder("idle"), "wallet.db"), flags: [`--drain-timeout=${drainTimeoutMs}ms`] });
  const keptAlive = new Agent({ keepAlive: true });
  expect(await readinessOver(keptAlive, service.address)).toBe(200);
  const idleHttp1 = endOf(Object.values(keptAlive.freeSockets)[0]![0]!);

  const session = connectHttp2(`http://${service.address}`);
  await new Promise((resolve) => session.once("remoteSettings", resolve));
  const goaway = new Promise<number>((resolve) => session.once("goaway", resolve));
  const sessionEnd = endOf(session);

  expect(await soonEnded(service)).toEqual(inOrder);
  expect(await goaway).toBe(constants.NGHTTP2_NO_ERROR);
  expect(await Promise.all([idleHttp1, sessionEnd])).toEqual(["closed", "closed"]);
});

test("while a connection is open that never said a word: it holds nobody up", async () => {
  const service = await startService({ databasePath: join(newFolder("silent"), "wallet.db"), flags: [`--drain-timeout=${drainTimeoutMs}ms`] });
  const silent = connectTcp(addressOf(service.address));
  await new Promise((resolve) => silent.once("connect", resolve));
  const silentEnd = endOf(silent);
  expect(await soonEnded(service)).toEqual(inOrder);
  // It has nothing to lose: a reset will do.
  await silentEnd;
});

test("again while the first one is being obeyed: exit at once, and nothing acknowledged is lost", async () => {
  const random = randomFrom(seed + 10);
  const databasePath = join(newFolder("twice"), "wallet.db");
  let service = await startService({ databasePath });
  const workload = new Workload(random);
  const clients = Array.from({ length: 4 }, () => grpcClient(service.address));
  // Half a request: it keeps the drain waiting, so that the second signal finds the process alive.
  const slow = connectTcp(addressOf(service.address));
  slow.on("error", () => {});
  slow.write("POST /wallet/init HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{");
  const load = workload.run(clients, 16);
  await sleep(loadMs);
  void service.end("SIGTERM");
  await sleep(600);
  const { exitCode } = await service.end("SIGTERM");
  slow.destroy();
  await load;
  for (const client of clients) client.close();
  expect(exitCode).toBe(1);

  service = await startService({ databasePath });
  const client = grpcClient(service.address);
  expect(await missing(client, workload.acknowledged), `TEST_SEED=${seed}`).toEqual([]);
  expect((await settle(client, workload.unknown)).problems, `TEST_SEED=${seed}`).toEqual([]);
  client.close();
  expect(await service.end("SIGTERM")).toEqual(inOrder);
  expect(checkBooks(databasePath).problems).toEqual([]);
});

/** The status of `/readyz` over a connection that is kept, or the error that came instead. */
function readinessOver(agent: Agent, address: string): Promise<number | string> {
  return new Promise((resolve) => {
    get(`http://${address}/readyz`, { agent }, (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode ?? 0));
    }).on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

async function untilNotReady(agent: Agent, address: string): Promise<number | string> {
  const asksMax = 1_000;
  for (let ask = 0; ask < asksMax; ask++) {
    const answer = await readinessOver(agent, address);
    if (answer !== 200) return answer;
    await sleep(5);
  }
  return 200;
}

/** How the process ended after SIGTERM, or that it did not do so soon. */
function soonEnded(service: ServiceProcess): Promise<Ended | string> {
  return Promise.race([service.end("SIGTERM"), sleep(soonMs).then(() => `not ended ${soonMs} ms after SIGTERM`)]);
}

function addressOf(address: string): { host: string; port: number } {
  const [host = "", port = ""] = address.split(":");
  return { host, port: Number(port) };
}

function endOf(connection: { on(event: "error", listener: (error: Error) => void): unknown; on(event: "close", listener: () => void): unknown }): Promise<string> {
  return new Promise((resolve) => {
    connection.on("error", (error) => resolve(error.message));
    connection.on("close", () => resolve("closed"));
  });
}
