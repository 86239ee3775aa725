// Going down: what was taken is answered, on every kind of connection, and nothing is reset that waits for an answer.

import { once } from "node:events";
import { Agent, request } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import type { ClientHttp2Session } from "node:http2";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import * as grpc from "@grpc/grpc-js";
import { afterEach, expect, it } from "vitest";
import { Health } from "../../../gen/grpc/health/v1/health_pb.ts";
import { AddMoneyRequestSchema, AddMoneyResponseSchema } from "../../../gen/wallet/v1/wallet_service_pb.ts";
import { rawSocket } from "./raw-socket.ts";
import { startTestServer, stopServers } from "./test-server.ts";
import type { TestServer } from "./test-server.ts";

afterEach(stopServers);

const waitingBody = '{"user_id":"wait","amount":"1"}';

function http1Call(server: TestServer, agent: Agent): Promise<{ status: number; connection: string | undefined; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(`${server.url}/wallet/add_money`, { method: "POST", agent, headers: { "content-type": "application/json" } }, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => (text += chunk.toString()));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, connection: response.headers.connection, text }));
      response.on("error", reject);
    });
    sent.on("error", reject);
    sent.end(waitingBody);
  });
}

/** Over a connection of its own. */
function statusOnItsOwn(url: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(url, { agent: false }, (response) => resolve(response.resume().statusCode)).on("error", reject).end();
  });
}

async function http2Call(session: ClientHttp2Session): Promise<string> {
  const stream = session.request({ ":method": "POST", ":path": "/wallet/add_money", "content-type": "application/json" });
  stream.end(waitingBody);
  let text = "";
  for await (const chunk of stream) text += String(chunk);
  return text;
}

function grpcCall(client: grpc.Client): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      "/wallet.v1.WalletService/AddMoney",
      (message: { userId: string; amount: string }) => Buffer.from(toBinary(AddMoneyRequestSchema, create(AddMoneyRequestSchema, message))),
      (bytes) => fromBinary(AddMoneyResponseSchema, bytes),
      { userId: "wait", amount: "1" },
      (error, response) => (error ? reject(error) : resolve(response?.wallet?.userId)),
    );
  });
}

it("answers every call that was taken, whatever its protocol, and then is gone", async () => {
  const server = await startTestServer();
  const agent = new Agent({ keepAlive: true });
  const session = connectHttp2(server.url);
  const client = new grpc.Client(`127.0.0.1:${server.port}`, grpc.credentials.createInsecure());
  const calls = [http1Call(server, agent), http1Call(server, agent), http2Call(session), http2Call(session), grpcCall(client)] as const;
  await server.gate.waitFor(calls.length);

  let isDrained = false;
  const drained = server.drain().then(() => (isDrained = true));
  // Long enough for everything that must not happen while calls wait.
  await new Promise((resolve) => setTimeout(resolve, 400));
  expect(isDrained).toBe(false);
  server.gate.open();

  const [first, second, third, fourth, fifth] = await Promise.all(calls);
  expect([first.status, first.connection, second.status, second.connection]).toEqual([200, "close", 200, "close"]);
  expect([third, fourth].every((text) => text.includes('"wait"'))).toBe(true);
  expect(fifth).toBe("wait");
  await drained;
  await expect(rawSocket(server.port)).rejects.toThrow("ECONNREFUSED");
  agent.destroy();
  client.close();
});

it("takes no new connection once the port is closed, and still answers those who came before", async () => {
  const server = await startTestServer();
  const agent = new Agent();
  const call = http1Call(server, agent);
  await server.gate.waitFor(1);
  const drained = server.drain();
  await server.stopAccepting();
  await expect(rawSocket(server.port)).rejects.toThrow("ECONNREFUSED");
  server.gate.open();
  expect((await call).status).toBe(200);
  await drained;
});

it("answers on connections that wait to be taken when it begins: the system would reset them", async () => {
  const server = await startTestServer();
  const statuses = Array.from({ length: 20 }, () => statusOnItsOwn(`${server.url}/healthz`));
  // The system has accepted them by now, and we have not had a turn to.
  await new Promise((resolve) => process.nextTick(resolve));
  await server.drain();
  expect(new Set(await Promise.all(statuses))).toEqual(new Set([200]));
});

