// What every engine's store promises the ledger: all or nothing, what was touched and nothing else, its own clock, and that nothing is lost or altered.

import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Answer } from "../../src/domain/batch.ts";
import { releaseHoldsMax, type Touched } from "../../src/domain/command.ts";
import { keyHash } from "../../src/domain/idempotency.ts";
import type { Changes, LoadedState } from "../../src/domain/ledger-state.ts";
import { noTotals } from "../../src/domain/totals.ts";
import type { CurrencyCode, UserId } from "../../src/domain/wallet.ts";
import { executorOn, type Executor } from "../../src/ledger/executor.ts";
import type { Store } from "../../src/store/store.ts";
import { draftRecord, holdContent, rejection, totals, walletContent } from "../support/arbitrary.ts";
import { toCommand, type Asked } from "../support/asked.ts";
import { engines, type LedgerPlace } from "../support/engines.ts";
import { add, hold, hourMs, init, minuteMs, release, startMs, storyRules } from "../support/given.ts";

const alice = "alice" as UserId;
const bob = "bob" as UserId;
const usd = "USD" as CurrencyCode;
const hashOf = (user: UserId, key: string): string => keyHash(user, key);

const untouched: Touched = { wallets: [], holdIds: [], operationIds: [], keyHashes: [], eligibleHolds: undefined };

/** In whatever order they were loaded. */
const inOrder = (ids: readonly bigint[]): bigint[] => ids.toSorted((a, b) => Number(a - b));

interface Ids {
  readonly wallets?: readonly bigint[];
  readonly holds?: readonly bigint[];
  readonly records?: readonly bigint[];
  readonly keys?: number;
}
const idsIn = ({ wallets, holds, records, keys }: LoadedState): Ids => ({
  wallets: inOrder(wallets.map(({ walletId }) => walletId)),
  holds: inOrder(holds.map(({ holdId }) => holdId)),
  records: inOrder(records.map(({ sequence }) => sequence)),
  keys: keys.length,
});

