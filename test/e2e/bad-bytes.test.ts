// Bodies that are no request at all: too large, too deep, broken, cut off, of another type. Each is refused in words, and nothing has happened.

import { create, toBinary } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { encodeEnvelope } from "@connectrpc/connect/protocol";
import { errorFromJsonBytes } from "@connectrpc/connect/protocol-connect";
import { findTrailerError } from "@connectrpc/connect/protocol-grpc";
import { trailerParse } from "@connectrpc/connect/protocol-grpc-web";
import { once } from "node:events";
import { Agent } from "node:http";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AddMoneyRequestSchema, HoldMoneyRequestSchema, WalletService } from "../../gen/wallet/v1/wallet_service_pb.ts";
import type { Reason } from "../../src/api/errors.ts";
import { refused, type CallResult } from "../support/clients/client.ts";
import { grpcJsClient, rawGrpcCall, type RawGrpcCall } from "../support/clients/grpc-js.ts";
import { httpCall } from "../support/clients/rest.ts";
import { everyRow } from "../support/every-row.ts";
import { spawnService, type Service } from "../support/service.ts";
import { brokenJson, brokenProtobuf, good, goodBytes, goodText, mebi, withField, type Body } from "./broken-bodies.ts";
import { flawOf } from "./unharmed.ts";

let service: Service;
let grpc: RawGrpcCall;
// Kept open: a client that asks for the connection's end while it still sends may lose its answer to a reset.
const agent = new Agent({ keepAlive: true });
beforeAll(async () => {
  service = await spawnService();
  grpc = rawGrpcCall(service);
  expect(await addOne("InitWallet", { user_id: "ann", currency: "USD" })).toMatchObject({ ok: true });
});
afterAll(async () => {
  agent.destroy();
  grpc.close();
  await service.remove();
});

async function addOne(method = "AddMoney", request: Record<string, string> = good): Promise<CallResult> {
  const client = grpcJsClient(service);
  const result = await client.call("WalletService", method, request);
  client.close();
  return result;
}

/** AddMoney with any body; the error as the protocol carries it. */
const ways = {
  "Connect JSON": (body: Body) => post("/wallet.v1.WalletService/AddMoney", "application/json", body),
  REST: (body: Body) => post("/wallet/add_money", "application/json", body),
  "Connect binary": (body: Body) => post("/wallet.v1.WalletService/AddMoney", "application/proto", body),
  "gRPC-Web": (body: Body) => post("/wallet.v1.WalletService/AddMoney", "application/grpc-web+proto", encodeEnvelope(0, Buffer.from(body))),
  gRPC: (body: Body) => grpc.call(WalletService.method.addMoney, Buffer.from(body)),
} as const;
type Way = keyof typeof ways;
const jsonWays: readonly Way[] = ["Connect JSON", "REST"];
const binaryWays: readonly Way[] = ["Connect binary", "gRPC-Web", "gRPC"];

async function post(path: string, type: string, body: Body): Promise<CallResult> {
  const answer = await httpCall(`${service.url}${path}`, { method: "POST", headers: type === "" ? {} : { "content-type": type }, body, agent });
  const none = new ConnectError(`no error: ${answer.status} ${answer.body.toString()}`);
  if (!type.startsWith("application/grpc")) return answer.status < 300 ? { ok: true, response: answer.body.toString() } : refused(errorFromJsonBytes(answer.body, undefined, none));
  const end = answer.body.lastIndexOf(Buffer.from("grpc-status"));
  return refused((end === -1 ? undefined : findTrailerError(trailerParse(answer.body.subarray(end)))) ?? none);
}

/** Expects that what is sent is refused for one of these reasons, naming one of these fields where there are any, and that nothing happens. */
async function expectRefused(send: () => Promise<CallResult>, reasons: readonly Reason[], fields: readonly string[] = []): Promise<void> {
  const before = everyRow(service.databasePath);
  const flaw = flawOf(await send(), { reasons, fields });
  expect({ flaw, ledger: everyRow(service.databasePath) }).toEqual({ flaw: undefined, ledger: before });
}

describe.each(jsonWays)("%s", (way) => {
  test.each(brokenJson)("%s", async (_, body, fields = []) => {
    await expectRefused(() => ways[way](body), ["INVALID_REQUEST"], fields);
  });

  test.each([
    ["a long text", withField(`"reference":"${"x".repeat(5 * mebi)}"`)],
    ["spaces", goodText + " ".repeat(5 * mebi)],
  ])("%s of 5 MiB", async (_, body) => {
    await expectRefused(() => ways[way](body), ["MESSAGE_TOO_LARGE"]);
  });

  test("every beginning of a good body", async () => {
    for (let length = 0; length < goodText.length; length++) await expectRefused(() => ways[way](goodText.slice(0, length)), ["INVALID_REQUEST"]);
  });
});

