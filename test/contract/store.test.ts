// What every engine's store promises the ledger about a transaction: all or nothing, what was touched and nothing else, and its own clock.

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Touched, WalletCommand } from "../../src/domain/command.ts";
import { keyHash } from "../../src/domain/idempotency.ts";
import { operationIdAt } from "../../src/domain/journal.ts";
import type { Changes, LoadedPartition } from "../../src/domain/loaded-state.ts";
import type { CurrencyCode, UserId } from "../../src/domain/wallet.ts";
import { executorOn } from "../../src/ledger/executor.ts";
import { toCommand } from "../support/asked.ts";
import { contractEngines } from "../support/contract-engines.ts";
import { add, hold, hourMs, init, minuteMs, release, startMs, storyRules, transfer } from "../support/given.ts";
import { alice, journalOf, judy } from "../support/journals.ts";
import { OpenedStore, untouched } from "../support/opened-store.ts";

const usd = "USD" as CurrencyCode;
const hashOf = (user: UserId, key: string): string => keyHash(user, key);

/** In whatever order they were loaded. */
const inOrder = (ids: readonly bigint[]): bigint[] => ids.toSorted((a, b) => Number(a - b));

interface Ids {
  readonly wallets?: readonly bigint[];
  readonly holds?: readonly bigint[];
  readonly records?: readonly bigint[];
  readonly operations?: readonly bigint[];
  readonly keys?: number;
}
const idsIn = ({ wallets, holds, records, operationIds, keys }: LoadedPartition): Ids => ({
  wallets: inOrder(wallets.map(({ walletId }) => walletId)),
  holds: inOrder(holds.map(({ holdId }) => holdId)),
  records: inOrder(records.map(({ sequence }) => sequence)),
  operations: inOrder(operationIds),
  keys: keys.length,
});

