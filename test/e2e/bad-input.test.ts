// Each field of each request, wrong in each way, over JSON, REST and gRPC: a documented error that names the field, and nothing has happened.

import type { DescMethod, JsonObject, JsonValue } from "@bufbuild/protobuf";
import { fromJson, toBinary } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { errorFromJsonBytes } from "@connectrpc/connect/protocol-connect";
import { Agent } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pathOf, refused, services, type CallResult } from "../support/clients/client.ts";
import { connectClient, isRead } from "../support/clients/connect.ts";
import { rawGrpcCall, type RawGrpcCall } from "../support/clients/grpc-js.ts";
import { rawConnectCall, unaryResult } from "../support/clients/raw-connect.ts";
import { httpCall, restPaths } from "../support/clients/rest.ts";
import { postgresLedgers, sqliteLedgers, type ServiceLedger } from "../support/service-ledgers.ts";
import { startService, type Service } from "../support/service.ts";
import { badRequests, hasNumberForText, isBinaryExpressible, requestWith } from "./bad-fields.ts";
import { goodRequests } from "./good-requests.ts";
import { flawOf } from "./unharmed.ts";

const agent = new Agent({ keepAlive: true });
let service: Service;
let grpc: RawGrpcCall;
let keys = 0;
let goods: ReturnType<typeof goodRequests>;
afterAll(() => agent.destroy());

const served = services.flatMap((each) => each.methods);

async function succeed(name: string, request: JsonObject): Promise<JsonValue> {
  const client = connectClient(service, { protocol: "Connect", codec: "JSON", http: "HTTP/1.1" });
  const result = await client.call(served.find((method) => method.name === name)!.parent.name, name, request, name === "WatchOperations" ? { first: 1 } : {});
  client.close();
  if (!result.ok) throw new Error(`${name} ${JSON.stringify(request)}: ${result.error.message}`);
  return result.response;
}

/** A way of sending a request that no client library would send; undefined where the way cannot carry it. */
type Send = (method: DescMethod, request: JsonObject) => (() => Promise<CallResult>) | undefined;

const asJson = { "content-type": "application/json" };

const ways: Readonly<Record<string, Send>> = {
  "Connect JSON": (method, request) => () => rawConnectCall(method, JSON.stringify(request), { url: service.url, agent }),
  "Connect GET": (method, request) => {
    if (!isRead(method)) return undefined;
    const message = JSON.stringify(request).toWellFormed();
    return () => http(method, "GET", `${pathOf(method)}?${new URLSearchParams({ encoding: "json", connect: "v1", message }).toString()}`);
  },
  REST: (method, request) => {
    const [httpMethod, path] = restPaths[method.name]?.split(" ") ?? [];
    return httpMethod === undefined || hasNumberForText(method, request) ? undefined : () => http(method, httpMethod, path!, request);
  },
  "REST query": (method, request) => {
    const [httpMethod, path] = restPaths[method.name]?.split(" ") ?? [];
    if (httpMethod !== "GET" || Object.values(request).some((value) => typeof value !== "string")) return undefined;
    return () => http(method, "GET", `${path}?${new URLSearchParams(request as Record<string, string>).toString()}`);
  },
  gRPC: (method, request) => (isBinaryExpressible(method, request) ? () => grpc.call(method, toBinary(method.input, fromJson(method.input, request))) : undefined),
};

async function http(method: DescMethod, httpMethod: string, path: string, request?: JsonObject | string): Promise<CallResult> {
  const body = request === undefined || typeof request === "string" ? request : JSON.stringify(request);
  return unaryResult(method, await httpCall(`${service.url}${path}`, { method: httpMethod, headers: body === undefined ? {} : asJson, body, agent }));
}