describe.each(engines)("$name", (engine) => {
  let place: LedgerPlace;
  let store: Store;
  let executor: Executor;
  let machineTimeMs: number;

  const open = async (): Promise<void> => {
    store = await place.openStore(() => machineTimeMs);
    executor = executorOn(store, storyRules);
  };
  const ask = (...batch: Asked[]): Promise<readonly Answer[]> => executor.execute(batch.map(toCommand));
  const load = (touched: Partial<Touched>): Promise<LoadedState> => store.transact(0, { ...untouched, ...touched }, (state) => ({ changes: undefined, result: state }));

  const keptKeys = (): readonly unknown[] => place.dump()["idempotency_keys"]!;
  const placeHolds = async (count: number, options: Parameters<typeof hold>[1] = {}): Promise<void> => {
    await ask(...Array.from({ length: count }, () => hold("1", { periodMs: 0, ...options })));
  };
  /** Plans what the next operation would be, and changes the plan. */
  const transactWith = (alter: (changes: Changes) => Changes): Promise<void> =>
    store.transact(0, { ...untouched, wallets: [{ userId: alice, currency: usd }] }, ({ head, nowMs, wallets: [wallet], currencyTotals }) => {
      const sequence = head.sequence + 1n;
      const hash = new Uint8Array(32).fill(7);
      const after = { availableMinor: 1n, heldMinor: 0n, state: "ACTIVE", version: 9n, balanceMaxMinor: undefined } as const;
      const marks = { hold: undefined, opened: undefined, relatedOperationId: undefined, receiver: undefined, keyHash: undefined, reference: "", metadata: {} };
      const record = { ...marks, partition: 0, sequence, operationId: sequence, kind: "ADD", walletId: wallet!.walletId, amountMinor: 1n, after, previousSequence: 1n, timeMs: nowMs, hash } as const;
      const key = { keyHash: "00".repeat(16), fingerprint: "00".repeat(16), timeMs: nowMs, outcome: { sequence } };
      const changes: Changes = { head: { ...head, sequence, hash }, records: [record], wallets: [{ ...wallet!, version: 9n }], holds: [], keys: [key], currencyTotals, forgetKeysBeforeMs: 0 };
      return { changes: alter(changes), result: undefined };
    });

  beforeEach(async () => {
    machineTimeMs = startMs;
    place = await engine.open();
    await open();
  });
  afterEach(async () => {
    await store.close();
    await place.remove();
  });

  describe("a transaction is all or nothing", () => {
    beforeEach(() => ask(init(), add("5", { key: "k" }), hold("1")));

    test("a plan that throws leaves no trace, and its error is thrown on", async () => {
      const before = place.dump();
      const error = new Error("a defect");
      await expect(store.transact(0, untouched, () => { throw error; })).rejects.toBe(error);
      expect(place.dump()).toEqual(before);
    });

    test("a plan that changes nothing leaves no trace", async () => {
      const before = place.dump();
      expect(await store.transact(0, untouched, () => ({ changes: undefined, result: "seen" }))).toBe("seen");
      expect(place.dump()).toEqual(before);
    });

    test.each<[string, (changes: Changes) => Changes]>([
      ["a wallet below zero", (changes) => ({ ...changes, wallets: [{ ...changes.wallets[0]!, availableMinor: -1n }] })],
      ["a place that is taken", (changes) => ({ ...changes, records: [...changes.records, { ...changes.records[0]!, sequence: 1n }] })],
      ["a hold of nothing", (changes) => ({ ...changes, holds: [{ holdId: 9n, walletId: 1n, amountMinor: 0n, capturedMinor: 0n, status: "ACTIVE", createTimeMs: 0, eligibleTimeMs: 0, resolveTimeMs: undefined, previousHoldId: 0n }] })],
      ["a second wallet of one user in one currency", (changes) => ({ ...changes, wallets: [...changes.wallets, { ...changes.wallets[0]!, walletId: 9n }] })],
      ["a number beyond 64 bits", (changes) => ({ ...changes, wallets: [{ ...changes.wallets[0]!, version: 2n ** 63n }] })],
    ])("what the tables refuse, in the middle of the rest, leaves no trace: %s", async (_, alter) => {
      const before = place.dump();
      await expect(transactWith(alter)).rejects.toThrow();
      expect(place.dump()).toEqual(before);
    });

    test("the same plan, unaltered, is written", async () => {
      await transactWith((changes) => changes);
      expect((await load({ operationIds: [4n] })).records).toHaveLength(1);
    });

    test("the store goes on after any of them", async () => {
      await expect(store.transact(0, untouched, () => { throw new Error("a defect"); })).rejects.toThrow();
      await expect(transactWith((changes) => ({ ...changes, wallets: [{ ...changes.wallets[0]!, heldMinor: -1n }] }))).rejects.toThrow();
      expect(await ask(add("1"))).toMatchObject([{ type: "applied", record: { sequence: 4n, after: { version: 4n } } }]);
      expect(place.checkBooks().problems).toEqual([]);
    });

    test("transactions that are begun at the same time follow one another", async () => {
      const answers = await Promise.all(Array.from({ length: 50 }, () => ask(add("1"))));
      expect(answers.flat().map((answer) => answer.type === "applied" && answer.record.sequence)).toEqual(Array.from({ length: 50 }, (_, index) => BigInt(index + 4)));
      expect(place.checkBooks().problems).toEqual([]);
    });

    test("a partition that is not there is not made", async () => {
      const before = place.dump();
      await expect(store.transact(1, untouched, () => ({ changes: undefined, result: undefined }))).rejects.toThrow("partition 1");
      expect(place.dump()).toEqual(before);
    });
  });

  describe("what is touched is loaded, and nothing else", () => {
    beforeEach(async () => {
      await ask(init("USD"), init("EUR"), init("USD", { user: "bob" }), add("10", { key: "salary" }), add("10", { user: "bob" })); // 1 to 5
      await ask(hold("1", { key: "rent" }), hold("2", { periodMs: 0 }), hold("3", { user: "bob", periodMs: minuteMs }), add("1000", { currency: "JPY", key: "no" })); // 6 to 8
    });

    test.each<[string, Partial<Touched>, Ids]>([
      ["nothing", {}, {}],
      ["a wallet by its currency", { wallets: [{ userId: alice, currency: usd }] }, { wallets: [1n] }],
      ["a user's wallets", { wallets: [{ userId: alice, currency: undefined }] }, { wallets: [1n, 2n] }],
      ["the same wallet twice", { wallets: [{ userId: alice, currency: usd }, { userId: alice, currency: undefined }, { userId: alice, currency: usd }] }, { wallets: [1n, 2n] }],
      ["wallets of two users", { wallets: [{ userId: bob, currency: usd }, { userId: alice, currency: usd }] }, { wallets: [1n, 3n] }],
      ["a wallet that is not there", { wallets: [{ userId: alice, currency: "JPY" as CurrencyCode }, { userId: "Alice" as UserId, currency: undefined }] }, {}],
      ["a hold with its wallet", { holdIds: [8n] }, { wallets: [3n], holds: [8n] }],
      ["an id that is no hold's", { holdIds: [1n, 99n, 0n, 2n ** 62n] }, {}],
      ["an operation with its wallet", { operationIds: [4n] }, { wallets: [1n], records: [4n] }],
      ["an operation with its hold", { operationIds: [8n] }, { wallets: [3n], holds: [8n], records: [8n] }],
      ["an operation that is not there", { operationIds: [99n, 0n, (1n << 48n) | 4n, 2n ** 62n] }, {}],
      ["a key with its operation", { keyHashes: [hashOf(alice, "salary")] }, { wallets: [1n], records: [4n], keys: 1 }],
      ["a key with its operation's hold", { keyHashes: [hashOf(alice, "rent"), hashOf(alice, "rent")] }, { wallets: [1n], holds: [6n], records: [6n], keys: 1 }],
      ["a key with its rejection", { keyHashes: [hashOf(alice, "no")] }, { keys: 1 }],
      ["a key that is somebody else's", { keyHashes: [hashOf(bob, "salary")] }, {}],
    ])("%s", async (_, touched, expected) => expect(idsIn(await load(touched))).toEqual({ wallets: [], holds: [], records: [], keys: 0, ...expected }));

    test.each<[string, number, NonNullable<Touched["eligibleHolds"]>, LoadedState["eligible"]]>([
      ["all, oldest eligibility first", 10 * minuteMs, { userId: undefined, currency: undefined, max: 10 }, { holdIds: [7n, 8n, 6n], moreRemain: false }],
      ["only those whose time has come", minuteMs, { userId: undefined, currency: undefined, max: 10 }, { holdIds: [7n, 8n], moreRemain: false }],
      ["not a millisecond too early", minuteMs - 1, { userId: undefined, currency: undefined, max: 10 }, { holdIds: [7n], moreRemain: false }],
      ["no more than asked for, and that there are more", hourMs, { userId: undefined, currency: undefined, max: 2 }, { holdIds: [7n, 8n], moreRemain: true }],
      ["exactly as many as asked for", hourMs, { userId: undefined, currency: undefined, max: 3 }, { holdIds: [7n, 8n, 6n], moreRemain: false }],
      ["a user's", hourMs, { userId: alice, currency: undefined, max: 10 }, { holdIds: [7n, 6n], moreRemain: false }],
      ["a user's, of which there are more", hourMs, { userId: alice, currency: undefined, max: 1 }, { holdIds: [7n], moreRemain: true }],
      ["a currency's", hourMs, { userId: undefined, currency: usd, max: 10 }, { holdIds: [7n, 8n, 6n], moreRemain: false }],
      ["a currency's, of which there are more", hourMs, { userId: undefined, currency: usd, max: 2 }, { holdIds: [7n, 8n], moreRemain: true }],
      ["a wallet's", hourMs, { userId: bob, currency: usd, max: 10 }, { holdIds: [8n], moreRemain: false }],
      ["nobody's", hourMs, { userId: "carol" as UserId, currency: undefined, max: 10 }, { holdIds: [], moreRemain: false }],
      ["of a currency without holds", hourMs, { userId: undefined, currency: "EUR" as CurrencyCode, max: 10 }, { holdIds: [], moreRemain: false }],
    ])("eligible holds: %s", async (_, afterMs, eligibleHolds, expected) => {
      machineTimeMs += afterMs;
      const state = await load({ eligibleHolds });
      expect(state.eligible).toEqual(expected);
      expect(state.holds.map(({ holdId }) => holdId)).toEqual(expected.holdIds);
      expect(new Set(state.wallets.map(({ walletId }) => walletId))).toEqual(new Set(state.holds.map(({ walletId }) => walletId)));
    });

    test("a hold that was resolved is not eligible", async () => {
      machineTimeMs += hourMs;
      await ask(release({ user: "alice" }));
      expect((await load({ eligibleHolds: { userId: undefined, currency: undefined, max: 10 } })).eligible.holdIds).toEqual([8n]);
    });
  });

  describe("the ledger's clock", () => {
    test("is the machine's while that runs on", async () => {
      machineTimeMs += 5;
      expect((await load({})).nowMs).toBe(startMs + 5);
    });

    test("does not go back behind the last change, across reopening and for readers too", async () => {
      machineTimeMs += hourMs;
      await ask(init());
      machineTimeMs = 0;
      expect((await load({})).nowMs).toBe(startMs + hourMs);
      await store.close();
      await open();
      expect((await load({})).nowMs).toBe(startMs + hourMs);
      expect(await ask(add("1"))).toMatchObject([{ record: { timeMs: startMs + hourMs } }]);
      const reads = await place.openReads(() => machineTimeMs);
      expect(await reads.nowMs()).toBe(startMs + hourMs);
      await reads.close();
    });

    test("does not go back behind the ledger's creation", async () => {
      machineTimeMs = 0;
      expect((await load({})).nowMs).toBe(startMs);
    });

    test("is one for the whole batch, however time passes in it", async () => {
      await store.close();
      let readings = 0;
      store = await place.openStore(() => startMs + readings++);
      executor = executorOn(store, storyRules);
      const times = (await ask(init(), add("1"), hold("1"))).map((answer) => answer.type === "applied" && answer.record.timeMs);
      expect(new Set(times).size).toBe(1);
    });
  });

  describe("reads", () => {
    test("see what was acknowledged before they began", async () => {
      const reads = await place.openReads(() => machineTimeMs);
      expect(await reads.wallets(alice, usd)).toEqual([]);
      await ask(init());
      for (let version = 2n; version < 20n; version++) {
        await ask(add("1"));
        expect(await reads.wallets(alice, usd)).toMatchObject([{ version }]);
      }
      await reads.close();
    });

    test("tell a user's wallets in the order of their opening", async () => {
      await ask(init("USD"), init("EUR"), init("JPY"), init("BHD"));
      const reads = await place.openReads(() => machineTimeMs);
      expect((await reads.wallets(alice, undefined)).map(({ currency }) => currency)).toEqual(["USD", "EUR", "JPY", "BHD"]);
      await reads.close();
    });

    test("find nothing where there is nothing", async () => {
      const reads = await place.openReads(() => machineTimeMs);
      expect(await reads.wallets(alice, undefined)).toEqual([]);
      expect(await reads.hold(1n)).toBeUndefined();
      expect(await reads.operation(1n)).toBeUndefined();
      expect(await reads.operation((1n << 48n) | 1n)).toBeUndefined();
      expect(await reads.key(alice, hashOf(alice, "k"))).toBeUndefined();
      expect(await reads.totals({ userId: undefined, currency: undefined })).toEqual([]);
      await reads.close();
    });

    test("tell the journal piece by piece, in its order, to its end", async () => {
      const reads = await place.openReads(() => machineTimeMs);
      expect(await reads.head(0)).toMatchObject({ partition: 0, sequence: 0n, hash: Buffer.alloc(32) });
      expect(await reads.operationsAfter(0, 0n, 10)).toEqual([]);
      await ask(init(), add("5", { reference: "first" }), hold("2"), init("USD", { user: bob }), { type: "transfer", user: alice, to: bob, amount: "1" });
      await ask(add("1"));
      const all = await reads.operationsAfter(0, 0n, 10);
      expect(all.map(({ record }) => [record.sequence, record.kind])).toEqual([[1n, "INIT"], [2n, "ADD"], [3n, "HOLD"], [4n, "INIT"], [5n, "TRANSFER"], [6n, "ADD"]]);
      for (const each of all) {
        const { record, wallet, receiver, hold: placed } = (await reads.operation(each.record.operationId))!;
        expect(each.record).toEqual(record);
        // What never changes about them, and nothing else.
        expect(wallet).toMatchObject(each.wallet);
        expect([each.receiver?.userId, each.receiver?.exponent]).toEqual([receiver?.userId, receiver?.exponent]);
        expect([each.hold?.holdId, each.hold?.amountMinor, each.hold?.createTimeMs]).toEqual([placed?.holdId, placed?.amountMinor, placed?.createTimeMs]);
      }
      expect(await reads.operationsAfter(0, 0n, 4)).toEqual(all.slice(0, 4));
      expect(await reads.operationsAfter(0, 4n, 4)).toEqual(all.slice(4));
      expect(await reads.operationsAfter(0, 6n, 4)).toEqual([]);
      expect(await reads.head(0)).toMatchObject({ partition: 0, sequence: 6n, hash: all.at(-1)!.record.hash });
      await expect(reads.head(1)).rejects.toThrow("partition 1");
      await reads.close();
    });

    test("count by user, by currency and over all", async () => {
      await ask(init(), init("EUR"), init("USD", { user: "bob" }), add("1"), add("2", { currency: "EUR" }), add("4", { user: "bob" }));
      const reads = await place.openReads(() => machineTimeMs);
      const adds = async (filter: { userId?: UserId; currency?: CurrencyCode }): Promise<unknown> =>
        (await reads.totals({ userId: filter.userId, currency: filter.currency })).map((each) => [each.currency, each.exponent, each.totals.adds.count, each.totals.adds.minor]);
      expect(await adds({})).toEqual([["EUR", 2, 1n, 200n], ["USD", 2, 2n, 500n]]);
      expect(await adds({ currency: usd })).toEqual([["USD", 2, 2n, 500n]]);
      expect(await adds({ userId: alice })).toEqual([["USD", 2, 1n, 100n], ["EUR", 2, 1n, 200n]]);
      expect(await adds({ userId: bob, currency: usd })).toEqual([["USD", 2, 1n, 400n]]);
      expect(await adds({ userId: bob, currency: "EUR" as CurrencyCode })).toEqual([]);
      await reads.close();
    });
  });

  describe("nothing is lost or altered", () => {
    test("by closing and opening again", async () => {
      const [, added] = await ask(init(), add("5", { key: "k", reference: "r", metadata: { a: "1" } }), hold("6", { key: "no" }));
      const before = place.dump();
      await store.close();
      await open();
      expect(place.dump()).toEqual(before);
      expect(await ask(add("5", { key: "k", reference: "r", metadata: { a: "1" } }), hold("6", { key: "no" }))).toMatchObject([
        { type: "applied", replayed: true, record: { ...(added as Extract<Answer, { type: "applied" }>).record, hash: expect.anything() } },
        { type: "rejected", replayed: true, rejection: { reason: "INSUFFICIENT_FUNDS", requested: { minor: 600n } } },
      ]);
    });

    test("on the way into the tables and back, whatever it is", async () => {
      let id = 0n;
      const everything = fc.record({ record: draftRecord, wallet: walletContent, hold: holdContent, rejection, totals });
      await fc.assert(
        fc.asyncProperty(everything, async (made) => {
          id++;
          const userId = `user${id}` as UserId;
          const currency = `C${id}` as CurrencyCode;
          const hash = new Uint8Array(32).fill(Number(id % 256n));
          const wallet = { ...made.wallet, walletId: id, userId };
          const placed = { ...made.hold, holdId: id, walletId: id };
          const record = { ...made.record, partition: 0, sequence: id, operationId: id, walletId: id, hold: made.record.hold && { ...made.record.hold, holdId: id }, hash };
          const applied = { keyHash: hashOf(userId, "applied"), fingerprint: "ab".repeat(16), timeMs: startMs, outcome: { sequence: id } };
          const no = { keyHash: hashOf(userId, "rejected"), fingerprint: "cd".repeat(16), timeMs: startMs, outcome: { rejection: made.rejection } };
          const currencyTotals = { currency, exponent: 18, totals: made.totals };
          const head = { partition: 0, sequence: id, hash, timeMs: startMs };
          const changes: Changes = { head, records: [record], wallets: [wallet], holds: [placed], keys: [applied, no], currencyTotals: [currencyTotals], forgetKeysBeforeMs: 0 };
          await store.transact(0, untouched, () => ({ changes, result: undefined }));

          const state = await load({ wallets: [{ userId, currency: undefined }], holdIds: [id], operationIds: [id], keyHashes: [applied.keyHash, no.keyHash] });
          const bytes = { hash: Buffer.from(hash) };
          expect(state).toMatchObject({ head: { ...head, ...bytes }, wallets: [wallet], holds: [placed], keys: [applied, no] });
          expect(state.records).toEqual([{ ...record, ...bytes }]);
          expect(new Map(Object.entries(state.records[0]!.metadata))).toEqual(new Map(Object.entries(record.metadata)));
          expect(state.currencyTotals).toContainEqual(currencyTotals);
        }),
        { numRuns: 200 },
      );
    });

    test("counters beyond 64 bits", async () => {
      const most = "92233720368547758.07";
      await ask(...["a", "b", "c"].flatMap((user) => [init("USD", { user }), add(most, { user })]));
      const reads = await place.openReads(() => machineTimeMs);
      expect(await reads.totals({ userId: undefined, currency: usd })).toEqual([
        { currency: "USD", exponent: 2, totals: { ...noTotals, adds: { count: 3n, minor: 3n * (2n ** 63n - 1n) } } },
      ]);
      await reads.close();
      expect(place.checkBooks().problems).toEqual([]);
    });
  });

  describe("keys whose retention is over", () => {
    const many = 100;

    beforeEach(async () => {
      await ask(init(), ...Array.from({ length: many }, (_, index) => add("1", { key: `old${index}` })));
      machineTimeMs += hourMs;
    });

    test("are kept until then", async () => {
      machineTimeMs -= 1;
      await ask(add("1"));
      expect(keptKeys()).toHaveLength(many);
    });

    test("are forgotten a few at a time, until none is left", async () => {
      machineTimeMs += 1;
      for (let left = many; left > 0; ) {
        await ask(add("1"));
        const remaining = keptKeys().length;
        expect(remaining).toBeLessThan(left);
        expect(left - remaining).toBeLessThanOrEqual(32);
        left = remaining;
      }
      expect(place.checkBooks(hourMs).problems).toEqual([]);
    });

    test("are forgotten faster than new ones come", async () => {
      machineTimeMs += 1;
      for (let batch = 0; batch < 10; batch++) await ask(...Array.from({ length: 10 }, (_, index) => add("1", { key: `new${batch}-${index}` })));
      expect(keptKeys()).toHaveLength(100);
      expect(await ask(add("1", { key: "new0-0" }), add("1", { key: "new9-9" }))).toMatchObject([{ replayed: true }, { replayed: true }]);
    });

    test("that are used again before they were forgotten are young again", async () => {
      machineTimeMs += 1;
      expect(await ask(add("2", { key: "old0" }), add("2", { key: "old99" }))).toMatchObject([{ type: "applied", replayed: false }, { type: "applied", replayed: false }]);
      for (let batch = 0; batch < 10; batch++) await ask(add("1"));
      expect(keptKeys()).toHaveLength(2);
      expect(await ask(add("2", { key: "old0" }), add("2", { key: "old99" }))).toMatchObject([{ replayed: true }, { replayed: true }]);
      expect(place.checkBooks(hourMs).problems).toEqual([]);
    });
  });

  describe(`more than ${releaseHoldsMax} eligible holds`, () => {
    beforeEach(() => ask(init(), add("5000"), init("USD", { user: "bob" }), add("5000", { user: "bob" })));

    test("are released in several calls, the oldest first, and each says whether more remain", async () => {
      await placeHolds(releaseHoldsMax + 1);
      await placeHolds(5, { user: "bob" });
      expect(await ask(release())).toEqual([{ type: "released", count: releaseHoldsMax, amounts: [{ currency: "USD", exponent: 2, minor: 100_000n }], moreRemain: true }]);
      expect(await ask(release())).toEqual([{ type: "released", count: 6, amounts: [{ currency: "USD", exponent: 2, minor: 600n }], moreRemain: false }]);
      expect(await ask(release())).toEqual([{ type: "released", count: 0, amounts: [], moreRemain: false }]);
      expect(place.checkBooks().problems).toEqual([]);
    });

    test("are not what exactly as many are", async () => {
      await placeHolds(releaseHoldsMax);
      expect(await ask(release())).toMatchObject([{ count: releaseHoldsMax, moreRemain: false }]);
    });

    test.each([{ user: "alice" }, { currency: "USD" }, { user: "alice", currency: "USD" }])("narrowed to %o", async (filter) => {
      await placeHolds(releaseHoldsMax + 1);
      expect(await ask(release(filter))).toMatchObject([{ count: releaseHoldsMax, moreRemain: true }]);
      expect(await ask(release(filter))).toMatchObject([{ count: 1, moreRemain: false }]);
    });
  });
});
