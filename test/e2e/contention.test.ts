// Many clients at once on the same money, over real connections to the real process: nothing is lost, nothing is done twice, nobody sees another order.

import type { JsonObject } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { birthplaceOf } from "../../src/domain/journal.ts";
import { partitionOf } from "../../src/domain/partitions.ts";
import type { UserId } from "../../src/domain/wallet.ts";
import type { Client } from "../support/clients/client.ts";
import { connectClient } from "../support/clients/connect.ts";
import { grpcJsClient } from "../support/clients/grpc-js.ts";
import { postgresLedgers, sqliteLedgers, type ServiceLedger } from "../support/service-ledgers.ts";
import { spawnService, type Service } from "../support/service.ts";
import { checkOrder, replay, type Observed, type RecordedOperation } from "./observed-order.ts";
import { randomNumbers } from "./random-numbers.ts";

const clientCount = 64;

let service: Service;
let clients: Client[];
/** The answer of a call that must succeed. */
async function answer(client: Client, method: string, request: JsonObject, name = "WalletService"): Promise<JsonObject> {
  const result = await client.call(name, method, request);
  if (!result.ok) throw new Error(`${method} ${JSON.stringify(request)}: ${result.error.message}`);
  return result.response as JsonObject;
}

async function balanceOf(user: string): Promise<JsonObject> {
  const { available, held, total } = await answer(clients[0]!, "GetWalletBalance", { user_id: user }, "ReportService");
  return { available: available!, held: held!, total: total! };
}

/** Opens a wallet and gives the opening's id, behind which come those of all later operations in its partition, one by one. */
async function open(user: string, amount?: string): Promise<bigint> {
  const { operation } = await answer(clients[0]!, "InitWallet", { user_id: user, currency: "USD" });
  if (amount !== undefined) await answer(clients[0]!, "AddMoney", { user_id: user, amount });
  return BigInt((operation as JsonObject)["operationId"] as string);
}

// One order for all in each partition, however many threads serve. On PostgreSQL each of them writes by itself, so that on one wallet they wait for each other: fewer additions take as long.
describe.each([
  { ...sqliteLedgers.one, networkThreads: 1, additions: 10_000 },
  { ...sqliteLedgers.one, networkThreads: 3, additions: 10_000 },
  { ...postgresLedgers.one, networkThreads: 3, additions: 2_500 },
  { ...postgresLedgers.eight, networkThreads: 3, additions: 2_500 },
])("on $name, $networkThreads network threads", ({ networkThreads, additions, partitions, make }) => {
  let ledger: ServiceLedger;
  beforeAll(async () => {
    ledger = await make();
    service = await spawnService(...ledger.flags, "--log-level=info", `--network-threads=${networkThreads}`);
    clients = Array.from({ length: clientCount }, (_, index) => {
      if (index % 4 < 2) return grpcJsClient(service);
      return connectClient(service, index % 4 === 2 ? { protocol: "Connect", codec: "binary", http: "HTTP/2" } : { protocol: "Connect", codec: "JSON", http: "HTTP/1.1" });
    });
  });
  afterAll(async () => {
    for (const client of clients) client.close();
    await service.remove();
    await ledger.remove();
  });

  const sum = `${additions / 100}.00`;
  test(`${additions} additions of 0.01 by 64 clients are ${sum}`, async () => {
    await open("cent");
    let left = additions;
    await Promise.all(
      clients.map(async (client) => {
        while (left-- > 0) await answer(client, "AddMoney", { user_id: "cent", amount: "0.01" });
      }),
    );
    expect(await balanceOf("cent")).toEqual({ available: sum, held: "0.00", total: sum });
    expect(await answer(clients[0]!, "GetWalletOperationReport", { user_id: "cent" }, "ReportService")).toMatchObject({ adds: { count: `${additions}` } });
  });

  test.each([
    { funds: "10.00", each: "1.00", granted: 10, rest: "0.00" },
    { funds: "10.00", each: "0.75", granted: 13, rest: "0.25" },
    { funds: "0.99", each: "1.00", granted: 0, rest: "0.99" },
    { funds: "63.00", each: "1.00", granted: 63, rest: "0.00" },
  ])("64 clients want $each each of $funds: $granted get it", async ({ funds, each, granted, rest }) => {
    const user = `last-${funds}-${each}`;
    await open(user, funds);
    const results = await Promise.all(clients.map((client) => client.call("WalletService", "HoldMoney", { user_id: user, amount: each })));
    const refusals = results.flatMap((result) => (result.ok ? [] : [result.error.reason]));
    expect(refusals).toEqual(Array.from({ length: clientCount - granted }, () => "INSUFFICIENT_FUNDS"));
    expect(await balanceOf(user)).toMatchObject({ available: rest, total: funds });
  });

  test.each([
    ["AddMoney", { amount: "5" }, { available: "15.00", held: "0.00", total: "15.00" }],
    ["HoldMoney", { amount: "5" }, { available: "5.00", held: "5.00", total: "10.00" }],
  ] as const)("the same %s under one key from 64 clients at once happens once, and all are told the same", async (method, request, balance) => {
    const user = `key-${method}`;
    await open(user, "10");
    const results = await Promise.all(clients.map((client) => answer(client, method, { user_id: user, ...request, idempotency_key: "once" })));
    const [first, ...others] = results.map((result) => ({ ...result, replayed: "aside" }));
    for (const other of others) expect(other).toEqual(first);
    expect(results.filter(({ replayed }) => replayed === false).length).toBe(1);
    expect(await balanceOf(user)).toEqual(balance);
  });

  test("the same refusal under one key is one refusal for all, even where the money came in between", async () => {
    await open("key-refused", "1");
    const hold = { user_id: "key-refused", amount: "5", idempotency_key: "once" };
    const add = { user_id: "key-refused", amount: "100" };
    const results = await Promise.all(clients.map((client, index) => (index === clientCount / 2 ? client.call("WalletService", "AddMoney", add) : client.call("WalletService", "HoldMoney", hold))));
    // Whichever came first decided it; nobody was told anything else.
    const [decided] = results;
    for (const result of results.filter((_, index) => index !== clientCount / 2)) {
      expect(result.ok).toBe(decided!.ok);
      if (!result.ok && !decided!.ok) expect(result.error.message).toBe(decided!.error.message);
    }
  });

  test("mixed operations by 64 clients on 10 hot wallets are one order in each partition, the one that every client saw", async () => {
    const users = Array.from({ length: 10 }, (_, index) => `hot-${index}`);
    /** Of each partition that has any of them: its journal begins here. */
    const firsts = new Map<number, bigint>();
    for (const user of users) {
      const opening = await open(user, "5");
      const { partition } = birthplaceOf(opening);
      if (!firsts.has(partition)) firsts.set(partition, opening);
    }
    expect(new Set(firsts.keys())).toEqual(new Set(users.map((user) => partitionOf(user as UserId, partitions))));
    const observed: Observed[] = [];
    await Promise.all(clients.map((client, index) => live(client, users, randomNumbers(index + 1), observed)));

    for (const [partition, first] of firsts) {
      const journal = await journalFrom(first);
      const here = observed.filter(({ operation }) => birthplaceOf(BigInt(operation.operationId)).partition === partition);
      expect(checkOrder(here)).toEqual([]);
      const { sequence } = birthplaceOf(first);
      for (const { operation } of here) expect(operation).toEqual(journal[Number(BigInt(operation.sequence) - sequence)]);
      const books = replay(journal);
      expect(books.problems).toEqual([]);
      for (const user of users.filter((each) => partitionOf(each as UserId, partitions) === partition)) expect(await balanceOf(user), user).toEqual(books.balances.get(user));
    }
    expect(observed.length).toBeGreaterThan(1_000);
  });

  test("the books are right when all is over", async () => {
    const counts = new Map<number, number>();
    for (let number = 0; counts.size < partitions; number++) {
      const { partition, sequence } = birthplaceOf(await open(`final-${number}`));
      counts.set(partition, Number(sequence));
    }
    const operations = [...counts.values()].reduce((all, count) => all + count, 0);
    await service.stop();
    expect(service.complaints).toEqual([]);
    expect(await ledger.checkBooks()).toEqual({ operations, problems: [] });
  });
});