// Two users are alice and judy, who share a journal on every engine: what lies between two journals is the matter of store-partitions.test.ts.
describe.each(contractEngines)("$name", (engine) => {
  let opened: OpenedStore;
  const { partition, idAt: at } = journalOf(alice, engine.partitions);
  const untouchedHere: Touched = { ...untouched, partition };

  /** Plans what the next operation would be, and changes the plan. */
  const transactWith = (alter: (changes: Changes) => Changes): Promise<void> =>
    opened.store.transact([{ ...untouchedHere, wallets: [{ userId: alice, currency: usd }] }], ({ nowMs, partitions: [loaded] }) => {
      const { head, wallets: [wallet], currencyTotals } = loaded!;
      const sequence = head.sequence + 1n;
      const hash = new Uint8Array(32).fill(7);
      const after = { availableMinor: 1n, heldMinor: 0n, state: "ACTIVE", version: 9n, balanceMaxMinor: undefined } as const;
      const marks = { hold: undefined, opened: undefined, relatedOperationId: undefined, receiver: undefined, apart: undefined, keyHash: undefined, reference: "", metadata: {} };
      const record = { ...marks, partition, sequence, operationId: at(sequence), kind: "ADD", walletId: wallet!.walletId, amountMinor: 1n, after, previousSequence: 1n, timeMs: nowMs, hash } as const;
      const key = { keyHash: "00".repeat(16), fingerprint: "00".repeat(16), timeMs: nowMs, outcome: { sequence } };
      const changes: Changes = { head: { ...head, sequence, hash }, records: [record], wallets: [{ ...wallet!, version: 9n }], holds: [], keys: [key], currencyTotals, forgetKeysBeforeMs: 0 };
      return { changes: [alter(changes)], result: undefined };
    });


  beforeEach(async () => {
    opened = await OpenedStore.on(engine);
  });
  afterEach(() => opened.remove());

  describe("a transaction is all or nothing", () => {
    beforeEach(() => opened.ask(init(), add("5", { key: "k" }), hold("1")));

    test("a plan that throws leaves no trace, and its error is thrown on", async () => {
      const before = await opened.place.dump();
      const error = new Error("a defect");
      await expect(opened.store.transact([untouchedHere], () => { throw error; })).rejects.toBe(error);
      expect(await opened.place.dump()).toEqual(before);
    });

    test("a plan that changes nothing leaves no trace", async () => {
      const before = await opened.place.dump();
      expect(await opened.store.transact([untouchedHere], () => ({ changes: [], result: "seen" }))).toBe("seen");
      expect(await opened.place.dump()).toEqual(before);
    });

    test.each<[string, (changes: Changes) => Changes]>([
      ["a wallet below zero", (changes) => ({ ...changes, wallets: [{ ...changes.wallets[0]!, availableMinor: -1n }] })],
      ["a place that is taken", (changes) => ({ ...changes, records: [...changes.records, { ...changes.records[0]!, sequence: 1n }] })],
      ["a hold of nothing", (changes) => ({ ...changes, holds: [{ holdId: at(9n), walletId: at(1n), amountMinor: 0n, capturedMinor: 0n, status: "ACTIVE", createTimeMs: 0, eligibleTimeMs: 0, resolveTimeMs: undefined, previousHoldId: 0n }] })],
      ["more captured than a hold is for", (changes) => ({ ...changes, holds: [{ holdId: at(9n), walletId: at(1n), amountMinor: 1n, capturedMinor: 2n, status: "CAPTURED", createTimeMs: 0, eligibleTimeMs: 0, resolveTimeMs: 0, previousHoldId: 0n }] })],
      ["a second wallet of one user in one currency", (changes) => ({ ...changes, wallets: [...changes.wallets, { ...changes.wallets[0]!, walletId: at(9n) }] })],
      ["a number beyond 64 bits", (changes) => ({ ...changes, wallets: [{ ...changes.wallets[0]!, version: 2n ** 63n }] })],
    ])("what the tables refuse, in the middle of the rest, leaves no trace: %s", async (_, alter) => {
      const before = await opened.place.dump();
      await expect(transactWith(alter)).rejects.toThrow();
      expect(await opened.place.dump()).toEqual(before);
    });

    test("the same plan, unaltered, is written", async () => {
      await transactWith((changes) => changes);
      expect((await opened.load({ operationIds: [at(4n)] })).operationIds).toEqual([at(4n)]);
    });

    test("an atomic batch that is aborted leaves nothing but what its keys remember", async () => {
      const items = [add("2", { key: "a" }), hold("1", { key: "b" }), hold("100", { key: "c" })].map((each) => toCommand(each) as WalletCommand);
      const { idempotency_keys: keysBefore, ...before } = await opened.place.dump();
      const [answer] = await executorOn(opened.store, storyRules).execute([{ type: "executeBatch", items, atomic: true }]);
      expect(answer).toMatchObject({ type: "rejected", rejection: { reason: "BATCH_ABORTED", index: 2 } });
      const { idempotency_keys: keysAfter, ...after } = await opened.place.dump();
      // The partition's head says when the keys were remembered.
      const heads = before["ledger_head"] as readonly { readonly partition: bigint }[];
      expect(after).toEqual({ ...before, ledger_head: heads.map((head) => (head.partition === BigInt(partition) ? { ...head, key_ordinal: 4n } : head)) });
      expect(keysAfter).toHaveLength(keysBefore!.length + items.length);
      expect((await opened.place.checkBooks()).problems).toEqual([]);
    });

    test("the store goes on after any of them", async () => {
      await expect(opened.store.transact([untouchedHere], () => { throw new Error("a defect"); })).rejects.toThrow();
      await expect(transactWith((changes) => ({ ...changes, wallets: [{ ...changes.wallets[0]!, heldMinor: -1n }] }))).rejects.toThrow();
      expect(await opened.ask(add("1"))).toMatchObject([{ type: "applied", record: { sequence: 4n, after: { version: 4n } } }]);
      expect((await opened.place.checkBooks()).problems).toEqual([]);
    });

    test("a key whose transaction failed after it was written is not remembered", async () => {
      await expect(transactWith((changes) => ({ ...changes, head: { ...changes.head, timeMs: 1e19 } }))).rejects.toThrow();
      expect((await opened.load({ keyHashes: ["00".repeat(16)] })).keys).toEqual([]);
      await transactWith((changes) => changes);
      expect((await opened.load({ keyHashes: ["00".repeat(16)] })).keys).toHaveLength(1);
    });

    test("transactions that are begun at the same time follow one another", async () => {
      const answers = await Promise.all(Array.from({ length: 50 }, () => opened.ask(add("1"))));
      expect(answers.flat().map((answer) => answer.type === "applied" && answer.record.sequence)).toEqual(Array.from({ length: 50 }, (_, index) => BigInt(index + 4)));
      expect((await opened.place.checkBooks()).problems).toEqual([]);
    });

    test("a partition that is not there is not made", async () => {
      const before = await opened.place.dump();
      await expect(opened.store.transact([{ ...untouched, partition: engine.partitions }], () => ({ changes: [], result: undefined }))).rejects.toThrow(`partition ${engine.partitions}`);
      expect(await opened.place.dump()).toEqual(before);
    });
  });

  describe("what is touched is loaded, and nothing else", () => {
    beforeEach(async () => {
      await opened.ask(init("USD"), init("EUR"), init("USD", { user: "judy" }), add("10", { key: "salary" }), add("10", { user: "judy" })); // 1 to 5
      await opened.ask(hold("1", { key: "rent" }), hold("2", { periodMs: 0 }), hold("3", { user: "judy", periodMs: minuteMs }), add("1000", { currency: "JPY", key: "no" })); // 6 to 8
      await opened.ask(transfer("1", "judy", { key: "gift" }), { type: "capture", user: "alice", holdId: at(6n), amount: "0.5", to: "judy", key: "half the rent" }); // 9, 10
    });

    test.each<[string, Partial<Touched>, Ids]>([
      ["nothing", {}, {}],
      ["a wallet by its currency", { wallets: [{ userId: alice, currency: usd }] }, { wallets: [at(1n)] }],
      ["a user's wallets", { wallets: [{ userId: alice, currency: undefined }] }, { wallets: [at(1n), at(2n)] }],
      ["the same wallet twice", { wallets: [{ userId: alice, currency: usd }, { userId: alice, currency: undefined }, { userId: alice, currency: usd }] }, { wallets: [at(1n), at(2n)] }],
      ["wallets of two users", { wallets: [{ userId: judy, currency: usd }, { userId: alice, currency: usd }] }, { wallets: [at(1n), at(3n)] }],
      ["a wallet that is not there", { wallets: [{ userId: alice, currency: "JPY" as CurrencyCode }, { userId: "Alice" as UserId, currency: undefined }] }, {}],
      ["a hold with its wallet", { holdIds: [at(8n)] }, { wallets: [at(3n)], holds: [at(8n)] }],
      ["an id that is no hold's", { holdIds: [at(1n), at(99n), 0n, 2n ** 62n] }, {}],
      ["whether an operation is there, and nothing of it", { operationIds: [at(4n)] }, { operations: [at(4n)] }],
      ["an operation on a hold", { operationIds: [at(8n), at(9n)] }, { operations: [at(8n), at(9n)] }],
      ["an operation that is not there", { operationIds: [at(99n), 0n, operationIdAt(partition + 1, 4n), operationIdAt(engine.partitions, 4n), 2n ** 62n] }, {}],
      ["a key with its operation", { keyHashes: [hashOf(alice, "salary")] }, { wallets: [at(1n)], records: [4n], keys: 1 }],
      ["a key with its operation's hold", { keyHashes: [hashOf(alice, "rent"), hashOf(alice, "rent")] }, { wallets: [at(1n)], holds: [at(6n)], records: [6n], keys: 1 }],
      ["a transfer's key with both wallets", { keyHashes: [hashOf(alice, "gift")] }, { wallets: [at(1n), at(3n)], records: [9n], keys: 1 }],
      ["a key of a capture into a wallet with both wallets and the hold", { keyHashes: [hashOf(alice, "half the rent")] }, { wallets: [at(1n), at(3n)], holds: [at(6n)], records: [10n], keys: 1 }],
      ["a transfer's key that is not the receiver's", { keyHashes: [hashOf(judy, "gift")] }, {}],
      ["a key with its rejection", { keyHashes: [hashOf(alice, "no")] }, { keys: 1 }],
      ["a key that is somebody else's", { keyHashes: [hashOf(judy, "salary")] }, {}],
    ])("%s", async (_, touched, expected) => expect(idsIn(await opened.load(touched))).toEqual({ wallets: [], holds: [], records: [], operations: [], keys: 0, ...expected }));

    test.each<[string, number, NonNullable<Touched["eligibleHolds"]>, LoadedPartition["eligible"]]>([
      ["all, oldest eligibility first", 10 * minuteMs, { userId: undefined, currency: undefined, max: 10 }, { holdIds: [at(7n), at(8n), at(6n)], moreRemain: false }],
      ["only those whose time has come", minuteMs, { userId: undefined, currency: undefined, max: 10 }, { holdIds: [at(7n), at(8n)], moreRemain: false }],
      ["not a millisecond too early", minuteMs - 1, { userId: undefined, currency: undefined, max: 10 }, { holdIds: [at(7n)], moreRemain: false }],
      ["no more than asked for, and that there are more", hourMs, { userId: undefined, currency: undefined, max: 2 }, { holdIds: [at(7n), at(8n)], moreRemain: true }],
      ["exactly as many as asked for", hourMs, { userId: undefined, currency: undefined, max: 3 }, { holdIds: [at(7n), at(8n), at(6n)], moreRemain: false }],
      ["a user's", hourMs, { userId: alice, currency: undefined, max: 10 }, { holdIds: [at(7n), at(6n)], moreRemain: false }],
      ["a user's, of which there are more", hourMs, { userId: alice, currency: undefined, max: 1 }, { holdIds: [at(7n)], moreRemain: true }],
      ["a currency's", hourMs, { userId: undefined, currency: usd, max: 10 }, { holdIds: [at(7n), at(8n), at(6n)], moreRemain: false }],
      ["a currency's, of which there are more", hourMs, { userId: undefined, currency: usd, max: 2 }, { holdIds: [at(7n), at(8n)], moreRemain: true }],
      ["a wallet's", hourMs, { userId: judy, currency: usd, max: 10 }, { holdIds: [at(8n)], moreRemain: false }],
      ["nobody's", hourMs, { userId: "carol" as UserId, currency: undefined, max: 10 }, { holdIds: [], moreRemain: false }],
      ["of a currency without holds", hourMs, { userId: undefined, currency: "EUR" as CurrencyCode, max: 10 }, { holdIds: [], moreRemain: false }],
    ])("eligible holds: %s", async (_, afterMs, eligibleHolds, expected) => {
      opened.machineTimeMs += afterMs;
      const state = await opened.load({ eligibleHolds });
      expect(state.eligible).toEqual(expected);
      expect(state.holds.map(({ holdId }) => holdId)).toEqual(expected.holdIds);
      expect(new Set(state.wallets.map(({ walletId }) => walletId))).toEqual(new Set(state.holds.map(({ walletId }) => walletId)));
    });

    // Those who pay, those who receive, and those to whom only a hold leads.
    test.each<[string, Partial<Touched>, readonly bigint[]]>([
      ["two users'", { wallets: [{ userId: alice, currency: usd }, { userId: judy, currency: undefined }] }, [at(7n), at(8n), at(6n)]],
      ["a hold's", { holdIds: [at(6n)] }, [at(7n), at(6n)]],
      ["a hold's and a user's", { wallets: [{ userId: judy, currency: undefined }], holdIds: [at(6n)] }, [at(7n), at(8n), at(6n)]],
      ["a wallet's without holds", { wallets: [{ userId: alice, currency: "EUR" as CurrencyCode }] }, []],
    ])("eligible holds of touched wallets: %s", async (_, touched, holdIds) => {
      opened.machineTimeMs += hourMs;
      expect((await opened.load({ ...touched, eligibleHolds: { of: "touched wallets", max: 10 } })).eligible).toEqual({ holdIds, moreRemain: false });
    });

    test("a hold that was resolved is not eligible", async () => {
      opened.machineTimeMs += hourMs;
      await opened.ask(release({ user: "alice" }));
      expect((await opened.load({ eligibleHolds: { userId: undefined, currency: undefined, max: 10 } })).eligible.holdIds).toEqual([at(8n)]);
    });
  });

  describe("the ledger's clock", () => {
    test("is the machine's while that runs on", async () => {
      opened.machineTimeMs += 5;
      expect((await opened.load({})).nowMs).toBe(startMs + 5);
    });

    test("does not go back behind the last change, across reopening and for readers too", async () => {
      opened.machineTimeMs += hourMs;
      await opened.ask(init());
      opened.machineTimeMs = 0;
      expect((await opened.load({})).nowMs).toBe(startMs + hourMs);
      await opened.reopen();
      expect((await opened.load({})).nowMs).toBe(startMs + hourMs);
      expect(await opened.ask(add("1"))).toMatchObject([{ record: { timeMs: startMs + hourMs } }]);
      const reads = await opened.reads();
      expect(await reads.nowMs(undefined)).toBe(startMs + hourMs);
      await reads.close();
    });

    test("does not go back behind the ledger's creation", async () => {
      opened.machineTimeMs = 0;
      expect((await opened.load({})).nowMs).toBe(startMs);
    });

    test("is one for the whole batch, however time passes in it", async () => {
      let readings = 0;
      await opened.reopen(() => startMs + readings++);
      const times = (await opened.ask(init(), add("1"), hold("1"))).map((answer) => answer.type === "applied" && answer.record.timeMs);
      expect(new Set(times).size).toBe(1);
    });
  });
});
