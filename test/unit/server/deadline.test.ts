// Deadlines: clamped whatever their size, given where none was sent, and kept where the handler takes longer.

import { request as httpRequest } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { clampDeadline, dropEndlessDeadline } from "../../../src/server/deadline.ts";
import type { Protocol } from "../../../src/server/protocol.ts";
import { isJson, wireCall, wireProtocols } from "./raw-call.ts";
import type { WireProtocol } from "./raw-call.ts";
import { toBinary, create } from "@bufbuild/protobuf";
import { AddMoneyRequestSchema } from "../../../gen/wallet/v1/wallet_service_pb.ts";
import { factsOf, startTestServer, stopServers } from "./test-server.ts";

afterEach(stopServers);

function clamped(protocol: Protocol, name: string, value: string | undefined, timeoutMaxMs: number): string | null {
  const header = new Headers(value === undefined ? {} : { [name]: value });
  clampDeadline(header, protocol, timeoutMaxMs);
  return header.get(name);
}

describe("the header", () => {
  it.each([
    [undefined, "30000"],
    ["0", "0"],
    ["29999", "29999"],
    ["30000", "30000"],
    ["30001", "30000"],
    ["9999999999", "30000"],
    ["99999999999999999999999", "30000"],
    ["9".repeat(400), "30000"],
    ["soon", "soon"],
    ["-1", "-1"],
    ["1e9", "1e9"],
  ])("connect-timeout-ms: %s becomes %s", (value, expected) => {
    expect(clamped("connect-unary", "connect-timeout-ms", value, 30_000)).toBe(expected);
    expect(clamped("connect-stream", "connect-timeout-ms", value, 30_000)).toBe(expected);
  });

  it.each([
    [undefined, "30000m"],
    ["0m", "0m"],
    ["30000m", "30000m"],
    ["30001m", "30000m"],
    ["30S", "30S"],
    ["31S", "30000m"],
    ["1M", "30000m"],
    ["1H", "30000m"],
    ["99999999H", "30000m"],
    ["99999999u", "30000m"],
    ["30000000u", "30000000u"],
    ["99999999n", "99999999n"],
    ["123456789012345678H", "30000m"],
    ["5", "5"],
    ["5h", "5h"],
  ])("grpc-timeout: %s becomes %s", (value, expected) => {
    expect(clamped("grpc", "grpc-timeout", value, 30_000)).toBe(expected);
    expect(clamped("grpc-web", "grpc-timeout", value, 30_000)).toBe(expected);
  });

  it("takes seconds where milliseconds would have too many digits for gRPC", () => {
    expect(clamped("grpc", "grpc-timeout", "99999999H", 200_000_000)).toBe("200000S");
  });
});

describe("the header of a call that lasts as long as its caller wants", () => {
  it.each([
    ["connect-timeout-ms", undefined, null],
    ["connect-timeout-ms", "99999999", "99999999"],
    ["connect-timeout-ms", "2147483648", null],
    ["connect-timeout-ms", "9".repeat(400), null],
    ["connect-timeout-ms", "soon", "soon"],
    ["grpc-timeout", undefined, null],
    ["grpc-timeout", "596H", "596H"],
    ["grpc-timeout", "597H", null],
    ["grpc-timeout", "99999999H", null],
    ["grpc-timeout", "5h", "5h"],
  ])("%s: %s becomes %s", (name, value, expected) => {
    const header = new Headers(value === undefined ? {} : { [name]: value });
    dropEndlessDeadline(header);
    expect(header.get(name)).toBe(expected);
  });
});

const unary = (Object.keys(wireProtocols) as WireProtocol[]).filter((protocol) => !protocol.startsWith("connect stream"));

function message(protocol: WireProtocol, userId: string): string | Uint8Array {
  return isJson(protocol) ? JSON.stringify({ userId, amount: "1" }) : toBinary(AddMoneyRequestSchema, create(AddMoneyRequestSchema, { userId, amount: "1" }));
}

describe.each(unary)("%s", (protocol) => {
  const header = protocol.startsWith("grpc") ? "grpc-timeout" : "connect-timeout-ms";

  it("takes any deadline, however long", async () => {
    const server = await startTestServer();
    for (const value of protocol.startsWith("grpc") ? ["99999999H", "99999999S", "31S"] : ["9999999999", "30001"]) {
      const { error } = await wireCall(protocol, `${server.url}/wallet.v1.WalletService/AddMoney`, message(protocol, "ann"), { [header]: value });
      expect(error).toBeUndefined();
      const { timeoutMs } = server.seen.at(-1)!;
      expect(timeoutMs).toBeLessThanOrEqual(30_000);
      expect(timeoutMs).toBeGreaterThan(0);
    }
  });

  it("ends the wait when the server's longest deadline is over, where the caller sent none", async () => {
    const server = await startTestServer({ timeoutMaxMs: 100 });
    const { error } = await wireCall(protocol, `${server.url}/wallet.v1.WalletService/AddMoney`, message(protocol, "wait"));
    expect(factsOf(error!)).toMatchObject({ code: "DeadlineExceeded", reasons: ["DEADLINE_EXCEEDED"], domains: ["wallet.v1"] });
    expect(error!.rawMessage).toContain("idempotency key");
    server.gate.open();
  });
});

it("logs a caller that left as CANCELED", async () => {
  const server = await startTestServer();
  const sent = httpRequest(`${server.url}/wallet/add_money`, { method: "POST", headers: { "content-type": "application/json" } });
  sent.on("error", () => {});
  sent.end('{"user_id":"wait","amount":"1"}');
  await server.gate.waitFor(1);
  sent.destroy();
  while (!server.log.some((line) => line["reason"] === "CANCELED")) await new Promise((resolve) => setTimeout(resolve, 5));
  server.gate.open();
});