/** Thirty calls of one client, one after the other, on any of the wallets. What was refused for want of money or of a hold has not happened. */
async function live(client: Client, users: readonly string[], random: (below: number) => number, observed: Observed[]): Promise<void> {
  const holds: { user_id: string; hold_id: string }[] = [];
  for (let step = 0; step < 30; step++) {
    const user_id = users[random(users.length)]!;
    const amount = `${random(3)}.${10 + random(90)}`;
    const [method, request] = [
      ["AddMoney", { user_id, amount }] as const,
      ["HoldMoney", { user_id, amount, idempotency_key: `${random(1e9)}` }] as const,
      ["HoldMoney", { user_id, amount, hold_period: "0.001s" }] as const,
      ["ReverseHold", holds.pop() ?? { user_id, hold_id: "1" }] as const,
      ["ReleaseHolds", random(2) === 0 ? { user_id } : {}] as const,
    ][random(5)]!;
    const sentMs = performance.now();
    const result = await client.call("WalletService", method, request);
    const answeredMs = performance.now();
    if (!result.ok) {
      expect(["INSUFFICIENT_FUNDS", "HOLD_NOT_ACTIVE", "HOLD_NOT_FOUND"]).toContain(result.error.reason);
      continue;
    }
    const { operation, hold } = result.response as { operation?: RecordedOperation; hold?: { holdId: string } };
    if (operation !== undefined) observed.push({ sentMs, answeredMs, operation });
    if (method === "HoldMoney") holds.push({ user_id, hold_id: hold!.holdId });
  }
}

/** Every operation of a partition from this one on, asked for one by one until there is none. */
async function journalFrom(first: bigint): Promise<RecordedOperation[]> {
  const journal: RecordedOperation[] = [];
  const stride = 256;
  for (;;) {
    const ids = Array.from({ length: stride }, (_, index) => first + BigInt(journal.length + index));
    const results = await Promise.all(ids.map((id, index) => clients[index % 2]!.call("WalletService", "GetOperation", { operation_id: `${id}` })));
    for (const result of results) if (result.ok) journal.push((result.response as { operation: RecordedOperation }).operation);
    if (results.some((result) => !result.ok)) return journal;
  }
}
