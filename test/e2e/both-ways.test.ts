// Unary calls have a short way and a long way through the server (docs/decisions/0014). Whatever is sent, both give the same answer, to the last header.

import type { DescMethod, JsonObject } from "@bufbuild/protobuf";
import { fromJson, toBinary } from "@bufbuild/protobuf";
import type { OutgoingHttpHeaders } from "node:http";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WalletService } from "../../gen/wallet/v1/wallet_service_pb.ts";
import { services } from "../support/clients/client.ts";
import { connectClient } from "../support/clients/connect.ts";
import { framed, openWire, wireClient, wireWays, type Wire, type WireAnswer, type WireRequest, type WireWay } from "../support/clients/wire.ts";
import { startServiceBy, type Service } from "../support/service.ts";
import { badRequests, hasNumberForText, isBinaryExpressible, requestWith } from "./bad-fields.ts";
import { brokenJson, brokenProtobuf, goodBytes, goodText, mebi } from "./broken-bodies.ts";
import { goodRequests } from "./good-requests.ts";
import { scenarioFlags, scenarios } from "./scenarios.ts";
import { record, type Transcript } from "./transcript.ts";

const unaryMethods = services.flatMap((service) => service.methods).filter((method) => method.methodKind === "unary");

describe.each(wireWays.map((way) => [way.name, way] as const))("scenarios by %s", (_, way) => {
  let short: Transcript;
  let long: Transcript;
  beforeAll(async () => {
    const by = (unaryWay: "short" | "long") => record((service) => wireClient(service, way), scenarios, scenarioFlags, { start: (...flags) => startServiceBy(unaryWay, ...flags) });
    [short, long] = await Promise.all([by("short"), by("long")]);
  });

  test.each(scenarios.map(({ name }) => name))("%s", (name) => {
    expect(short.scenarios.get(name)).toEqual(long.scenarios.get(name));
  });
});

describe.each(wireWays.map((way) => [way.name, way] as const))("single requests by %s", (_, way) => {
  const isJson = way.contentType === "application/json";
  const addMoneyPath = way.pathOf(WalletService.method.addMoney)!;
  let pair: readonly Side[];
  beforeAll(async () => void (pair = await Promise.all([openSide("short", way), openSide("long", way)])));
  afterAll(async () => void (await Promise.all(pair.map((side) => side.close()))));

  const differences = async (requests: readonly (readonly [title: string, request: WireRequest])[]): Promise<unknown[]> => {
    const found: unknown[] = [];
    for (const [title, request] of requests) {
      const [short, long] = (await Promise.all(pair.map(({ wire }) => wire.send(withId(request)).then(readable)))) as [unknown, unknown];
      if (JSON.stringify(short) !== JSON.stringify(long)) found.push({ title, short, long });
    }
    return found;
  };
  const zip = { "accept-encoding": "br, gzip", "grpc-accept-encoding": "identity,gzip" };
  const toMethod = (method: DescMethod, message: Uint8Array): WireRequest => ({ path: way.pathOf(method)!, headers: { "content-type": way.contentType, ...zip }, body: framed(way, message) });
  const toAddMoney = (message: Uint8Array, headers: OutgoingHttpHeaders = {}): WireRequest => ({ path: addMoneyPath, headers: { "content-type": way.contentType, ...headers }, body: framed(way, message) });
  const messageOf = (method: DescMethod, request: JsonObject): Uint8Array => (isJson ? Buffer.from(JSON.stringify(request)) : toBinary(method.input, fromJson(method.input, request)));
  // Nobody has this wallet, so nothing changes on either side.
  const stranger = messageOf(WalletService.method.addMoney, { user_id: "nobody", currency: "USD", amount: "1.00" });

  test.each(unaryMethods.filter((method) => way.pathOf(method) !== undefined).map((method) => [method.name, method] as const))("every field of %s wrong in every way", async (_name, method) => {
    const bad = badRequests(method, goodRequests("3")[method.name]!).map((each) => [each.title, requestWith(each.good, each)] as const);
    const isSendable = (request: JsonObject): boolean => (way.isRest ? !hasNumberForText(method, request) : isJson || isBinaryExpressible(method, request));
    const sendable = bad.filter(([, request]) => isSendable(request));
    expect(await differences(sendable.map(([title, request]) => [title, toMethod(method, messageOf(method, request))]))).toEqual([]);
  });

  test("bodies that are no message", async () => {
    const broken = isJson ? brokenJson.map(([title, body]) => [title, Buffer.from(body)] as const) : brokenProtobuf;
    const good = isJson ? Buffer.from(goodText) : goodBytes;
    const numbers = ["1", "1.5", "1.50", "-1", "1e2", "0.1234567890123456789", "9".repeat(70)].map((amount) => [`the amount ${amount} as a number`, Buffer.from(`{"user_id":"nobody","currency":"USD","amount":${amount}}`)] as const);
    const beginnings = Array.from({ length: good.length }, (_each, length) => [`the first ${length} bytes`, good.subarray(0, length)] as const);
    const large = ["5 MiB", Buffer.alloc(5 * mebi, " ")] as const;
    expect(await differences([...broken, ...beginnings, ...(isJson ? numbers : []), large].map(([title, message]) => [title, toAddMoney(message)]))).toEqual([]);
  });

  test("frames that are none", async () => {
    const frame = Buffer.from(framed(way, stranger));
    const frames: readonly (readonly [string, Uint8Array])[] = [
      ["nothing", new Uint8Array(0)],
      ["two", Buffer.concat([frame, frame])],
      ["something after it", Buffer.concat([frame, Buffer.from("x")])],
      ["cut off", frame.subarray(0, -1)],
      ["another flag", Buffer.concat([Buffer.from([1]), frame.subarray(1)])],
      ["all flags", Buffer.concat([Buffer.from([255]), frame.subarray(1)])],
      ["four bytes", frame.subarray(0, 4)],
    ];
    expect(await differences(frames.map(([title, body]) => [title, { path: addMoneyPath, headers: { "content-type": way.contentType }, body }]))).toEqual([]);
  });

  test("heads of every kind", async () => {
    expect(await differences(heads.map((head) => [JSON.stringify(head), toAddMoney(stranger, head)]))).toEqual([]);
    const zipped = { "content-encoding": "gzip", "grpc-encoding": "gzip" };
    expect(await differences([["compressed", toAddMoney(gzipSync(stranger), zipped)], ["not compressed after all", toAddMoney(stranger, zipped)]])).toEqual([]);
    const others = ["GET", "PUT", "DELETE", "OPTIONS"].map((httpMethod) => [httpMethod, { ...toAddMoney(new Uint8Array(0)), httpMethod }] as const);
    const paths = [`${addMoneyPath}/`, addMoneyPath.toUpperCase(), `${addMoneyPath}?`, `${addMoneyPath}?x=1`, `${addMoneyPath}?amount=1.00`, "/"].map((path) => [path, { ...toAddMoney(stranger), path }] as const);
    expect(await differences([...others, ...paths])).toEqual([]);
  });
});