// By which way a request came is nothing that an engine knows: there each of a message's two forms is enough.
describe.each([
  { ...sqliteLedgers.one, tried: Object.keys(ways) },
  { ...postgresLedgers.eight, tried: ["Connect JSON", "gRPC"] },
])("on $name", ({ tried, make }) => {
  let ledger: ServiceLedger;
  beforeAll(async () => {
    ledger = await make();
    service = await startService(...ledger.flags, "--currencies=POINTS:0");
    grpc = rawGrpcCall(service);
    await succeed("InitWallet", { user_id: "ann", currency: "USD" });
    await succeed("InitWallet", { user_id: "ben", currency: "USD" });
    await succeed("AddMoney", { user_id: "ann", amount: "100", idempotency_key: "seen" });
    const { hold } = (await succeed("HoldMoney", { user_id: "ann", amount: "10" })) as { hold: { holdId: string } };
    goods = goodRequests(hold.holdId);
  });
  afterAll(async () => {
    grpc.close();
    await service.remove();
    await ledger.remove();
  });

  test("every RPC that is served has a good request, and it is good", async () => {
    const before = await ledger.everyRow();
    expect(Object.keys(goods).toSorted()).toEqual(served.map(({ name }) => name).toSorted());
    for (const method of served) {
      for (const good of goods[method.name]!) {
        const isChange = method.input.fields.some(({ name }) => name === "validate_only");
        await succeed(method.name, isChange ? { ...good, validate_only: true } : good);
      }
    }
    expect(await ledger.everyRow()).toEqual(before);
  });

  describe.each(tried)("by %s", (way) => {
    test.each(served.map((method) => [method.name, method] as const))("every wrong %s is refused, by the name of what is wrong", async (name, method) => {
      const flaws: string[] = [];
      const before = await ledger.everyRow();
      let sent = 0;
      for (const bad of badRequests(method, goods[name]!)) {
        const request = requestWith(bad.good, bad);
        // A key of its own: what is wrongly taken should not be the reason why the next one is refused.
        const keyed = request["idempotency_key"] === "never-seen" ? { ...request, idempotency_key: `never-seen-${keys++}` } : request;
        const send = ways[way]!(method, keyed);
        if (send === undefined) continue;
        sent += 1;
        const flaw = flawOf(await send(), { reasons: [bad.reason], fields: bad.fields });
        if (flaw !== undefined) flaws.push(`${bad.field} ${bad.title}: ${flaw}`);
      }
      expect({ flaws, ledger: await ledger.everyRow() }).toEqual({ flaws: [], ledger: before });
      // What a way cannot call, it cannot call wrongly.
      const canCall = ways[way]!(method, goods[name]![0]!) !== undefined;
      // A request without fields has none that could be wrong; protobuf's binary form of a list has one way to be wrong: to be empty.
      const least = method.input.fields.length === 0 ? 0 : way === "gRPC" && name === "ExecuteBatch" ? 1 : 11;
      if (canCall) expect(sent).toBeGreaterThanOrEqual(least);
    });
  });

  describe("a field that no request has", () => {
    test.each(["colour", "User_Id", "user-id", "USER_ID", "userID", "", " ", "$", "a.b", "amount ", "[wallet.v1.ext]", "constructor", "__proto__", "toString", "🪙", "operation", "x".repeat(500)])("%j is refused by its name", async (name) => {
      const before = await ledger.everyRow();
      for (const method of served) {
        const text = JSON.stringify(goods[method.name]![0]).replace("{", `{${JSON.stringify(name)}:1,`).replace(",}", "}");
        const [httpMethod, path] = restPaths[method.name]?.split(" ") ?? [];
        const results = [await rawConnectCall(method, text, { url: service.url, agent }), ...(path === undefined ? [] : [await http(method, httpMethod!, path, text)])];
        const shown = name.length > 120 ? `${name.slice(0, 120)}…` : name;
        for (const result of results) expect(flawOf(result, { reasons: ["INVALID_REQUEST"], fields: [shown] }), method.name).toBeUndefined();
      }
      expect(await ledger.everyRow()).toEqual(before);
    });
  });

  test("an id that a JSON number cannot carry is never taken for another one", async () => {
    for (const path of ["/wallet.v1.WalletService/ReverseHold", "/wallet/reverse_hold"]) {
      const answer = await httpCall(`${service.url}${path}`, { method: "POST", headers: asJson, body: '{"user_id":"ann","hold_id":9007199254740993}', agent });
      const result = refused(errorFromJsonBytes(answer.body, undefined, new ConnectError("none")));
      const isHonest = !result.ok && (result.error.reason === "INVALID_REQUEST" || result.error.metadata["hold_id"] === "9007199254740993");
      expect({ path, isHonest, result }).toMatchObject({ path, isHonest: true });
    }
  });

  test("after all of that a good call works, and nothing was logged as a defect", async () => {
    expect(await succeed("AddMoney", { user_id: "ann", amount: "1" })).toMatchObject({ wallet: { balance: { total: "101.00" } } });
    expect(service.complaints).toEqual([]);
  });
});
