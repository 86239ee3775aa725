// Errors that arise before any handler runs: each in every protocol, with exactly one ErrorInfo and the field where there is one.

import { create, toBinary, toJsonString } from "@bufbuild/protobuf";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AddMoneyRequestSchema } from "../../../gen/wallet/v1/wallet_service_pb.ts";
import { GetStatementRequestSchema } from "../../../gen/wallet/v1/report_service_pb.ts";
import { errorTable } from "../../../src/api/errors.ts";
import type { Reason } from "../../../src/api/errors.ts";
import { errorIn, http1, isJson, wireCall, wireProtocols } from "./raw-call.ts";
import type { WireProtocol } from "./raw-call.ts";
import { factsOf, startTestServer, stopServers, testLimits } from "./test-server.ts";
import type { TestServer } from "./test-server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(stopServers);

const protocols = Object.keys(wireProtocols) as WireProtocol[];
const jsonProtocols = protocols.filter(isJson);
const binaryProtocols = protocols.filter((protocol) => !isJson(protocol));

/** A method that the protocol can call: Connect has different content types for streams. */
function urlFor(protocol: WireProtocol): string {
  return `${server.url}/${protocol.startsWith("connect stream") ? "wallet.v1.ReportService/GetStatement" : "wallet.v1.WalletService/AddMoney"}`;
}

function goodMessage(protocol: WireProtocol): Uint8Array {
  const [schema, message] = protocol.startsWith("connect stream")
    ? [GetStatementRequestSchema, create(GetStatementRequestSchema, { userId: "ann" })]
    : [AddMoneyRequestSchema, create(AddMoneyRequestSchema, { userId: "ann", amount: "1" })];
  return isJson(protocol) ? Buffer.from(toJsonString(schema, message)) : toBinary(schema, message);
}

/** Anything that a caller must never read. */
const leaks = /node_modules|\.ts\b|\.js\b|at \w+ \(|SELECT|\/work|cannot decode|wallet\.v1\.\w+Request|readMaxBytes/;

async function expectError(protocol: WireProtocol, made: ReturnType<typeof wireCall>, reason: Reason, ...fields: string[]) {
  const { error, answer } = await made;
  expect(error, "an error is expected").toBeDefined();
  const facts = factsOf(error!);
  expect({ protocol, reasons: facts.reasons, domains: facts.domains, fields: facts.fields }).toEqual({ protocol, reasons: [reason], domains: ["wallet.v1"], fields });
  expect(error!.code).toBe(errorTable[reason].code);
  expect(error!.rawMessage).not.toMatch(leaks);
  expect(error!.rawMessage.length).toBeGreaterThan(10);
  expect(answer.headers["x-request-id"]).toMatch(/^[\w-]{36}$/);
  return { error: error!, answer };
}

it.each(protocols)("%s: the good message that the others are compared with is answered", async (protocol) => {
  const { error, answer } = await wireCall(protocol, urlFor(protocol), goodMessage(protocol));
  expect(error).toBeUndefined();
  expect(answer.status).toBe(200);
});

describe.each(jsonProtocols)("%s", (protocol) => {
  it("broken JSON", async () => {
    await expectError(protocol, wireCall(protocol, urlFor(protocol), '{"user_id": "ann"'), "INVALID_REQUEST");
  });
  it("JSON that is no object", async () => {
    await expectError(protocol, wireCall(protocol, urlFor(protocol), "[1, 2]"), "INVALID_REQUEST");
  });
  it("no JSON at all", async () => {
    await expectError(protocol, wireCall(protocol, urlFor(protocol), ""), "INVALID_REQUEST");
  });
  it("a wrong JSON type", async () => {
    await expectError(protocol, wireCall(protocol, urlFor(protocol), '{"user_id": 5}'), "INVALID_REQUEST", "user_id");
  });
  it("an unknown field", async () => {
    const { error } = await expectError(protocol, wireCall(protocol, urlFor(protocol), '{"user_idd": "ann"}'), "INVALID_REQUEST", "user_idd");
    expect(error.rawMessage).toContain("user_idd");
  });
  it("an unknown field whose name is no Unicode", async () => {
    await expectError(protocol, wireCall(protocol, urlFor(protocol), String.raw`{"\ud800": 1}`), "INVALID_REQUEST", "\ufffd").catch(async () => {
      // In trailers Connect cannot write the name at all.
      await expectError(protocol, wireCall(protocol, urlFor(protocol), String.raw`{"\ud800": 1}`), "INVALID_REQUEST");
    });
  });
  it("an unknown field whose name is as long as a header block", async () => {
    const long = "x".repeat(40_000);
    const { error } = await expectError(protocol, wireCall(protocol, urlFor(protocol), `{"${long}": 1}`), "INVALID_REQUEST", `${long.slice(0, 120)}…`);
    expect(error.rawMessage.length).toBeLessThan(500);
  });
  it("the same key twice", async () => {
    await expectError(protocol, wireCall(protocol, urlFor(protocol), '{"user_id": "ann", "user_id": "bob"}'), "INVALID_REQUEST", "user_id");
  });
  it("the same field by both of its names", async () => {
    await expectError(protocol, wireCall(protocol, urlFor(protocol), '{"user_id": "ann", "userId": "bob"}'), "INVALID_REQUEST", "user_id");
  });
  it("bytes that are no UTF-8", async () => {
    await expectError(protocol, wireCall(protocol, urlFor(protocol), Buffer.from('{"user_id":"ann","amount":"1","reference":"caf\xe9"}', "latin1")), "INVALID_REQUEST");
    await expectError(protocol, wireCall(protocol, urlFor(protocol), Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])), "INVALID_REQUEST");
  });
});

