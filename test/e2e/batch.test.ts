// ExecuteBatch as large as it may be, and atomic batches that nobody must ever see half of.

import type { JsonObject } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CallResult, Client } from "../support/clients/client.ts";
import { connectClient } from "../support/clients/connect.ts";
import { grpcJsClient } from "../support/clients/grpc-js.ts";
import { postgresLedgers, sqliteLedgers, type ServiceLedger } from "../support/service-ledgers.ts";
import { spawnService, type Service } from "../support/service.ts";

const itemsMax = 10_000;

let service: Service;
let grpc: Client;
let json: Client;

async function answer(client: Client, method: string, request: JsonObject): Promise<JsonObject> {
  const result = await client.call("WalletService", method, request);
  if (!result.ok) throw new Error(`${method}: ${result.error.message}`);
  return result.response as JsonObject;
}

async function open(user: string): Promise<void> {
  await answer(json, "InitWallet", { user_id: user, currency: "USD" });
}

async function totalOf(user: string): Promise<unknown> {
  const { wallet } = await answer(json, "GetWallet", { user_id: user });
  return ((wallet as JsonObject)["balance"] as JsonObject)["total"];
}

const additions = (user: string, count: number): JsonObject[] => Array.from({ length: count }, (_, index) => ({ add_money: { user_id: user, amount: "0.01", idempotency_key: `${user}-${index}` } }));

type Applied = { readonly applied: { readonly operationId: string; readonly replayed: boolean; readonly balanceAfter: { readonly total: string } } };