/** What goes with a request that decides its way, or the answer's form. */
const heads: readonly OutgoingHttpHeaders[] = [
  {},
  { "x-request-id": "mine" },
  { "x-request-id": "a b" },
  { "idempotency-key": "k-1" },
  { "idempotency-key": "ä" },
  { "idempotency-key": "x".repeat(300) },
  ...["text/plain", "application/json; charset=utf-8", "Application/JSON", "application/grpc+proto", "application/grpc+json", "application/grpc-web", "application/connect+json", "application/xml", ""].map((type) => ({ "content-type": type })),
  ...["identity", "gzip", "br", "deflate", "", "gzip, gzip"].flatMap((encoding) => [{ "content-encoding": encoding }, { "grpc-encoding": encoding }]),
  ...["1", "2", ""].map((version) => ({ "connect-protocol-version": version })),
  ...["0", "1000", "99999999999", "-1", "1.5", "", "abc", "1e3"].map((timeout) => ({ "connect-timeout-ms": timeout })),
  ...["0m", "5S", "99999999H", "123456789012H", "1", "m", "-1S", "1.5S", ""].map((timeout) => ({ "grpc-timeout": timeout })),
  ...["gzip", "br", "identity", ""].flatMap((encoding) => [{ "accept-encoding": encoding }, { "grpc-accept-encoding": encoding }]),
];

interface Side {
  readonly service: Service;
  readonly wire: Wire;
  close(): Promise<void>;
}

/** A service in which ann has a USD wallet with a hold on it, and ben an empty one. */
async function openSide(unaryWay: "short" | "long", way: WireWay): Promise<Side> {
  const service = await startServiceBy(unaryWay, "--currencies=POINTS:0");
  const client = connectClient(service, { protocol: "Connect", codec: "JSON", http: "HTTP/1.1" });
  for (const user_id of ["ann", "ben"]) await client.call("WalletService", "InitWallet", { user_id, currency: "USD" });
  await client.call("WalletService", "AddMoney", { user_id: "ann", amount: "100", idempotency_key: "seen" });
  await client.call("WalletService", "HoldMoney", { user_id: "ann", amount: "10" });
  client.close();
  const wire = openWire(service, way.isHttp2);
  return {
    service,
    wire,
    async close() {
      wire.close();
      await service.remove();
      expect(service.complaints).toEqual([]);
    },
  };
}

/** Answers to defects name the request by its id. */
function withId(request: WireRequest): WireRequest {
  return { ...request, headers: { "x-request-id": "same", ...request.headers } };
}

interface Readable extends Omit<WireAnswer, "body"> {
  readonly body: string;
}

function readable(answer: WireAnswer): Readable {
  return { ...answer, headers: sorted(answer.headers), trailers: sorted(answer.trailers), body: answer.body.toString("latin1") };
}

function sorted(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