describe.each(jsonProtocols.filter((protocol) => !protocol.startsWith("connect stream")))("%s", (protocol) => {
  const call = (method: string, body: string | Uint8Array, headers = {}, isCompressed = false) => wireCall(protocol, `${server.url}/wallet.v1.${method}`, body, headers, isCompressed);

  it.each([
    ["a number", "9007199254740993"],
    ["text", '"9007199254740993"'],
    ["a number with an exponent", "9.007199254740993e15"],
    ["a number with a negative exponent", "90071992547409930e-1"],
  ])("reads an id beyond what a double can hold, as %s", async (_, id) => {
    const { error } = await call("WalletService/ReverseHold", `{"user_id":"ann","hold_id":${id}}`);
    expect(error).toBeUndefined();
    expect(server.seen.at(-1)!.message["holdId"]).toBe(9007199254740993n);
  });

  it("reads it in a compressed message, too", async () => {
    const header = wireProtocols[protocol].envelope ? "grpc-encoding" : "content-encoding";
    const { error } = await call("WalletService/ReverseHold", gzipSync('{"user_id":"ann","hold_id":9007199254740993}'), { [header]: "gzip" }, true);
    expect(error).toBeUndefined();
    expect(server.seen.at(-1)!.message["holdId"]).toBe(9007199254740993n);
  });

  it.each(["9.0071992547409931e15", "90071992547409931e-1", "1e19", "1e999", "1e-400"])("refuses the id %s", async (id) => {
    await expectError(protocol, call("WalletService/ReverseHold", `{"user_id":"ann","hold_id":${id}}`), "INVALID_REQUEST", "hold_id");
  });

  it.each(['"1s1s"', '"0.0000000001s"', '"1e3s"', '"s"', '""', "600", "true", '{"seconds":1}'])("refuses the duration %s", async (duration) => {
    await expectError(protocol, call("WalletService/HoldMoney", `{"user_id":"ann","amount":"1","hold_period":${duration}}`), "INVALID_REQUEST", "hold_period");
  });

  it.each(["1577836800", "true", '{"seconds":1}', '"2020-01-01"'])("refuses the time %s", async (time) => {
    await expectError(protocol, call("ReportService/GetWalletBalance", `{"user_id":"ann","as_of_time":${time}}`), "INVALID_REQUEST", "as_of_time");
  });

  it("does not take a number for a string", async () => {
    await expectError(protocol, call("WalletService/AddMoney", '{"user_id":"ann","amount":100.5}'), "INVALID_REQUEST", "amount");
  });

  it("takes null for absent", async () => {
    expect((await call("WalletService/HoldMoney", '{"user_id":"ann","amount":"1","hold_period":null,"currency":null}')).error).toBeUndefined();
  });
});

