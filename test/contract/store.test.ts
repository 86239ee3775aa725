// What every engine's store promises the ledger about a transaction: all or nothing, and its own clock.

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Touched, WalletCommand } from "../../src/domain/command.ts";
import type { Changes } from "../../src/domain/loaded-state.ts";
import type { CurrencyCode } from "../../src/domain/wallet.ts";
import { executorOn } from "../../src/ledger/executor.ts";
import { toCommand } from "../support/asked.ts";
import { contractEngines } from "../support/contract-engines.ts";
import { add, hold, hourMs, init, startMs, storyRules } from "../support/given.ts";
import { alice, journalOf } from "../support/journals.ts";
import { OpenedStore, untouched } from "../support/opened-store.ts";

const usd = "USD" as CurrencyCode;

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
