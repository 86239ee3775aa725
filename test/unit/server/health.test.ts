// grpc.health.v1 with a real gRPC client: what a load balancer is told.

import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { createClient, Code, ConnectError } from "@connectrpc/connect";
import { createGrpcTransport, createConnectTransport } from "@connectrpc/connect-node";
import * as grpc from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Health, HealthCheckRequestSchema, HealthCheckResponseSchema } from "../../../gen/grpc/health/v1/health_pb.ts";
import { startTestServer, stopServers } from "./test-server.ts";
import type { TestServer } from "./test-server.ts";

const SERVING = 1;
const NOT_SERVING = 2;
const SERVICE_UNKNOWN = 3;

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(stopServers);

function check(service: string): Promise<number> {
  const client = new grpc.Client(`127.0.0.1:${server.port}`, grpc.credentials.createInsecure());
  return new Promise<number>((resolve, reject) => {
    client.makeUnaryRequest(
      "/grpc.health.v1.Health/Check",
      (name: string) => Buffer.from(toBinary(HealthCheckRequestSchema, create(HealthCheckRequestSchema, { service: name }))),
      (bytes) => fromBinary(HealthCheckResponseSchema, bytes),
      service,
      (error, response) => (error ? reject(error) : resolve(response!.status)),
    );
  }).finally(() => client.close());
}

it.each(["", "wallet.v1.WalletService", "wallet.v1.ReportService"])("knows %j", async (service) => {
  expect(await check(service)).toBe(SERVING);
});

it("does not know others", async () => {
  await expect(check("wallet.v1.Other")).rejects.toMatchObject({ code: grpc.status.NOT_FOUND });
});

it("says when requests are not taken, and goes on answering", async () => {
  server.ready = false;
  expect(await check("")).toBe(NOT_SERVING);
  server.ready = true;
  expect(await check("")).toBe(SERVING);
});

it("lists all names", async () => {
  const { statuses } = await createClient(Health, createConnectTransport({ baseUrl: server.url, httpVersion: "1.1" })).list({});
  const byName = Object.fromEntries(Object.entries(statuses).map(([name, { status }]) => [name, status]));
  expect(byName).toEqual({ "": SERVING, "wallet.v1.ReportService": SERVING, "wallet.v1.WalletService": SERVING });
});

it("tells watchers of a change", async () => {
  const statuses: number[] = [];
  for await (const { status } of createClient(Health, createGrpcTransport({ baseUrl: server.url })).watch({})) {
    statuses.push(status);
    server.ready = !server.ready;
    if (statuses.length === 3) break;
  }
  server.ready = true;
  expect(statuses).toEqual([SERVING, NOT_SERVING, SERVING]);
});

it("tells watchers of an unknown name so, without an error", async () => {
  for await (const { status } of createClient(Health, createGrpcTransport({ baseUrl: server.url })).watch({ service: "other" })) {
    expect(status).toBe(SERVICE_UNKNOWN);
    break;
  }
});

it("lets its watchers go when they leave", async () => {
  const abort = new AbortController();
  const watched = (async () => {
    for await (const _ of createClient(Health, createGrpcTransport({ baseUrl: server.url })).watch({}, { signal: abort.signal })) abort.abort();
  })();
  await expect(watched).rejects.toSatisfy((error) => ConnectError.from(error).code === Code.Canceled);
});

it("is watched for longer than the longest deadline of a call", async () => {
  const short = await startTestServer({ timeoutMaxMs: 100 });
  const statuses: number[] = [];
  for await (const { status } of createClient(Health, createGrpcTransport({ baseUrl: short.url })).watch({})) {
    statuses.push(status);
    if (statuses.length === 2) break;
    setTimeout(() => (short.ready = false), 300);
  }
  expect(statuses).toEqual([SERVING, NOT_SERVING]);
});
