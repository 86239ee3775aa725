// Every protocol's happy path with the protocol's own real clients, over HTTP/1.1 and HTTP/2 on the same port.

import { toBinary, create } from "@bufbuild/protobuf";
import { createClient, ConnectError } from "@connectrpc/connect";
import type { Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport, compressionGzip } from "@connectrpc/connect-node";
import * as grpc from "@grpc/grpc-js";
import { fromBinary } from "@bufbuild/protobuf";
import { execFile } from "node:child_process";
import { connect as connectHttp2 } from "node:http2";
import { promisify } from "node:util";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ReportService } from "../../../gen/wallet/v1/report_service_pb.ts";
import { AddMoneyRequestSchema, AddMoneyResponseSchema, WalletService } from "../../../gen/wallet/v1/wallet_service_pb.ts";
import { http1 } from "./raw-call.ts";
import { factsOf, startTestServer, stopServers } from "./test-server.ts";
import type { TestServer } from "./test-server.ts";

const run = promisify(execFile);
const buf = new URL("../../../node_modules/.bin/buf", import.meta.url).pathname;

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(stopServers);

const gzip = { sendCompression: compressionGzip, acceptCompression: [compressionGzip], compressMinBytes: 1 };

const transports: [string, (baseUrl: string) => Transport][] = [
  ["gRPC, HTTP/2", (baseUrl) => createGrpcTransport({ baseUrl })],
  ["gRPC with gzip, HTTP/2", (baseUrl) => createGrpcTransport({ baseUrl, ...gzip })],
  ["gRPC-Web, HTTP/1.1", (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: "1.1" })],
  ["gRPC-Web JSON, HTTP/2", (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: "2", useBinaryFormat: false })],
  ["Connect binary, HTTP/1.1", (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "1.1", useBinaryFormat: true })],
  ["Connect JSON, HTTP/2", (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "2", useBinaryFormat: false })],
  ["Connect JSON with gzip, HTTP/1.1", (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "1.1", useBinaryFormat: false, ...gzip })],
  ["Connect GET, HTTP/1.1", (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "1.1", useBinaryFormat: true, useHttpGet: true })],
  ["Connect GET JSON, HTTP/2", (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "2", useBinaryFormat: false, useHttpGet: true })],
];

describe.each(transports)("%s", (_, transportTo) => {
  it("calls a mutating method", async () => {
    const response = await createClient(WalletService, transportTo(server.url)).addMoney({ userId: "ann", amount: "10.50" });
    expect(response.wallet?.balance?.available).toBe("10.50");
  });

  it("calls a read", async () => {
    const response = await createClient(ReportService, transportTo(server.url)).getWalletBalance({ userId: "ann" });
    expect(response.version).toBe(9007199254740993n);
  });

  it("reads a stream to its end", async () => {
    const lines: (string | undefined)[] = [];
    for await (const { line } of createClient(ReportService, transportTo(server.url)).getStatement({ userId: "ann" })) lines.push(line.case);
    expect(lines).toEqual(["openingBalance", "closingBalance"]);
  });

  it("gives the handler's own error as it is, once", async () => {
    const failed = createClient(WalletService, transportTo(server.url)).addMoney({ userId: "poor", amount: "1" });
    const error = await failed.then(() => undefined, (thrown: unknown) => ConnectError.from(thrown));
    expect(error?.rawMessage).toBe("There is not enough.");
    expect(factsOf(error!)).toMatchObject({ code: "FailedPrecondition", reasons: ["INSUFFICIENT_FUNDS"], domains: ["wallet.v1"], metadata: { available: "1.00" } });
  });

  it("gives a stream's error after its messages", async () => {
    const lines: (string | undefined)[] = [];
    const read = async () => {
      for await (const { line } of createClient(ReportService, transportTo(server.url)).getStatement({ userId: "poor" })) lines.push(line.case);
    };
    const error = await read().then(() => undefined, (thrown: unknown) => ConnectError.from(thrown));
    expect(lines).toEqual(["openingBalance"]);
    expect(factsOf(error!)).toMatchObject({ code: "NotFound", reasons: ["WALLET_NOT_FOUND"] });
  });

  it("refuses what breaks a rule, with the field", async () => {
    const failed = createClient(WalletService, transportTo(server.url)).addMoney({ userId: "a b", amount: "1" });
    const error = await failed.then(() => undefined, (thrown: unknown) => ConnectError.from(thrown));
    expect(factsOf(error!)).toMatchObject({ code: "InvalidArgument", reasons: ["INVALID_REQUEST"], fields: ["user_id"] });
  });

  it("tells nothing of a defect but the request id", async () => {
    const failed = createClient(WalletService, transportTo(server.url)).addMoney({ userId: "broken", amount: "1" }, { headers: { "x-request-id": "find-me" } });
    const error = await failed.then(() => undefined, (thrown: unknown) => ConnectError.from(thrown));
    expect(factsOf(error!)).toMatchObject({ code: "Internal", reasons: ["INTERNAL"], metadata: { request_id: "find-me" } });
    expect(JSON.stringify([error!.rawMessage, ...error!.metadata])).not.toMatch(/SELECT|passwd/);
    expect(server.log.some((line) => line["requestId"] === "find-me" && JSON.stringify(line).includes("passwd"))).toBe(true);
  });
});

