// What every engine's store keeps: what was acknowledged is read, nothing is lost or altered, keys for their time, and holds however many.

import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Answer } from "../../src/domain/answer.ts";
import { releaseHoldsMax } from "../../src/domain/command.ts";
import { keyHash } from "../../src/domain/idempotency.ts";
import { operationIdAt, partsHere } from "../../src/domain/journal.ts";
import type { Changes } from "../../src/domain/loaded-state.ts";
import { noTotals } from "../../src/domain/totals.ts";
import type { CurrencyCode, UserId } from "../../src/domain/wallet.ts";
import { draftRecord, holdContent, rejection, totals, walletContent } from "../support/arbitrary.ts";
import type { Asked } from "../support/asked.ts";
import { contractEngines } from "../support/contract-engines.ts";
import { add, close, freeze, hold, hourMs, init, limit, release, startMs, transfer, unfreeze, withdraw } from "../support/given.ts";
import { alice, journalOf, judy, peggy } from "../support/journals.ts";
import { OpenedStore, untouched } from "../support/opened-store.ts";

const usd = "USD" as CurrencyCode;
const hashOf = (user: UserId, key: string): string => keyHash(user, key);

// Who shares alice's journal on every engine is judy: places and counters are a journal's. Where it is all the same, it is bob, who has another of eight.
describe.each(contractEngines)("$name", (engine) => {
  let opened: OpenedStore;
  const { partition, idAt: at } = journalOf(alice, engine.partitions);

  const capture = (holdId: bigint, amount: string, options: { to?: string; final?: boolean; key?: string } = {}): Asked => ({ type: "capture", user: "alice", holdId, amount, ...options });
  const extend = (holdId: bigint, periodMs: number, { key }: { key: string }): Asked => ({ type: "extend", user: "alice", holdId, periodMs, key });
  const keptKeys = async (): Promise<readonly unknown[]> => (await opened.place.dump())["idempotency_keys"]!;
  const placeHolds = async (count: number, options: Parameters<typeof hold>[1] = {}): Promise<void> => {
    await opened.ask(...Array.from({ length: count }, () => hold("1", { periodMs: 0, ...options })));
  };

  beforeEach(async () => {
    opened = await OpenedStore.on(engine);
  });
  afterEach(() => opened.remove());

  describe("reads", () => {
    test("see what was acknowledged before they began", async () => {
      const reads = await opened.reads();
      expect(await reads.wallets(alice, usd)).toEqual([]);
      await opened.ask(init());
      for (let version = 2n; version < 20n; version++) {
        await opened.ask(add("1"));
        expect(await reads.wallets(alice, usd)).toMatchObject([{ version }]);
      }
      await reads.close();
    });

    test("tell a user's wallets in the order of their opening", async () => {
      await opened.ask(init("USD"), init("EUR"), init("JPY"), init("BHD"));
      const reads = await opened.reads();
      expect((await reads.wallets(alice, undefined)).map(({ currency }) => currency)).toEqual(["USD", "EUR", "JPY", "BHD"]);
      await reads.close();
    });

    test("find nothing where there is nothing", async () => {
      const reads = await opened.reads();
      expect(await reads.wallets(alice, undefined)).toEqual([]);
      expect(await reads.hold(alice, at(1n))).toBeUndefined();
      expect(await reads.operation(at(1n))).toBeUndefined();
      expect(await reads.operation(operationIdAt(engine.partitions, 1n))).toBeUndefined();
      expect(await reads.key(alice, hashOf(alice, "k"))).toBeUndefined();
      expect(await reads.totals({ userId: undefined, currency: undefined })).toEqual([]);
      await reads.close();
    });

    test("answer the receiver of an operation, and of wallets and hold what never changes", async () => {
      await opened.ask(init(), init("USD", { user: "judy" }), add("9"), transfer("2", "judy", { key: "gift" }), hold("5"), capture(at(5n), "3", { to: "judy" }), withdraw("1")); // 1 to 7
      const reads = await opened.reads();
      const [payer, receiver] = [{ walletId: at(1n), userId: alice, currency: "USD", exponent: 2 }, { walletId: at(2n), userId: "judy", currency: "USD", exponent: 2 }];
      const transferred = { record: { kind: "TRANSFER", receiver: { walletId: at(2n), amountMinor: 200n, after: { availableMinor: 200n } } }, wallet: payer, receiver, hold: undefined };
      expect(await reads.operation(at(4n))).toMatchObject(transferred);
      expect(await reads.key(alice, hashOf(alice, "gift"))).toMatchObject({ key: { outcome: { sequence: 4n } }, operation: transferred });
      expect(await reads.operation(at(6n))).toMatchObject({
        record: { kind: "CAPTURE", hold: { status: "ACTIVE", capturedMinor: 300n }, receiver: { previousSequence: 4n, amountMinor: 300n, after: { version: 3n } } },
        wallet: payer,
        receiver,
        hold: { holdId: at(5n), walletId: at(1n), amountMinor: 500n },
      });
      expect(await reads.operation(at(7n))).toMatchObject({ record: { kind: "WITHDRAW", receiver: undefined }, wallet: payer, receiver: undefined, hold: undefined });
      await reads.close();
    });

    test("find a wallet's holds by their links, newest first, whatever became of them", async () => {
      await opened.ask(init(), add("9"), init("USD", { user: "judy" }), add("9", { user: "judy" })); // 1 to 4
      await opened.ask(hold("1"), hold("1", { user: "judy" }), hold("2", { periodMs: 0 }), hold("1", { user: "judy" }), capture(at(5n), "1")); // holds 5 to 8
      await opened.ask(release());
      await opened.ask(hold("3")); // 11
      await opened.reopen();
      await opened.ask(hold("3")); // 12
      const reads = await opened.reads();
      const holdsOf = async (userId: UserId): Promise<bigint[]> => {
        const ids: bigint[] = [];
        for (let id = (await reads.wallets(userId, usd))[0]!.lastHoldId; id !== 0n; id = (await reads.hold(userId, id))!.hold.previousHoldId) ids.push(id);
        return ids;
      };
      expect(await holdsOf(alice)).toEqual([12n, 11n, 7n, 5n].map(at));
      expect(await holdsOf(judy)).toEqual([8n, 6n].map(at));
      await reads.close();
      expect((await opened.place.checkBooks()).problems).toEqual([]);
    });

    test("tell the journal piece by piece, in its order, to its end", async () => {
      const reads = await opened.reads();
      expect(await reads.head(partition)).toMatchObject({ partition, sequence: 0n, hash: Buffer.alloc(32) });
      expect(await reads.operationsAfter(partition, 0n, 10)).toEqual([]);
      await opened.ask(init(), add("5", { reference: "first" }), hold("2"), init("USD", { user: judy }), { type: "transfer", user: alice, to: judy, amount: "1" });
      await opened.ask(add("1"));
      const all = await reads.operationsAfter(partition, 0n, 10);
      expect(all.map(({ record }) => [record.sequence, record.kind])).toEqual([[1n, "INIT"], [2n, "ADD"], [3n, "HOLD"], [4n, "INIT"], [5n, "TRANSFER"], [6n, "ADD"]]);
      for (const each of all) {
        const { record, wallet, receiver, hold: placed } = (await reads.operation(each.record.operationId))!;
        expect(each.record).toEqual(record);
        // What never changes about them, and nothing else.
        expect(wallet).toMatchObject(each.wallet);
        expect([each.receiver?.userId, each.receiver?.exponent]).toEqual([receiver?.userId, receiver?.exponent]);
        expect([each.hold?.holdId, each.hold?.amountMinor, each.hold?.createTimeMs]).toEqual([placed?.holdId, placed?.amountMinor, placed?.createTimeMs]);
      }
      expect(await reads.operationsAfter(partition, 0n, 4)).toEqual(all.slice(0, 4));
      expect(await reads.operationsAfter(partition, 4n, 4)).toEqual(all.slice(4));
      expect(await reads.operationsAfter(partition, 6n, 4)).toEqual([]);
      expect(await reads.head(partition)).toMatchObject({ partition, sequence: 6n, hash: all.at(-1)!.record.hash });
      await expect(reads.head(engine.partitions)).rejects.toThrow(`partition ${engine.partitions}`);
      await reads.close();
    });

    test("count by user, by currency and over all", async () => {
      await opened.ask(init(), init("EUR"), init("USD", { user: "judy" }), add("1"), add("2", { currency: "EUR" }), add("4", { user: "judy" }));
      const reads = await opened.reads();
      const adds = async (filter: { userId?: UserId; currency?: CurrencyCode }): Promise<unknown> =>
        (await reads.totals({ userId: filter.userId, currency: filter.currency })).map((each) => [each.currency, each.exponent, each.totals.adds.count, each.totals.adds.minor]);
      expect(await adds({})).toEqual([["EUR", 2, 1n, 200n], ["USD", 2, 2n, 500n]]);
      expect(await adds({ currency: usd })).toEqual([["USD", 2, 2n, 500n]]);
      expect(await adds({ userId: alice })).toEqual([["USD", 2, 1n, 100n], ["EUR", 2, 1n, 200n]]);
      expect(await adds({ userId: judy, currency: usd })).toEqual([["USD", 2, 1n, 400n]]);
      expect(await adds({ userId: judy, currency: "EUR" as CurrencyCode })).toEqual([]);
      await reads.close();
    });
  });

  describe("nothing is lost or altered", () => {
    test("by closing and opening again", async () => {
      const [, added] = await opened.ask(init(), add("5", { key: "k", reference: "r", metadata: { a: "1" } }), hold("6", { key: "no" }));
      const before = await opened.place.dump();
      await opened.reopen();
      expect(await opened.place.dump()).toEqual(before);
      expect(await opened.ask(add("5", { key: "k", reference: "r", metadata: { a: "1" } }), hold("6", { key: "no" }))).toMatchObject([
        { type: "applied", replayed: true, record: { ...(added as Extract<Answer, { type: "applied" }>).record, hash: expect.anything() } },
        { type: "rejected", replayed: true, rejection: { reason: "INSUFFICIENT_FUNDS", requested: { minor: 600n } } },
      ]);
    });

    test("of any kind of operation, and the first answers come again", async () => {
      const before = [init(), init("EUR"), add("90"), hold("20"), hold("30"), init("USD", { user: "bob" })]; // alice's 1 to 5
      const first = [
        transfer("2", "bob", { key: "transfer" }),
        capture(at(4n), "5", { key: "part" }),
        capture(at(4n), "5", { to: "bob", key: "final into a wallet", final: true }),
        extend(at(5n), hourMs, { key: "extend" }),
        withdraw("1", { key: "withdraw" }),
        limit("1000", { key: "limit" }),
        close({ currency: "EUR", key: "close" }),
        freeze({ key: "freeze" }),
        unfreeze({ key: "unfreeze" }),
        freeze({ key: "freeze again" }),
        withdraw("1", { key: "of a frozen wallet" }),
        transfer("1000", "alice", { user: "bob", key: "too much" }),
      ];
      await opened.ask(...before);
      const answers = await opened.ask(...first);
      expect(answers.map((answer) => answer.type)).toEqual([...Array<string>(10).fill("applied"), "rejected", "rejected"]);
      const dumped = await opened.place.dump();
      await opened.reopen();
      expect(await opened.place.dump()).toEqual(dumped);
      const plain = (all: readonly Answer[]): unknown => all.map((answer) => (answer.type === "applied" ? { ...answer, record: { ...answer.record, hash: Buffer.from(answer.record.hash) } } : answer));
      expect(plain(await opened.ask(...first))).toEqual(plain(answers.map((answer) => ({ ...answer, replayed: true }) as Answer)));
      expect(await opened.place.dump()).toEqual(dumped);
      expect((await opened.place.checkBooks(hourMs)).problems).toEqual([]);
    });

    test("on the way into the tables and back, whatever it is", async () => {
      let sequence = 0n;
      const everything = fc.record({ record: draftRecord, wallet: walletContent, other: walletContent, hold: holdContent, rejection, totals });
      await fc.assert(
        fc.asyncProperty(everything, async (made) => {
          sequence += 2n;
          const [id, receivingId] = [at(sequence), at(sequence + 1n)];
          const userId = `user${sequence}` as UserId;
          const currency = `C${sequence}` as CurrencyCode;
          const hash = new Uint8Array(32).fill(Number(sequence % 256n));
          const wallet = { ...made.wallet, walletId: id, userId };
          const receiving = { ...made.other, walletId: receivingId, userId: `receiver${sequence}` as UserId };
          const placed = { ...made.hold, holdId: id, walletId: id };
          const record = { ...made.record, partition, sequence, operationId: id, walletId: id, hash, hold: made.record.hold && { ...made.record.hold, holdId: id }, receiver: made.record.receiver && { ...made.record.receiver, walletId: receivingId } };
          const applied = { keyHash: hashOf(userId, "applied"), fingerprint: "ab".repeat(16), timeMs: startMs, outcome: { sequence } };
          const no = { keyHash: hashOf(userId, "rejected"), fingerprint: "cd".repeat(16), timeMs: startMs, outcome: { rejection: made.rejection } };
          const currencyTotals = { currency, exponent: 18, totals: made.totals };
          // The receiving wallet's own record: what is made in a batch is new, and nothing changes without one.
          const opening = { ...record, sequence: sequence + 1n, operationId: receivingId, walletId: receivingId, hold: undefined, receiver: undefined };
          const head = { partition, sequence: sequence + 1n, hash, timeMs: startMs };
          const changes: Changes = { head, records: [record, opening], wallets: [wallet, receiving], holds: [placed], keys: [applied, no], currencyTotals: [currencyTotals], forgetKeysBeforeMs: 0 };
          await opened.store.transact([{ ...untouched, partition }], () => ({ changes: [changes], result: undefined }));

          const state = await opened.load({ wallets: [{ userId, currency: undefined }], holdIds: [id], keyHashes: [applied.keyHash, no.keyHash] });
          const bytes = { hash: Buffer.from(hash) };
          expect(state).toMatchObject({ head: { ...head, ...bytes }, wallets: partsHere(record).some(({ walletId }) => walletId === receivingId) ? [wallet, receiving] : [wallet], holds: [placed], keys: [applied, no] });
          expect((await opened.load({ wallets: [{ userId: receiving.userId, currency: undefined }] })).wallets).toEqual([receiving]);
          expect(state.records).toEqual([{ ...record, ...bytes }]);
          expect(new Map(Object.entries(state.records[0]!.metadata))).toEqual(new Map(Object.entries(record.metadata)));
          expect(state.currencyTotals).toContainEqual(currencyTotals);
        }),
        { numRuns: 200 },
      );
    });

    test("counters beyond 64 bits", async () => {
      const most = "92233720368547758.07";
      await opened.ask(...[alice, judy, peggy].flatMap((user) => [init("USD", { user }), add(most, { user })]));
      const reads = await opened.reads();
      expect(await reads.totals({ userId: undefined, currency: usd })).toEqual([
        { currency: "USD", exponent: 2, totals: { ...noTotals, adds: { count: 3n, minor: 3n * (2n ** 63n - 1n) } } },
      ]);
      await reads.close();
      expect((await opened.place.checkBooks()).problems).toEqual([]);
    });
  });

  describe("keys whose retention is over", () => {
    const many = 100;

    beforeEach(async () => {
      await opened.ask(init(), ...Array.from({ length: many }, (_, index) => add("1", { key: `old${index}` })));
      opened.machineTimeMs += hourMs;
    });

    test("are kept until then", async () => {
      opened.machineTimeMs -= 1;
      await opened.ask(add("1"));
      expect(await keptKeys()).toHaveLength(many);
    });

    test("are forgotten a few at a time, until none is left", async () => {
      opened.machineTimeMs += 1;
      for (let left = many; left > 0; ) {
        await opened.ask(add("1"));
        const remaining = (await keptKeys()).length;
        expect(remaining).toBeLessThan(left);
        expect(left - remaining).toBeLessThanOrEqual(32);
        left = remaining;
      }
      expect((await opened.place.checkBooks(hourMs)).problems).toEqual([]);
    });

    test("are forgotten faster than new ones come", async () => {
      opened.machineTimeMs += 1;
      for (let batch = 0; batch < 10; batch++) await opened.ask(...Array.from({ length: 10 }, (_, index) => add("1", { key: `new${batch}-${index}` })));
      expect(await keptKeys()).toHaveLength(100);
      expect(await opened.ask(add("1", { key: "new0-0" }), add("1", { key: "new9-9" }))).toMatchObject([{ replayed: true }, { replayed: true }]);
    });

    test("that are used again before they were forgotten are young again", async () => {
      opened.machineTimeMs += 1;
      expect(await opened.ask(add("2", { key: "old0" }), add("2", { key: "old99" }))).toMatchObject([{ type: "applied", replayed: false }, { type: "applied", replayed: false }]);
      for (let batch = 0; batch < 10; batch++) await opened.ask(add("1"));
      expect(await keptKeys()).toHaveLength(2);
      expect(await opened.ask(add("2", { key: "old0" }), add("2", { key: "old99" }))).toMatchObject([{ replayed: true }, { replayed: true }]);
      expect((await opened.place.checkBooks(hourMs)).problems).toEqual([]);
    });
  });

  describe(`more than ${releaseHoldsMax} eligible holds`, () => {
    beforeEach(() => opened.ask(init(), add("5000"), init("USD", { user: "bob" }), add("5000", { user: "bob" })));

    test("are released in several calls, the oldest first, and each says whether more remain", async () => {
      await placeHolds(releaseHoldsMax + 1);
      await placeHolds(5, { user: "bob" });
      expect(await opened.ask(release())).toEqual([{ type: "released", count: releaseHoldsMax, amounts: [{ currency: "USD", exponent: 2, minor: 100_000n }], moreRemain: true }]);
      expect(await opened.ask(release())).toEqual([{ type: "released", count: 6, amounts: [{ currency: "USD", exponent: 2, minor: 600n }], moreRemain: false }]);
      expect(await opened.ask(release())).toEqual([{ type: "released", count: 0, amounts: [], moreRemain: false }]);
      expect((await opened.place.checkBooks()).problems).toEqual([]);
    });

    test("are not what exactly as many are", async () => {
      await placeHolds(releaseHoldsMax);
      expect(await opened.ask(release())).toMatchObject([{ count: releaseHoldsMax, moreRemain: false }]);
    });

    test.each([{ user: "alice" }, { currency: "USD" }, { user: "alice", currency: "USD" }])("narrowed to %o", async (filter) => {
      await placeHolds(releaseHoldsMax + 1);
      expect(await opened.ask(release(filter))).toMatchObject([{ count: releaseHoldsMax, moreRemain: true }]);
      expect(await opened.ask(release(filter))).toMatchObject([{ count: 1, moreRemain: false }]);
    });
  });
});
