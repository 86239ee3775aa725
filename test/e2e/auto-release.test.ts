// With WALLET_AUTO_RELEASE no answer of the service counts an overdue hold, whether or not anybody has come by.

import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectClient } from "../support/clients/connect.ts";
import type { Client } from "../support/clients/client.ts";
import { postgresLedgers, sqliteLedgers, type ServiceLedger } from "../support/service-ledgers.ts";
import { startService, type Service } from "../support/service.ts";

const holdPeriodMs = 40;

let service: Service;
let client: Client;

async function answer(method: string, request: JsonObject): Promise<JsonObject> {
  const name = method.includes("Report") || method === "GetWalletBalance" ? "ReportService" : "WalletService";
  const result = await client.call(name, method, request);
  if (!result.ok) throw new Error(`${method}: ${result.error.reason} ${result.error.message}`);
  return result.response as JsonObject;
}

/** A wallet of 5.00, and a hold on all of it whose period is over. */
async function overdue(user: string): Promise<string> {
  await answer("InitWallet", { user_id: user, currency: "USD" });
  await answer("AddMoney", { user_id: user, amount: "5" });
  const { hold } = await answer("HoldMoney", { user_id: user, amount: "5" });
  await sleep(holdPeriodMs + 5);
  return (hold as { holdId: string }).holdId;
}

const freed = { available: "5.00", held: "0.00", total: "5.00" };

describe.each([sqliteLedgers.one, postgresLedgers.one, postgresLedgers.eight])("on $name", ({ make }) => {
  let ledger: ServiceLedger;
  beforeAll(async () => {
    ledger = await make();
    service = await startService(...ledger.flags, "--auto-release=true", `--hold-period=${holdPeriodMs}ms`);
    client = connectClient(service, { protocol: "Connect", codec: "binary", http: "HTTP/2" });
  });
  afterAll(async () => {
    client.close();
    await service.remove();
    await ledger.remove();
  });

  test.each<[string, (user: string, holdId: string) => Promise<JsonValue>, JsonObject]>([
    ["GetWallet", (user) => answer("GetWallet", { user_id: user }), { wallet: { balance: freed } }],
    ["ListWallets", (user) => answer("ListWallets", { user_id: user }), { wallets: [{ balance: freed }] }],
    ["GetWalletBalance", (user) => answer("GetWalletBalance", { user_id: user }), freed],
    ["GetHold", (user, holdId) => answer("GetHold", { user_id: user, hold_id: holdId }), { hold: { status: "HOLD_STATUS_RELEASED" } }],
    ["ListHolds", (user) => answer("ListHolds", { user_id: user }), { holds: [{ status: "HOLD_STATUS_RELEASED" }] }],
    ["ListHolds of active ones", (user) => answer("ListHolds", { user_id: user, status: "HOLD_STATUS_ACTIVE" }), { holds: [] }],
    ["ListOperations", (user) => answer("ListOperations", { user_id: user, page_size: 1 }), { operations: [{ kind: "OPERATION_KIND_RELEASE" }] }],
    ["GetHoldReport", (user) => answer("GetHoldReport", { user_id: user }), { active: { count: "0" }, released: { count: "1" } }],
    ["GetWalletOperationReport", (user) => answer("GetWalletOperationReport", { user_id: user }), { releases: { count: "1" } }],
    ["WithdrawMoney", (user) => answer("WithdrawMoney", { user_id: user, amount: "5" }), { wallet: { balance: { total: "0.00" } } }],
  ])("%s", async (name, ask, expected) => {
    const user = name.replaceAll(" ", "-");
    const holdId = await overdue(user);
    expect(await ask(user, holdId)).toMatchObject(expected);
  });

  test("a balance as of a time, the present one too, does not count what was overdue then", async () => {
    for (let round = 0; round < 10; round++) {
      const user = `then-${round}`;
      await overdue(user);
      const asOf = new Date();
      const request = { user_id: user, as_of_time: asOf.toISOString() };
      expect(await answer("GetWalletBalance", request)).toMatchObject(freed);
      await answer("WithdrawMoney", { user_id: user, amount: "1" });
      await answer("HoldMoney", { user_id: user, amount: "1" });
      expect(await answer("GetWalletBalance", request)).toMatchObject(freed);
      // While it was not overdue it was held.
      const before = { user_id: user, as_of_time: new Date(asOf.getTime() - holdPeriodMs).toISOString() };
      const { held } = await answer("GetWalletBalance", before);
      expect(["0.00", "5.00"]).toContain(held);
    }
  });

  test("the report on everybody", async () => {
    await overdue("everybody");
    expect(await answer("GetHoldReport", {})).toMatchObject({ active: { count: "0", amounts: [] } });
  });

  test("a capture that comes too late finds the hold released", async () => {
    const holdId = await overdue("late");
    const result = await client.call("WalletService", "CaptureHold", { user_id: "late", hold_id: holdId, amount: "1" });
    expect(result).toMatchObject({ ok: false, error: { reason: "HOLD_NOT_ACTIVE", metadata: { status: "RELEASED" } } });
  });

  test("what nobody asks about is swept all the same", async () => {
    const holdId = await overdue("forgotten");
    for (;;) {
      // An operation by its id is the journal's, whatever is overdue.
      const last = await client.call("WalletService", "GetOperation", { operation_id: String(BigInt(holdId) + 1n) });
      if (last.ok) {
        expect(last.response).toMatchObject({ operation: { kind: "OPERATION_KIND_RELEASE", holdId } });
        break;
      }
      await sleep(50);
    }
  });

  test("of captures that race with the deadline each hold has one winner", async () => {
    await answer("InitWallet", { user_id: "race", currency: "USD" });
    await answer("AddMoney", { user_id: "race", amount: "200" });
    const outcomes = await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const { hold } = await answer("HoldMoney", { user_id: "race", amount: "1" });
        const { holdId } = hold as { holdId: string };
        await sleep(holdPeriodMs - 20 + (index % 25));
        const captured = await client.call("WalletService", "CaptureHold", { user_id: "race", hold_id: holdId, amount: "1" });
        const { hold: after } = await answer("GetHold", { user_id: "race", hold_id: holdId });
        return { isCaptured: captured.ok, status: (after as { status: string }).status };
      }),
    );
    for (const { isCaptured, status } of outcomes) expect(status).toBe(isCaptured ? "HOLD_STATUS_CAPTURED" : "HOLD_STATUS_RELEASED");
    const captures = outcomes.filter(({ isCaptured }) => isCaptured).length;
    expect(await answer("GetWalletBalance", { user_id: "race" })).toMatchObject({ available: `${200 - captures}.00`, held: "0.00" });
  });

  test("the books are right when all is over, and nothing was complained of", async () => {
    await service.stop();
    expect(service.complaints).toEqual([]);
    expect((await ledger.checkBooks()).problems).toEqual([]);
  });
});