it("a GET's message is read with the same care", async () => {
  const get = (message: string, more = "") => http1(`${server.url}/wallet.v1.ReportService/GetWalletBalance?encoding=json&message=${encodeURIComponent(message)}${more}`);
  expect((await get('{"user_id":"ann","as_of_operation_id":9007199254740993}')).status).toBe(200);
  expect(server.seen.at(-1)!.message["asOf"]).toEqual({ case: "asOfOperationId", value: 9007199254740993n });
  expect((await get(gzipSync('{"user_id":"ann"}').toString("base64url"), "&base64=1&compression=gzip")).status).toBe(200);
  const bomb = await get(gzipSync(Buffer.alloc(5 * 1024 * 1024)).toString("base64url"), "&base64=1&compression=gzip");
  expect(factsOf(errorIn("connect json", bomb)!).reasons).toEqual(["MESSAGE_TOO_LARGE"]);
  const unknown = await get("{}", "&compression=br");
  expect(factsOf(errorIn("connect json", unknown)!).reasons).toEqual(["UNKNOWN_METHOD"]);
});

describe.each(binaryProtocols)("%s", (protocol) => {
  it.each([
    ["a length beyond the end", [0x0a, 0x50, 0x01]],
    ["an illegal tag", [0x00]],
    ["a string that is no UTF-8", [0x0a, 0x02, 0xff, 0xfe]],
  ])("broken protobuf: %s", async (_, bytes) => {
    await expectError(protocol, wireCall(protocol, urlFor(protocol), new Uint8Array(bytes)), "INVALID_REQUEST");
  });
});

