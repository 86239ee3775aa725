// Several network threads on one port: each serves, together they keep the bounds, and what one has done the others know.

import { createClient } from "@connectrpc/connect";
import { createConnectTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { connect } from "node:http2";
import { createServer, type AddressInfo } from "node:net";
import { pino } from "pino";
import { afterEach, expect, test, vi } from "vitest";
import { ReportService } from "../../gen/wallet/v1/report_service_pb.ts";
import { WalletService } from "../../gen/wallet/v1/wallet_service_pb.ts";
import { startApp } from "../../src/app.ts";
import { readConfig } from "../../src/config.ts";
import { checkBooks } from "../support/books.ts";
import { refused } from "../support/clients/client.ts";
import { spawnService, startService, type Service } from "../support/service.ts";

const threads = 4;
/** Connections enough that each thread has some, however the system spreads them: of so many, all miss one thread once in 10^11 runs. */
const connectionCount = 90;

let service: Service;
const sessions: Http2SessionManager[] = [];

const connection = (): ReturnType<typeof clientsOf> => {
  const session = new Http2SessionManager(service.url);
  sessions.push(session);
  return clientsOf(session);
};
const clientsOf = (sessionManager: Http2SessionManager) => {
  const transport = createConnectTransport({ baseUrl: service.url, httpVersion: "2", sessionManager });
  return { wallets: createClient(WalletService, transport), reports: createClient(ReportService, transport) };
};
const connections = (): ReturnType<typeof connection>[] => Array.from({ length: connectionCount }, connection);

afterEach(async () => {
  for (const session of sessions.splice(0)) session.abort();
  await service.remove();
});

test("each thread takes its share of what is bounded, so all of them serve", async () => {
  service = await startService(`--network-threads=${threads}`, `--watchers-max=${threads}`);
  const leave = new AbortController();
  const begun = connections().map(async ({ reports }) => {
    const first = await reports.watchOperations({ start: { case: "fromStart", value: true } }, { signal: leave.signal })[Symbol.asyncIterator]().next();
    return first.done === false;
  });
  const outcomes = await Promise.allSettled(begun);
  expect(outcomes.filter((outcome) => outcome.status === "fulfilled" && outcome.value)).toHaveLength(threads);
  const refusals = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [refused(outcome.reason)] : []));
  expect(new Set(refusals.map((refusal) => (refusal.ok ? "" : refusal.error.reason)))).toEqual(new Set(["OVERLOADED"]));
  leave.abort();
});

test("every call of every thread is a line of the log, and each line is whole", async () => {
  service = await spawnService(`--network-threads=${threads}`, "--log-level=debug");
  const all = connections();
  await Promise.all(all.map(({ wallets }, index) => wallets.initWallet({ userId: `user-${index}`, currency: "USD" }, { headers: { "x-request-id": `request-${index}` } })));
  await service.stop();
  // Whatever is no line of JSON at level info or debug is a complaint.
  expect(service.complaints).toEqual([]);
  expect(new Set(service.calls)).toEqual(new Set(all.map((_, index) => `request-${index}`)));
});

test("what one thread has answered, every other one knows, and a key holds for all of them", async () => {
  service = await spawnService(`--network-threads=${threads}`, "--log-level=info");
  const all = connections();
  await all[0]!.wallets.initWallet({ userId: "alice", currency: "USD" });
  for (const [index, { wallets }] of all.entries()) {
    const key = `key-${Math.floor(index / 2)}`;
    const { wallet, replayed } = await wallets.addMoney({ userId: "alice", amount: "1", idempotencyKey: key });
    expect({ replayed, available: wallet?.balance?.available }).toEqual({ replayed: index % 2 === 1, available: `${Math.floor(index / 2) + 1}.00` });
    const next = all[(index + 1) % all.length]!;
    expect((await next.reports.getWalletBalance({ userId: "alice" })).available).toBe(wallet?.balance?.available);
    expect((await next.wallets.getOperation({ userId: "alice", idempotencyKey: key })).outcome).toMatchObject({ case: "operation" });
  }
});