// Also where the drain has hardly more time than the port: it must not be used up by then.
it.each([400, 600_000])("closes the port of a thread that is busy all the time, and answers then those whom it took meanwhile, with %i ms for the drain", async (drainTimeoutMs) => {
  const server = await startTestServer({ drainTimeoutMs });
  let [isBusy, isClosed] = [true, false];
  const turn = (): void => {
    const endMs = performance.now() + 2;
    while (performance.now() < endMs);
    if (isBusy) setImmediate(turn);
  };
  turn();
  const closing = server.stopAccepting().then(() => (isClosed = true));
  const answered = statusOnItsOwn(`${server.url}/healthz`).then((status) => ({ status, isClosed }));
  await closing;
  isBusy = false;
  const drained = server.drain();
  expect(await answered).toEqual({ status: 200, isClosed: true });
  await drained;
});

it("closing the port alone leaves those who are connected where they are, and is no drain", async () => {
  const server = await startTestServer();
  server.gate.open();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const session = connectHttp2(server.url);
  let goaways = 0;
  session.on("goaway", () => goaways++);
  await Promise.all([http1Call(server, agent), http2Call(session)]);
  await server.stopAccepting();
  await expect(rawSocket(server.port)).rejects.toThrow("ECONNREFUSED");
  expect(await http1Call(server, agent)).toMatchObject({ status: 200, connection: "keep-alive" });
  expect(await http2Call(session)).toContain('"wait"');
  expect(goaways).toBe(0);
  await server.drain();
  expect(goaways).toBeGreaterThan(0);
  agent.destroy();
});

it("is unready from its beginning", async () => {
  const server = await startTestServer();
  const { socket, until } = await rawSocket(server.port);
  socket.write("GET /readyz HTTP/1.1\r\nhost: x\r\n\r\n");
  await until((received) => received.includes("200 OK"));
  const drained = server.drain();
  socket.write("GET /readyz HTTP/1.1\r\nhost: x\r\n\r\n");
  const answers = await until((received) => received.includes("503"));
  expect(answers.toLowerCase()).toContain("connection: close");
  await drained;
});

it("answers a request that was on its way over an idle connection", async () => {
  const server = await startTestServer();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  server.gate.open();
  await http1Call(server, agent);
  const drained = server.drain();
  expect(await http1Call(server, agent)).toMatchObject({ status: 200, connection: "close" });
  await drained;
});

it("closes connections that are idle, silent or HTTP/2 without waiting for the end of its time", async () => {
  const server = await startTestServer({ drainTimeoutMs: 600_000, firstByteTimeoutMs: 2_000 });
  server.gate.open();
  const agent = new Agent({ keepAlive: true });
  await http1Call(server, agent);
  const session = connectHttp2(server.url);
  await once(session, "connect");
  const goaway = once(session, "goaway");
  await http2Call(session);
  await server.drain();
  expect((await goaway)[0]).toBe(0);
  agent.destroy();
});

it("ends streams that would go on for ever", async () => {
  const server = await startTestServer({ drainTimeoutMs: 600_000 });
  const statuses: number[] = [];
  const watched = (async () => {
    for await (const { status } of createClient(Health, createGrpcTransport({ baseUrl: server.url })).watch({})) {
      statuses.push(status);
      if (statuses.length === 1) void server.drain();
    }
  })();
  await watched;
  await server.drain();
  expect(statuses).toEqual([1, 2]);
});

it("does not wait for a peer that has its answers and keeps its side open", async () => {
  const server = await startTestServer({ drainTimeoutMs: 600_000 });
  for await (const _ of createClient(Health, createGrpcTransport({ baseUrl: server.url })).watch({})) break;
  // The client has left the loop and not its connection; only by now the stream is really under way.
  await new Promise((resolve) => setTimeout(resolve, 300));
  await server.drain();
});

it("destroys what is left after its time", async () => {
  const server = await startTestServer({ drainTimeoutMs: 300 });
  const agent = new Agent();
  const call = http1Call(server, agent).then(
    () => "answered",
    () => "reset",
  );
  const session = connectHttp2(server.url);
  session.on("error", () => {});
  const other = http2Call(session).then(
    () => "answered",
    () => "reset",
  );
  await server.gate.waitFor(2);
  await server.drain();
  expect(await call).toBe("reset");
  await other;
});

it("gives the same promise to everyone who asks", async () => {
  const server = await startTestServer();
  expect(server.drain()).toBe(server.drain());
  await server.drain();
});