describe.each(binaryWays)("%s", (way) => {
  test.each(brokenProtobuf)("%s", async (_, bytes) => {
    await expectRefused(() => ways[way](bytes), ["INVALID_REQUEST"]);
  });

  test("5 MiB", async () => {
    const large = toBinary(AddMoneyRequestSchema, create(AddMoneyRequestSchema, { userId: "ann", amount: "1", reference: "x".repeat(5 * mebi) }));
    await expectRefused(() => ways[way](large), ["MESSAGE_TOO_LARGE"]);
  });

  test("every beginning of a good message", async () => {
    // Some end between two fields, and are messages without an amount.
    for (let length = 0; length < goodBytes.length; length++) await expectRefused(() => ways[way](goodBytes.subarray(0, length)), ["INVALID_REQUEST", "INVALID_AMOUNT"]);
  });
});

test.each([
  ["less than a whole second", 1n, -1_000_000],
  ["more than a second beside the seconds", 0n, 2_000_000_000],
])("a hold period whose nanos are %s", async (_, seconds, nanos) => {
  const request = create(HoldMoneyRequestSchema, { userId: "ann", amount: "1", holdPeriod: { seconds, nanos } });
  await expectRefused(() => grpc.call(WalletService.method.holdMoney, Buffer.from(toBinary(HoldMoneyRequestSchema, request))), ["INVALID_REQUEST"], ["hold_period"]);
});

test("of two messages in JSON none is done, not even the first", async () => {
  const frame = encodeEnvelope(0, Buffer.from(goodText));
  await expectRefused(() => post("/wallet.v1.WalletService/AddMoney", "application/grpc-web+json", Buffer.concat([frame, frame])), ["INVALID_REQUEST", "UNKNOWN_METHOD"]);
});

const endFrame = encodeEnvelope(0b1000_0000, new Uint8Array(0));
test.each<[string, (message: Uint8Array) => Uint8Array]>([
  ["a frame", (message) => encodeEnvelope(0, message)],
  ...[2, 4, 64].map((flags): [string, (message: Uint8Array) => Uint8Array] => [`a frame with the flags ${flags}`, (message) => encodeEnvelope(flags, message)]),
  ["a frame before the one that ends the stream", (message) => Buffer.concat([encodeEnvelope(0, message), endFrame])],
  ["a frame behind the one that ends the stream", (message) => Buffer.concat([endFrame, encodeEnvelope(0, message)])],
])("JSON in %s is read exactly", async (_, framed) => {
  const send = (body: Body): Promise<CallResult> => post("/wallet.v1.WalletService/AddMoney", "application/grpc-web+json", Buffer.from(framed(Buffer.from(body))));
  await expectRefused(() => send(withField('"validate_only":1e999')), ["INVALID_REQUEST"], ["validate_only"]);
  await expectRefused(() => send(Buffer.from(goodText.replace("{", '{"reference":"\u00e9",'), "latin1")), ["INVALID_REQUEST"]);
  await expectRefused(() => send(withField('"expected_version":"0x2"')), ["INVALID_REQUEST"], ["expected_version"]);
});

describe("a body of another type than its header says", () => {
  test.each([
    ["/wallet.v1.WalletService/AddMoney", "text/plain", goodText],
    ["/wallet.v1.WalletService/AddMoney", "application/xml", "<user_id>ann</user_id>"],
    ["/wallet.v1.WalletService/AddMoney", "", goodText],
    ["/wallet.v1.WalletService/AddMoney", "application/x-www-form-urlencoded", goodText],
    ["/wallet.v1.WalletService/AddMoney", "application/json; charset=utf-16", goodText],
    ["/wallet.v1.WalletService/AddMoney", "application/json", goodBytes],
    ["/wallet.v1.WalletService/AddMoney", "application/proto", goodText],
    ["/wallet/add_money", "text/plain", goodText],
    ["/wallet/add_money", "application/proto", goodBytes],
    ["/wallet/add_money", "application/json", goodBytes],
  ])("%s as %j", async (path, type, body) => {
    await expectRefused(() => post(path, type, body), ["INVALID_REQUEST"]);
  });
});

describe("a body that never ends", () => {
  test.each([
    ["a length, and less than that", `content-length: ${goodText.length + 10}\r\n\r\n${goodText}`],
    ["chunks without a last one", `transfer-encoding: chunked\r\n\r\n${goodText.length.toString(16)}\r\n${goodText}\r\n`],
    ["half a chunk", `transfer-encoding: chunked\r\n\r\nff\r\n${goodText}`],
  ])("%s", async (_, rest) => {
    const before = everyRow(service.databasePath);
    for (const path of ["/wallet.v1.WalletService/AddMoney", "/wallet/add_money"]) {
      const [host, port] = service.address.split(":");
      const socket = connect(Number(port), host);
      socket.end(`POST ${path} HTTP/1.1\r\nhost: wallet\r\ncontent-type: application/json\r\n${rest}`);
      socket.resume();
      await once(socket, "close");
    }
    expect(everyRow(service.databasePath)).toEqual(before);
  });
});

test("after all of that the process lives, has nothing to complain of, and a good call works", async () => {
  expect(await addOne()).toMatchObject({ ok: true });
  await service.stop();
  expect(service.complaints).toEqual([]);
});
