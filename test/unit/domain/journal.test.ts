// The journal that batches leave behind: gapless, linked, timed and sealed, and ids that say where an operation was born.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { recordHash } from "../../../src/domain/canonical.ts";
import { birthplaceOf, genesisHash, operationIdAt, partOf } from "../../../src/domain/journal.ts";
import { LedgerState } from "../../../src/domain/ledger-state.ts";
import { add, capture, close, extend, freeze, given, held, hold, init, limit, minuteMs, release, reverse, startMs, transfer, unfreeze, wallet, withdraw } from "../../support/given.ts";
import { untouched } from "../../support/opened-store.ts";

/** Two users, every verb, some of it rejected, several batches. */
const busy = (): ReturnType<typeof given> =>
  given(wallet("100"), wallet("50", { user: "bob" }), held("5", { periodMs: 0 }))
    .afterMs(7)
    .when(hold("1"), add("1", { user: "bob" }), hold("1000"), hold("2", { user: "bob" }), add("3", { key: "k", reference: "r", metadata: { m: "1" } }))
    .when(release())
    .afterMs(-100)
    .when(reverse(6n), add("3", { key: "k", reference: "r", metadata: { m: "1" } }));

const records = (): ReturnType<typeof given>["ledger"]["only"]["records"] => busy().ledger.only.records;

test("sequences have no gaps, and ids are born from them", () => {
  const sequences = [...records().values()].map(({ sequence, operationId }) => [sequence, operationId]);
  expect(sequences).toEqual(Array.from({ length: sequences.length }, (_, index) => [BigInt(index + 1), BigInt(index + 1)]));
  expect(sequences.length).toBe(11);
});

test("each hash covers its record and its predecessor's hash; the head has the last", () => {
  const ledger = busy().ledger.only;
  let previous = genesisHash;
  for (const { hash, ...record } of ledger.records.values()) {
    expect(hash).toEqual(recordHash(previous, record));
    previous = hash;
  }
  expect(ledger.head).toMatchObject({ sequence: 11n, hash: previous });
});

test("a wallet's history is linked from its head backwards to its opening", () => {
  const ledger = busy().ledger.only;
  for (const each of ledger.wallets.values()) {
    const own = [...ledger.records.values()].filter(({ walletId }) => walletId === each.walletId).toReversed();
    expect(each.headSequence).toBe(own[0]!.sequence);
    expect(own.map((record) => record.previousSequence)).toEqual([...own.slice(1).map((record) => record.sequence), 0n]);
    expect(own.map((record) => record.after.version)).toEqual(own.map((_, index) => each.version - BigInt(index)));
  }
});

/** Both users pay each other in every way, among everything else that a wallet can go through. */
const dealing = (): ReturnType<typeof given> =>
  given(wallet("100"), wallet("50", { user: "bob" }), held("10", { as: "rent" }), held("10", { user: "bob", as: "food" }))
    .when(transfer("5", "bob"), capture("food", "4", { user: "bob", to: "alice" }), extend("rent", 20 * minuteMs), freeze({ user: "bob" }), transfer("1", "bob"))
    .when(limit("500"), capture("rent", "3", { to: "bob", final: true }), unfreeze({ user: "bob" }), reverse("food", { user: "bob" }), transfer("1", "alice"), withdraw("2"))
    .when(transfer("55", "alice", { user: "bob" }), close({ user: "bob" }), transfer("1", "bob"), add("1"));

test("a history runs through what a wallet received as through what it did, to its opening", () => {
  const ledger = dealing().ledger.only;
  for (const { walletId, headSequence, version, availableMinor, heldMinor } of ledger.wallets.values()) {
    const own = [...ledger.records.values()].filter((record) => record.walletId === walletId || record.receiver?.walletId === walletId);
    const parts = own.map((record) => partOf(record, walletId));
    expect(parts.map(({ previousSequence }) => previousSequence)).toEqual([0n, ...own.slice(0, -1).map(({ sequence }) => sequence)]);
    expect(parts.map(({ after }) => after.version)).toEqual(own.map((_, index) => BigInt(index + 1)));
    expect([own.at(-1)!.sequence, parts.at(-1)!.after]).toMatchObject([headSequence, { version, availableMinor, heldMinor }]);
  }
  const kinds = [...ledger.records.values()].map(({ kind }) => kind);
  expect(kinds.slice(6)).toEqual(["TRANSFER", "CAPTURE", "EXTEND", "FREEZE", "TRANSFER", "SET_LIMITS", "CAPTURE", "UNFREEZE", "REVERSE", "WITHDRAW", "TRANSFER", "CLOSE", "ADD"]);
});

test("an operation tells nothing of a wallet that has no part in it", () => {
  const ledger = dealing().ledger.only;
  expect(() => partOf(ledger.records.get(7n)!, 2n)).toThrow("asked about its own wallets");
  expect(() => partOf(ledger.records.get(2n)!, 3n)).toThrow("asked about its own wallets");
});

test("times are the ledger's and never go back", () => {
  const ledger = busy().ledger.only;
  const times = [...ledger.records.values()].map(({ timeMs }) => timeMs - startMs);
  expect(times).toEqual([0, 0, 0, 0, 0, 7, 7, 7, 7, 7, 7]);
  expect(ledger.head.timeMs).toBe(startMs + 7);
});

test("a record says what the request said", () => {
  expect(records().get(9n)).toMatchObject({ kind: "ADD", amountMinor: 300n, reference: "r", metadata: { m: "1" }, keyHash: expect.stringMatching(/^[0-9a-f]{32}$/), hold: undefined, opened: undefined });
  expect(records().get(1n)).toMatchObject({ kind: "INIT", opened: { userId: "alice", currency: "USD", exponent: 2 }, keyHash: undefined, reference: "", metadata: {} });
});

test("the state that a ledger is loaded with may not be behind its own clock", () => {
  const { ledger } = given(wallet("1"));
  ledger.only.head = { ...ledger.only.head, timeMs: startMs + 1 };
  expect(ledger.loaded([untouched], startMs).nowMs).toBe(startMs + 1);
  expect(ledger.execute([], startMs).changes).toEqual([]);
  expect(() => new LedgerState({ ...ledger.loaded([untouched], startMs), nowMs: startMs })).toThrow("never goes back");
});

describe("an id", () => {
  test("is the sequence where there is one partition", () => expect(operationIdAt(0, 42n)).toBe(42n));
  test("has the partition above 48 bits", () => expect(operationIdAt(5, 42n)).toBe(5n * 2n ** 48n + 42n));
  test("says where it was born", () => {
    fc.assert(
      fc.property(fc.nat(32_767), fc.bigInt(1n, 2n ** 48n - 1n), (partition, sequence) => {
        expect(birthplaceOf(operationIdAt(partition, sequence))).toEqual({ partition, sequence });
      }),
    );
  });
  test("is never said twice", () => {
    const ledger = busy().when(init("EUR")).ledger.only;
    const ids = [...ledger.records.values()].map(({ operationId }) => operationId);
    expect(new Set(ids)).toHaveLength(ids.length);
  });
});