describe.each(protocols)("%s", (protocol) => {
  const encodingHeader = wireProtocols[protocol].envelope ? (protocol.startsWith("grpc") ? "grpc-encoding" : "connect-content-encoding") : "content-encoding";
  const timeoutHeader = protocol.startsWith("grpc") ? "grpc-timeout" : "connect-timeout-ms";

  it("an unknown method", async () => {
    await expectError(protocol, wireCall(protocol, `${server.url}/wallet.v1.WalletService/StealMoney`, goodMessage(protocol)), "UNKNOWN_METHOD");
  });
  it("an unknown service", async () => {
    await expectError(protocol, wireCall(protocol, `${server.url}/wallet.v2.WalletService/AddMoney`, goodMessage(protocol)), "UNKNOWN_METHOD");
  });
  it("a method that is declared and not served", async () => {
    const method = protocol.startsWith("connect stream") ? "ReportService/VerifyLedger" : "WalletService/FreezeWallet";
    const message = isJson(protocol) ? (method.startsWith("R") ? "{}" : '{"user_id":"ann"}') : new Uint8Array(method.startsWith("R") ? [] : [0x0a, 0x01, 0x61]);
    await expectError(protocol, wireCall(protocol, `${server.url}/wallet.v1.${method}`, message), "UNKNOWN_METHOD");
  });
  it("a message that is too large", async () => {
    const { error } = await expectError(protocol, wireCall(protocol, urlFor(protocol), new Uint8Array(testLimits.requestMaxBytes + 1)), "MESSAGE_TOO_LARGE");
    expect(factsOf(error).metadata).toEqual({ request_max_bytes: String(testLimits.requestMaxBytes) });
  });
  it("a message that is much too large and has no length", async () => {
    const body = [...Array(64)].map(() => Buffer.alloc(16 * 1024, 0x20));
    const answer = await http1(urlFor(protocol), { method: "POST", headers: { "content-type": wireProtocols[protocol].contentType, "transfer-encoding": "chunked" }, body });
    expect(factsOf(errorIn(protocol, answer)!).reasons).toEqual(["MESSAGE_TOO_LARGE"]);
  });
  it("a message that is too large once it is decompressed", async () => {
    const bomb = gzipSync(Buffer.alloc(50 * 1024 * 1024));
    expect(bomb.byteLength).toBeLessThan(testLimits.requestMaxBytes);
    await expectError(protocol, wireCall(protocol, urlFor(protocol), bomb, { [encodingHeader]: "gzip" }, true), "MESSAGE_TOO_LARGE");
  });
  it("a compressed message of the right size is taken", async () => {
    const { error } = await wireCall(protocol, urlFor(protocol), gzipSync(goodMessage(protocol)), { [encodingHeader]: "gzip" }, true);
    expect(error).toBeUndefined();
  });
  it.each([
    ["is not compressed", (message: Uint8Array) => message],
    ["is cut off", (message: Uint8Array) => gzipSync(message).subarray(0, -6)],
  ])("a compressed message that %s", async (_, damaged) => {
    const { error } = await expectError(protocol, wireCall(protocol, urlFor(protocol), damaged(goodMessage(protocol)), { [encodingHeader]: "gzip" }, true), "INVALID_REQUEST");
    expect(error.rawMessage).toBe("The message does not decompress with the encoding that its headers name.");
  });
  it("an unknown compression, of which gzip is the alternative", async () => {
    const { error } = await expectError(protocol, wireCall(protocol, urlFor(protocol), goodMessage(protocol), { [encodingHeader]: "br" }), "UNKNOWN_METHOD");
    expect(error.rawMessage).toContain("gzip");
  });
  it.each(["soon", "-5", "1.5", "5 m", ""])("a malformed deadline: %j", async (value) => {
    await expectError(protocol, wireCall(protocol, urlFor(protocol), goodMessage(protocol), { [timeoutHeader]: value }), "INVALID_REQUEST", timeoutHeader);
  });
  it("a deadline that has passed before the call began", async () => {
    const value = protocol.startsWith("grpc") ? "0m" : "0";
    const before = server.seen.length;
    await expectError(protocol, wireCall(protocol, urlFor(protocol), goodMessage(protocol), { [timeoutHeader]: value }), "DEADLINE_EXCEEDED");
    expect(server.seen.length).toBe(before);
  });
  it("an error that is compressed on its way out", async () => {
    const accept = encodingHeader.replace(/content-encoding$|encoding$/, (name) => (name === "encoding" ? "accept-encoding" : "accept-encoding"));
    const wrong = isJson(protocol) ? `{"${"x".repeat(5_000)}": 1}` : new Uint8Array([0]);
    const { error } = await wireCall(protocol, urlFor(protocol), wrong, { [accept]: "gzip" });
    expect(factsOf(error!).reasons).toEqual(["INVALID_REQUEST"]);
  });
});

describe.each(protocols.filter((protocol) => wireProtocols[protocol].envelope))("%s", (protocol) => {
  const post = (body: Uint8Array) => http1(urlFor(protocol), { method: "POST", headers: { "content-type": wireProtocols[protocol].contentType }, body });

  it("no message", async () => {
    expect(factsOf(errorIn(protocol, await post(new Uint8Array(0)))!).reasons).toEqual(["INVALID_REQUEST"]);
  });
  it("two messages", async () => {
    const message = goodMessage(protocol);
    const frame = Buffer.concat([Buffer.from([0, 0, 0, 0, message.byteLength]), message]);
    expect(factsOf(errorIn(protocol, await post(Buffer.concat([frame, frame])))!).reasons).toEqual(["INVALID_REQUEST"]);
  });
  it("half an envelope", async () => {
    expect(factsOf(errorIn(protocol, await post(new Uint8Array([0, 0, 0])))!).reasons).toEqual(["INVALID_REQUEST"]);
  });
  it("a compressed flag without an encoding", async () => {
    const { error } = await wireCall(protocol, urlFor(protocol), gzipSync(goodMessage(protocol)), {}, true);
    expect(factsOf(error!).reasons).toEqual(["INVALID_REQUEST"]);
  });
});