function grpcClient(): grpc.Client {
  return new grpc.Client(`127.0.0.1:${server.port}`, grpc.credentials.createInsecure());
}

function serializeAddMoney(message: { userId: string; amount: string }): Buffer {
  return Buffer.from(toBinary(AddMoneyRequestSchema, create(AddMoneyRequestSchema, message)));
}

function addMoney(userId: string, over: grpc.Client): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    over.makeUnaryRequest("/wallet.v1.WalletService/AddMoney", serializeAddMoney, (bytes) => fromBinary(AddMoneyResponseSchema, bytes), { userId, amount: "1.00" }, (error, response) =>
      error ? reject(error) : resolve(response?.wallet?.balance?.available),
    );
  });
}

describe("grpc-js", () => {
  it("calls a method", async () => {
    const over = grpcClient();
    expect(await addMoney("ann", over)).toBe("1.00");
    over.close();
  });

  it("finds the error's details in the trailers", async () => {
    const over = grpcClient();
    const error = (await addMoney("poor", over).then(() => undefined, (failure: unknown) => failure)) as grpc.ServiceError;
    expect(error.code).toBe(grpc.status.FAILED_PRECONDITION);
    expect(error.details).toBe("There is not enough.");
    expect(String(error.metadata.get("grpc-status-details-bin")[0])).toContain("INSUFFICIENT_FUNDS");
    over.close();
  });
});

describe("buf curl", () => {
  it.each(["grpc", "grpcweb", "connect"])("finds and calls a method by reflection over %s", async (protocol) => {
    const { stdout } = await run(buf, ["curl", "--http2-prior-knowledge", "--protocol", protocol, "-d", '{"user_id":"ann","amount":"2.50"}', `${server.url}/wallet.v1.WalletService/AddMoney`]);
    expect(JSON.parse(stdout)).toMatchObject({ wallet: { balance: { available: "2.50" } } });
  });
});

describe("one port", () => {
  it("answers HTTP/1.1 and HTTP/2 alike", async () => {
    const first = await http1(`${server.url}/wallet.v1.WalletService/AddMoney`, { headers: { "content-type": "application/json" }, body: '{"userId":"ann","amount":"1"}' });
    expect(first.status).toBe(200);
    const session = connectHttp2(server.url);
    const stream = session.request({ ":method": "POST", ":path": "/wallet.v1.WalletService/AddMoney", "content-type": "application/json" });
    stream.end('{"userId":"ann","amount":"1"}');
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).toString()).toBe(first.text);
    session.close();
  });

  it("says in JSON what is zero or false, too", async () => {
    const { json } = await http1(`${server.url}/wallet.v1.WalletService/ReleaseHolds`, { headers: { "content-type": "application/json" }, body: "{}" });
    expect(json()).toEqual({ releasedCount: 0, releasedAmounts: [], moreRemain: false });
  });

  it("compresses a large answer for those who ask, and a small one never", async () => {
    const url = `${server.url}/wallet.v1.WalletService/AddMoney`;
    const call = (userId: string, headers: Record<string, string>) => http1(url, { headers: { "content-type": "application/json", ...headers }, body: JSON.stringify({ userId, amount: "1" }) });
    expect((await call("ann", { "accept-encoding": "gzip" })).headers["content-encoding"]).toBeUndefined();
    expect((await call("long", {})).headers["content-encoding"]).toBeUndefined();
    const zipped = await call("long", { "accept-encoding": "gzip" });
    expect(zipped.headers["content-encoding"]).toBe("gzip");
    expect(gunzipSync(zipped.body).toString()).toContain("long long");
  });
});