describe.each([sqliteLedgers.one, postgresLedgers.one, postgresLedgers.eight])("on $name", ({ make }) => {
  let ledger: ServiceLedger;
  beforeAll(async () => {
    ledger = await make();
    service = await spawnService(...ledger.flags);
    grpc = grpcJsClient(service);
    json = connectClient(service, { protocol: "Connect", codec: "JSON", http: "HTTP/1.1" });
  });
  afterAll(async () => {
    grpc.close();
    json.close();
    await service.remove();
    await ledger.remove();
  });

  describe.each([["gRPC", () => grpc], ["JSON", () => json]] as const)("by %s, within the limits of requests and answers as they are by default", (name, client) => {
    test(`${itemsMax} items are done once, however often they are sent`, async () => {
      const user = `many-${name}`;
      await open(user);
      const request = { items: additions(user, itemsMax), atomic: true };
      const first = (await answer(client(), "ExecuteBatch", request))["results"] as unknown as Applied[];
      expect(first).toHaveLength(itemsMax);
      expect(first.at(-1)!.applied).toMatchObject({ replayed: false, balanceAfter: { total: "100.00" } });
      const again = (await answer(client(), "ExecuteBatch", request))["results"] as unknown as Applied[];
      expect(again).toEqual(first.map(({ applied }) => expect.objectContaining({ applied: { ...applied, replayed: true } })));
      expect(await totalOf(user)).toBe("100.00");
    });

    test("one more is too many, and nothing of it is done", async () => {
      const user = `more-${name}`;
      await open(user);
      const result = await client().call("WalletService", "ExecuteBatch", { items: additions(user, itemsMax + 1) });
      expect(result).toMatchObject({ ok: false, error: { reason: "INVALID_REQUEST", violations: [{ field: "items" }] } });
      expect(await totalOf(user)).toBe("0.00");
    });
  });

  test("an answer of 10,000 rejections that have much to tell still fits, each with its reason", async () => {
    const user_id = `u${"x".repeat(127)}`;
    const idempotency_key = '"'.repeat(255);
    const items = [{ add_money: { user_id, amount: "1", idempotency_key } }, ...Array.from({ length: itemsMax - 1 }, () => ({ add_money: { user_id, amount: "2", idempotency_key } }))];
    const other = await make();
    const big = await spawnService(...other.flags, "--request-max-bytes=16MiB");
    const clients = [grpcJsClient(big), connectClient(big, { protocol: "Connect", codec: "JSON", http: "HTTP/1.1" })];
    try {
      await answer(clients[0]!, "InitWallet", { user_id, currency: "USD" });
      for (const client of clients) {
        const results = (await answer(client, "ExecuteBatch", { items }))["results"] as unknown as (Applied | { rejected: { reason: string; message: string } })[];
        expect(results[0]).toMatchObject({ applied: { balanceAfter: { total: "1.00" } } });
        const rejected = results.slice(1).map((result) => (result as { rejected: { reason: string; message: string } }).rejected);
        expect(new Set(rejected.map(({ reason }) => reason))).toEqual(new Set(["IDEMPOTENCY_KEY_REUSED"]));
        expect(rejected[0]!.message).not.toBe("");
        expect(rejected.at(-1)!.message).toBe("");
      }
    } finally {
      for (const client of clients) client.close();
      await big.remove();
      await other.remove();
    }
  });

  test("a page of 1,000 operations whose notes are of control characters fits, and the next one goes on", async () => {
    const [payer, receiver] = [`p${"x".repeat(127)}`, `r${"x".repeat(127)}`];
    for (const user of [payer, receiver]) await open(user);
    await answer(json, "AddMoney", { user_id: payer, amount: "9999999999999" });
    const metadata = Object.fromEntries(Array.from({ length: 4 }, (_, index) => [`k${index}`, "\u0001".repeat(75)]));
    const item = { transfer_money: { user_id: payer, to_user_id: receiver, amount: "1000000000.01", reference: "\u0001".repeat(256), metadata } };
    for (let batch = 0; batch < 5; batch++) await answer(json, "ExecuteBatch", { items: Array.from({ length: 200 }, () => item) });
    const seen: string[] = [];
    let pages = 0;
    let page_token = "";
    do {
      const { operations, nextPageToken } = await answer(json, "ListOperations", { user_id: payer, page_size: 1_000, page_token });
      seen.push(...(operations as unknown as { operationId: string }[]).map(({ operationId }) => operationId));
      page_token = nextPageToken as string;
      pages++;
    } while (page_token !== "");
    expect(new Set(seen).size).toBe(1_002);
    expect(seen.length).toBe(1_002);
    expect(pages).toBeGreaterThan(1);
  });

  test("nobody ever sees anything of an atomic batch that is aborted, nor half of one that is not", async () => {
    await open("seen");
    await answer(json, "AddMoney", { user_id: "seen", amount: "1" });
    const inOut = Array.from({ length: 500 }, () => [{ add_money: { user_id: "seen", amount: "5" } }, { withdraw_money: { user_id: "seen", amount: "5" } }]).flat();
    const tooMuch = { withdraw_money: { user_id: "seen", amount: "1000" } };
    const over = new AbortController();
    const seen = new Set<string>();
    const watching = [grpc, json].map(async (client) => {
      while (!over.signal.aborted) {
        const { wallet } = await answer(client, "GetWallet", { user_id: "seen" });
        const { version, balance } = wallet as { version: string; balance: { total: string } };
        seen.add(`${version}: ${balance.total}`);
      }
    });
    const results: CallResult[] = [];
    for (let round = 0; round < 10; round++) {
      results.push(await grpc.call("WalletService", "ExecuteBatch", { atomic: true, items: [...inOut, tooMuch] }));
      results.push(await grpc.call("WalletService", "ExecuteBatch", { atomic: true, items: inOut }));
    }
    over.abort();
    await Promise.all(watching);
    expect(results.map(({ ok }) => ok)).toEqual(Array.from({ length: 20 }, (_, index) => index % 2 === 1));
    const whole = Array.from({ length: 11 }, (_, round) => `${2 + 1000 * round}: 1.00`);
    expect(whole).toEqual(expect.arrayContaining([...seen]));
    expect(seen.size).toBeGreaterThan(1);
  });

  test("the books are right when all is over, and nothing was complained of", async () => {
    await service.stop();
    expect(service.complaints).toEqual([]);
    expect((await ledger.checkBooks()).problems).toEqual([]);
  });
});
