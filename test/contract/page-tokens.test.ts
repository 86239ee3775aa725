// Page tokens as callers meet them: bound to their list and filter, free in the page's size, and harmless when they are forged.

import { create } from "@bufbuild/protobuf";
import type { ConnectError, HandlerContext } from "@connectrpc/connect";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { HoldStatus } from "../../gen/wallet/v1/hold_pb.ts";
import { ListHoldsRequestSchema, ListOperationsRequestSchema, ListWalletsRequestSchema } from "../../gen/wallet/v1/wallet_service_pb.ts";
import { reasonOf } from "../../src/api/faults.ts";
import { listMethods } from "../../src/api/lists.ts";
import { pageOf } from "../../src/api/page-token.ts";
import { executorOn } from "../../src/ledger/executor.ts";
import type { Reads, Store } from "../../src/store/store.ts";
import { toCommand } from "../support/asked.ts";
import { contractEngines } from "../support/contract-engines.ts";
import type { LedgerPlace } from "../support/engines.ts";
import { add, hold, init, startMs, storyRules } from "../support/given.ts";

const context = {} as HandlerContext;

describe.each(contractEngines)("$name", (engine) => {
  let place: LedgerPlace;
  let store: Store;
  let reads: Reads;
  let served: ReturnType<typeof listMethods>;
  beforeEach(async () => {
    place = await engine.open();
    store = await place.openStore(() => startMs);
    reads = await place.openReads(() => startMs);
    served = listMethods({ reads, rules: storyRules });
    const story = [init(), init("USD", { user: "bob" }), init("EUR", { user: "bob" }), add("10"), add("10", { user: "bob" }), ...Array.from({ length: 70 }, () => hold("0.10")), hold("1", { user: "bob" }), hold("2", { user: "bob" })];
    await executorOn(store, storyRules).execute(story.map(toCommand));
  });
  afterEach(async () => {
    await reads.close();
    await store.close();
    await place.remove();
  });

  const operations = async (request: object): Promise<{ ids: bigint[]; token: string }> => {
    const page = await served.listOperations(create(ListOperationsRequestSchema, { userId: "alice", ...request }), context);
    return { ids: page.operations!.map(({ operationId }) => operationId!), token: page.nextPageToken! };
  };
  const holds = async (request: object): Promise<{ ids: bigint[]; token: string }> => {
    const page = await served.listHolds(create(ListHoldsRequestSchema, { userId: "bob", ...request }), context);
    return { ids: page.holds!.map(({ holdId }) => holdId!), token: page.nextPageToken! };
  };
  const reasonFor = (call: Promise<unknown>): Promise<string | undefined> => call.then(() => "no error", (error: ConnectError) => reasonOf(error));

  test("a page has 50 where no size is named, and never more than 1,000", async () => {
    expect((await operations({})).ids.length).toBe(50);
    expect((await operations({ pageSize: 5_000 })).ids.length).toBe(72);
  });

  test("a token goes on where the page ended, in pages of any size", async () => {
    const all = await operations({ pageSize: 1_000 });
    expect(all.token).toBe("");
    const first = await operations({ pageSize: 3 });
    expect(first.token).toMatch(/^[A-Za-z0-9_-]{1,512}$/);
    expect([...first.ids, ...(await operations({ pageSize: 1_000, pageToken: first.token })).ids]).toEqual(all.ids);
  });

  test("a page that ends with its list has no token", async () => {
    expect((await operations({ pageSize: 72 })).token).toBe("");
    expect((await operations({ pageSize: 71 })).token).not.toBe("");
    expect((await holds({ pageSize: 2 })).token).toBe("");
    expect((await holds({ pageSize: 2, status: HoldStatus.ACTIVE })).token).toBe("");
    expect((await served.listWallets(create(ListWalletsRequestSchema, { userId: "bob", pageSize: 2 }), context)).nextPageToken).toBe("");
  });

  test("another filter, another list and garbage are refused", async () => {
    const { token } = await operations({ pageSize: 1 });
    const { token: holdsToken } = await holds({ pageSize: 1 });
    for (const request of [{ kind: 2 }, { currency: "USD" }, { reference: "r" }, { userId: "bob", currency: "USD" }, { startTime: { seconds: 1n, nanos: 0 } }]) {
      expect(await reasonFor(operations({ ...request, pageToken: token }))).toBe("INVALID_PAGE_TOKEN");
    }
    for (const pageToken of [holdsToken, `${token}=`, `${token}A`, token.slice(1), token.slice(0, -1), ` ${token}`, "x", "🪙", "A".repeat(512)]) {
      expect(await reasonFor(operations({ pageToken }))).toBe("INVALID_PAGE_TOKEN");
    }
    expect(await reasonFor(holds({ pageToken: token }))).toBe("INVALID_PAGE_TOKEN");
    expect(await reasonFor(holds({ pageToken: holdsToken, eligible: true }))).toBe("INVALID_PAGE_TOKEN");
  });

  test("a forged position shows nothing of anybody else", async () => {
    const request = create(ListOperationsRequestSchema, { userId: "alice" });
    const mine = new Set((await operations({ pageSize: 1_000 })).ids);
    for (const position of [-(2n ** 63n), -1n, 0n, ...Array.from({ length: 80 }, (_, index) => BigInt(index + 1)), 2n ** 63n - 1n]) {
      const pageToken = pageOf(ListOperationsRequestSchema, request, 1).tokenAt([position]);
      const answer = await operations({ pageToken }).catch((error: ConnectError) => reasonOf(error));
      if (typeof answer === "object") expect(answer.ids.filter((id) => !mine.has(id))).toEqual([]);
      else expect(answer).toBe("INVALID_PAGE_TOKEN");
    }
    for (const status of [HoldStatus.UNSPECIFIED, HoldStatus.ACTIVE]) {
      const ofBob = create(ListHoldsRequestSchema, { userId: "bob", status });
      const bobs = new Set((await holds({ status })).ids);
      for (const position of [-(2n ** 63n), 0n, 6n, 70n, [...bobs][0]!, 2n ** 63n - 1n]) {
        const pageToken = pageOf(ListHoldsRequestSchema, ofBob, 1).tokenAt(status === HoldStatus.ACTIVE ? [position, position] : [position]);
        const answer = await holds({ status, pageToken }).catch((error: ConnectError) => reasonOf(error));
        if (typeof answer === "object") expect(answer.ids.filter((id) => !bobs.has(id))).toEqual([]);
        else expect(answer).toBe("INVALID_PAGE_TOKEN");
      }
    }
  });

  test("a page ends before its notes are too large for a client", async () => {
    const large = { k: "x".repeat(250_000) };
    const executor = executorOn(store, storyRules);
    await executor.execute(Array.from({ length: 20 }, () => toCommand(add("1", { metadata: large }))));
    const first = await operations({ pageSize: 1_000 });
    expect(first.ids.length).toBe(9);
    const rest = await operations({ pageSize: 1_000, pageToken: first.token });
    expect(rest.ids.length).toBe(9);
  });
});