describe("plain HTTP on an RPC's path", () => {
  it("the wrong content type, with the status that HTTP has for it", async () => {
    const answer = await http1(urlFor("connect json"), { headers: { "content-type": "text/plain" }, body: "{}" });
    expect(answer.status).toBe(415);
    expect(factsOf(errorIn("connect json", answer)!)).toMatchObject({ code: "InvalidArgument", reasons: ["INVALID_REQUEST"], fields: ["content-type"] });
  });
  it("a gRPC codec that nobody has, in gRPC", async () => {
    const answer = await http1(urlFor("connect json"), { method: "POST", headers: { "content-type": "application/grpc+thrift" }, body: "x" });
    expect(factsOf(errorIn("grpc proto", answer)!)).toMatchObject({ reasons: ["INVALID_REQUEST"], fields: ["content-type"] });
  });
  it("the wrong HTTP method, with the right one", async () => {
    const answer = await http1(urlFor("connect json"), { method: "PUT", headers: { "content-type": "application/json" }, body: "{}" });
    expect(answer.status).toBe(405);
    expect(answer.headers["allow"]).toBe("POST");
    expect(factsOf(errorIn("connect json", answer)!).reasons).toEqual(["UNKNOWN_METHOD"]);
  });
  it("GET of a mutating method", async () => {
    const answer = await http1(`${urlFor("connect json")}?encoding=json&message={}`);
    expect(factsOf(errorIn("connect json", answer)!).reasons).toEqual(["UNKNOWN_METHOD"]);
  });
  it.each([
    ["without an encoding", "message={}", "encoding"],
    ["with broken base64", "encoding=json&base64=1&message=%25", "message"],
    ["with a wrong field", "encoding=json&message={\"who\":1}", "who"],
  ])("GET of a read %s", async (_, query, field) => {
    const answer = await http1(`${server.url}/wallet.v1.ReportService/GetWalletBalance?${encodeURI(query)}`);
    expect(factsOf(errorIn("connect json", answer)!)).toMatchObject({ reasons: ["INVALID_REQUEST"], fields: [field] });
  });
  it.each(["GET", "PUT"])("%s of a stream", async (method) => {
    const answer = await http1(`${server.url}/wallet.v1.ReportService/WatchOperations?encoding=json&message={}`, { method });
    expect(answer.status).toBe(405);
    expect(answer.headers["allow"]).toBe("POST");
    expect(factsOf(errorIn("connect json", answer)!).reasons).toEqual(["UNKNOWN_METHOD"]);
  });
  it.each(["yesterday", "2026-02-29T00:00:00Z", "2026-02-30T23:59:59.5+01:00"])("a time that is none, by its field: %s", async (time) => {
    const answer = await http1(`${server.url}/wallet.v1.ReportService/GetWalletBalance`, { headers: { "content-type": "application/json" }, body: JSON.stringify({ user_id: "ann", as_of_time: time }) });
    expect(factsOf(errorIn("connect json", answer)!)).toMatchObject({ reasons: ["INVALID_REQUEST"], fields: ["as_of_time"] });
  });
  it("both members of a oneof, by its name", async () => {
    const answer = await http1(`${server.url}/wallet.v1.ReportService/GetWalletBalance`, {
      headers: { "content-type": "application/json" },
      body: '{"user_id":"ann","as_of_time":"2020-01-01T00:00:00Z","as_of_operation_id":"1"}',
    });
    expect(factsOf(errorIn("connect json", answer)!)).toMatchObject({ reasons: ["INVALID_REQUEST"], fields: ["as_of"] });
  });
});

describe("what goes wrong after the handler", () => {
  it.each(protocols.filter((protocol) => !protocol.startsWith("connect stream")))("%s: an answer that is too large is a defect, told by its id alone", async (protocol) => {
    const schema = AddMoneyRequestSchema;
    const message = create(schema, { userId: "wide", amount: "1" });
    const { error } = await wireCall(protocol, urlFor(protocol), isJson(protocol) ? toJsonString(schema, message) : toBinary(schema, message), { "x-request-id": "wide-answer" });
    expect(factsOf(error!)).toMatchObject({ code: "Internal", reasons: ["INTERNAL"], metadata: { request_id: "wide-answer" } });
    expect(server.log.some((line) => line["requestId"] === "wide-answer" && JSON.stringify(line).includes("writeMaxBytes"))).toBe(true);
  });
});