test("who watches at one thread sees what was committed through the others, once and in order", async () => {
  service = await startService(`--network-threads=${threads}`);
  const all = connections();
  const leave = new AbortController();
  const watches = all.slice(0, 12).map(async ({ reports }) => {
    const references: string[] = [];
    for await (const { operation } of reports.watchOperations({ start: { case: "fromStart", value: true } }, { signal: leave.signal })) {
      if (operation !== undefined) references.push(operation.reference);
      if (references.length === connectionCount + 1) return references;
    }
    return references;
  });
  await all[0]!.wallets.initWallet({ userId: "alice", currency: "USD", reference: "opened" });
  await Promise.all(all.map(({ wallets }, index) => wallets.addMoney({ userId: "alice", amount: "1", reference: `${index}` })));
  const seen = await Promise.all(watches);
  leave.abort();
  expect(new Set(seen[0])).toEqual(new Set(["opened", ...all.map((_, index) => `${index}`)]));
  for (const references of seen) expect(references).toEqual(seen[0]);
});

test("stopping under load answers every call of every thread, and what was acknowledged is there", async () => {
  service = await spawnService(`--network-threads=${threads}`, "--log-level=info");
  const all = connections();
  await all[0]!.wallets.initWallet({ userId: "alice", currency: "USD" });
  let acknowledged = 0;
  const codes = new Set<string>();
  const loads = all.map(async ({ wallets }) => {
    try {
      for (;;) {
        await wallets.addMoney({ userId: "alice", amount: "1" });
        acknowledged++;
      }
    } catch (error) {
      codes.add(String(error));
    }
  });
  await vi.waitFor(() => expect(acknowledged).toBeGreaterThan(1_000), 60_000);
  await service.stop();
  await Promise.all(loads);
  // Refused, or never taken: https://www.rfc-editor.org/rfc/rfc9113#section-8.7.
  expect([...codes].filter((said) => !/\[unavailable\]|REFUSED_STREAM/.test(said))).toEqual([]);
  const { operations, problems } = checkBooks(service.databasePath);
  expect(problems).toEqual([]);
  expect(operations).toBe(acknowledged + 1);
});

test("who is sent away finds the port closed, and not a thread that takes them and is gone", async () => {
  service = await startService("--network-threads=2");
  const body = JSON.stringify({ items: Array.from({ length: 1_000 }, (_, index) => ({ initWallet: { userId: `user-${index}`, currency: "USD" } })) });
  const outcome = (agent: Agent): Promise<number | string | undefined> =>
    new Promise((resolve) => {
      request(`${service.url}/wallet.v1.WalletService/ExecuteBatch`, { agent, method: "POST", headers: { "content-type": "application/json" } }, (response) => resolve(response.resume().statusCode))
        .on("error", ({ code }: NodeJS.ErrnoException) => resolve(code))
        .end(body);
    });
  const sentAway = Array.from({ length: 40 }, async () => {
    await once(connect(service.url), "goaway");
    return outcome(new Agent());
  });
  // Threads that are busy see late that they are to stop.
  let answered = 0;
  const loads = Array.from({ length: 8 }, async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (;;) {
      const last = await outcome(agent);
      if (last !== 200) return last;
      answered++;
    }
  });
  await vi.waitFor(() => expect(answered).toBeGreaterThan(8), 60_000);
  await service.stop();
  expect(new Set(await Promise.all([...loads, ...sentAway]))).toEqual(new Set(["ECONNREFUSED"]));
});

test("a port that somebody has is not shared with them", async () => {
  service = await startService();
  const other = createServer();
  await new Promise<void>((resolve) => other.listen({ port: 0, host: "127.0.0.1", reusePort: true }, resolve));
  const { port } = other.address() as AddressInfo;
  const start = readConfig([`--network-threads=${threads}`, `--listen=127.0.0.1:${port}`, `--database-url=sqlite:${service.databasePath}.other`], {});
  if (start.kind !== "run") throw new Error("nothing was started");
  await expect(startApp(start.config, pino({ level: "silent" }))).rejects.toMatchObject({ code: "EADDRINUSE" });
  await new Promise((resolve) => other.close(resolve));
});
