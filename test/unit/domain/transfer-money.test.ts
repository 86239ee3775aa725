// Transferring: one operation that takes from one wallet and gives to another, both or neither.

import { describe, expect, test } from "vitest";
import { add, close, freeze, given, held, hold, init, limit, money, transfer, unfreeze, wallet, withdraw } from "../../support/given.ts";

const key = "k1";
const all64Bits = "92233720368547758.07";
const bob = { user: "bob" };
const pair = (): ReturnType<typeof given> => given(wallet("100.00"), wallet("5.00", bob));

describe("a transfer", () => {
  test("takes here and gives there", () =>
    pair()
      .when(transfer("30.00", "bob"))
      .applies({ kind: "TRANSFER", amount: "30.00", available: "70.00", held: "0.00", version: 3n, receiver: { user: "bob", amount: "30.00", available: "35.00", held: "0.00", version: 3n } })
      .leaves({ available: "70.00", version: 3n })
      .leaves({ available: "35.00", version: 3n }, bob));
  test.each([
    ["100.00", "100", "0.00", "100.00"],
    ["0.01", "0.01", "0.00", "0.01"],
    [all64Bits, all64Bits, "0.00", all64Bits],
  ])("from %s of %s", (before, amount, available, arrived) => void given(wallet(before), wallet("0", bob)).when(transfer(amount, "bob")).applies({ available, receiver: { available: arrived } }));
  test("leaves what is held alone, on both sides", () =>
    given(wallet("50"), held("20"), wallet("7", bob), held("3", bob)).when(transfer("30", "bob")).applies({ available: "0.00", held: "20.00", receiver: { available: "34.00", held: "3.00" } }));
  test("there and back", () =>
    pair().when(transfer("100", "bob"), transfer("105", "alice", bob)).applies().and.applies({ available: "0.00", receiver: { user: "alice", available: "105.00" } }).leaves({ available: "105.00", version: 4n }).leaves({ available: "0.00", version: 4n }, bob));
  test("may be spent by the receiver at once", () => pair().when(transfer("100", "bob"), withdraw("105", bob)).applies().and.applies({ available: "0.00" }));
  test("along a chain in one batch", () =>
    given(wallet("9"), wallet("0", bob), wallet("0", { user: "carol" })).when(transfer("9", "bob"), transfer("9", "carol", bob), transfer("9", "alice", { user: "carol" })).applies().and.applies().and.applies().leaves({ available: "9.00" }));
  test("in the only currency that the payer has", () => given(wallet("100", { currency: "JPY" }), wallet("0", { ...bob, currency: "JPY" }), wallet("9", bob)).when(transfer("30", "bob", { currency: undefined })).applies({ receiver: { available: "30" } }));
  test("to a wallet that the same batch opens", () => given(wallet("1")).when(init("USD", bob), transfer("1", "bob")).applies().and.applies({ receiver: { available: "1.00", version: 2n } }));
});

describe("in the journal", () => {
  test("it is one operation, linked in both histories", () => {
    const story = pair().when(add("1"), transfer("30", "bob"), add("1", bob), transfer("1", "alice", bob)).applies().and.applies().and.applies().and.applies();
    expect(story.ledger.only.head.sequence).toBe(8n);
    expect(story.ledger.only.records.get(6n)).toMatchObject({ kind: "TRANSFER", walletId: 1n, amountMinor: 3000n, previousSequence: 5n, hold: undefined, receiver: { walletId: 3n, amountMinor: 3000n, previousSequence: 4n } });
    expect(story.ledger.only.records.get(7n)).toMatchObject({ kind: "ADD", walletId: 3n, previousSequence: 6n });
    expect(story.ledger.only.records.get(8n)).toMatchObject({ walletId: 3n, previousSequence: 7n, receiver: { walletId: 1n, previousSequence: 6n } });
    expect([story.wallet().headSequence, story.wallet(bob).headSequence]).toEqual([8n, 8n]);
  });
  test("it says of both wallets what they are afterwards", () =>
    expect(pair().when(limit("50", bob), transfer("30", "bob")).applies().and.applies().lastOperationOn()).toMatchObject({
      after: { availableMinor: 7000n, heldMinor: 0n, state: "ACTIVE", version: 3n, balanceMaxMinor: undefined },
      receiver: { after: { availableMinor: 3500n, heldMinor: 0n, state: "ACTIVE", version: 4n, balanceMaxMinor: 5000n } },
    }));
  test("it is counted once out and once in", () => {
    const story = pair().when(transfer("30", "bob"), transfer("2", "alice", bob)).applies().and.applies();
    expect(story.wallet().totals).toMatchObject({ transfersOut: { count: 1n, minor: 3000n }, transfersIn: { count: 1n, minor: 200n }, adds: { count: 1n } });
    expect(story.wallet(bob).totals).toMatchObject({ transfersOut: { count: 1n, minor: 200n }, transfersIn: { count: 1n, minor: 3000n }, withdrawals: { count: 0n } });
    expect(story.ledger.only.currencyTotals.get("USD:2")!.totals).toMatchObject({ transfersOut: { count: 2n, minor: 3200n }, transfersIn: { count: 2n, minor: 3200n } });
  });
  test("the lists of holds stay each wallet's own", () => {
    const story = given(wallet("50"), held("1"), wallet("5", bob), held("1", bob)).when(transfer("9", "bob"), hold("1"), hold("1", bob)).applies().and.applies().and.applies();
    expect([story.ledger.only.holds.get(8n)!.previousHoldId, story.ledger.only.holds.get(9n)!.previousHoldId]).toEqual([3n, 6n]);
  });
});

describe("never more than is available", () => {
  test.each([["100.00", "100.01"], ["0.00", "0.01"], ["0.01", all64Bits]])("of %s not %s", (available, requested) =>
    void given(wallet(available), wallet("0", bob))
      .when(transfer(requested, "bob"))
      .rejects("INSUFFICIENT_FUNDS", { available: money(available), requested: money(requested) })
      .leaves({ available })
      .leaves({ available: "0.00", version: 1n }, bob),
  );
  test("what is held is not available", () => given(wallet("100"), held("60"), wallet("0", bob)).when(transfer("40.01", "bob")).rejects("INSUFFICIENT_FUNDS", { available: money("40.00") }));
  test("what the receiver has does not count", () => given(wallet("1"), wallet("100", bob)).when(transfer("2", "bob")).rejects("INSUFFICIENT_FUNDS"));
  test("the second of two in one batch that are too much together", () => pair().when(transfer("60", "bob"), transfer("60", "bob")).applies().and.rejects("INSUFFICIENT_FUNDS", { available: money("40.00") }));
  test("too little money is said before anything of the receiver", () => given(wallet("1")).when(transfer("2", "nobody")).rejects("INSUFFICIENT_FUNDS"));
  test.each(["0.001", "1.005"])("%s is too precise", (amount) => void pair().when(transfer(amount, "bob")).rejects("AMOUNT_TOO_PRECISE", { field: "amount", currency: "USD", exponent: 2 }).changesNothing());
  test("an amount beyond 64 bits is out of range", () => pair().when(transfer("92233720368547758.08", "bob")).rejects("AMOUNT_OUT_OF_RANGE", { maximum: money(all64Bits) }).changesNothing());
});

describe("the payer's wallet is the one that is meant", () => {
  test("none", () => given(wallet("5", bob)).when(transfer("1", "bob")).rejects("WALLET_NOT_FOUND", { userId: "alice", currency: "USD" }));
  test("none in that currency", () => pair().when(transfer("1", "bob", { currency: "EUR" })).rejects("WALLET_NOT_FOUND", { userId: "alice", currency: "EUR" }));
  test("an unknown currency", () => pair().when(transfer("1", "bob", { currency: "XXX" })).rejects("UNKNOWN_CURRENCY", { currency: "XXX" }).changesNothing());
  test("one of several", () => given(wallet("1"), wallet("1", { currency: "EUR" }), wallet("1", bob)).when(transfer("1", "bob", { currency: undefined })).rejects("CURRENCY_REQUIRED", { userId: "alice", currencies: ["EUR", "USD"] }));
  test("several on the receiver's side do not matter", () => given(wallet("1"), wallet("1", { ...bob, currency: "EUR" }), wallet("1", bob)).when(transfer("1", "bob", { currency: undefined })).applies({ receiver: { available: "2.00" } }));
  test("frozen: nothing leaves", () => pair().when(freeze()).applies().when(transfer("1", "bob")).rejects("WALLET_FROZEN", { userId: "alice", currency: "USD" }).leaves({ available: "5.00" }, bob));
  test("unfrozen again", () => pair().when(freeze(), unfreeze(), transfer("1", "bob")).applies().and.applies().and.applies());
  test("closed", () => given(wallet("0"), [close()], wallet("5", bob)).when(transfer("1", "bob")).rejects("WALLET_CLOSED", { userId: "alice", currency: "USD" }));
});

describe("the receiver", () => {
  test("may not be the payer", () => pair().when(transfer("1", "alice")).rejects("SAME_WALLET", { userId: "alice" }).changesNothing());
  test("may not be the payer, not even one without a wallet", () => given().when(transfer("1", "alice")).rejects("SAME_WALLET", { userId: "alice" }));
  test("needs a wallet", () => given(wallet("5")).when(transfer("1", "bob")).rejects("WALLET_NOT_FOUND", { userId: "bob", currency: "USD" }).leaves({ available: "5.00" }));
  test("needs one in the payer's currency", () => given(wallet("5"), wallet("5", { ...bob, currency: "EUR" })).when(transfer("1", "bob")).rejects("WALLET_NOT_FOUND", { userId: "bob", currency: "USD" }));
  test("is told by letter case", () => pair().when(transfer("1", "Bob")).rejects("WALLET_NOT_FOUND", { userId: "Bob" }));
  test("may be frozen: money in still works", () => pair().when(freeze(bob), transfer("1", "bob")).applies().and.applies({ receiver: { available: "6.00", state: "FROZEN" } }));
  test("may not be closed", () => given(wallet("5"), wallet("0", bob), [close(bob)]).when(transfer("1", "bob")).rejects("WALLET_CLOSED", { userId: "bob", currency: "USD" }).leaves({ available: "5.00" }));
  test("is filled to its limit exactly", () => pair().when(limit("35", bob), transfer("30", "bob")).applies().and.applies({ receiver: { available: "35.00" } }));
  test("is not filled beyond its limit, of which the payer learns no number", () => {
    const story = pair().when(limit("34.99", bob)).applies().when(transfer("30", "bob")).rejects("BALANCE_LIMIT_EXCEEDED").leaves({ available: "100.00", version: 2n }).leaves({ available: "5.00" }, bob);
    expect(story.answer).toEqual({ type: "rejected", replayed: false, rejection: { reason: "BALANCE_LIMIT_EXCEEDED", toUserId: "bob", requested: money("30.00") } });
  });
  test("what it holds counts against its limit", () => given(wallet("9"), wallet("5", { ...bob, balanceMax: "6" }), held("5", bob)).when(transfer("1.01", "bob"), transfer("1", "bob")).rejects("BALANCE_LIMIT_EXCEEDED").and.applies());
  test("has 64 bits like everybody", () => given(wallet("0.02"), wallet("92233720368547758.06", bob)).when(transfer("0.02", "bob"), transfer("0.01", "bob")).rejects("BALANCE_LIMIT_EXCEEDED").and.applies({ receiver: { available: all64Bits } }));
  test("the payer's own limit does not matter", () => pair().when(limit("1"), transfer("30", "bob")).applies().and.applies());
});

describe("an asset whose decimals have changed between the two wallets' openings", () => {
  const points = { currency: "POINTS" };
  const bobs = { ...bob, ...points };
  const changed = (decimals: number): ReturnType<typeof given> => given(wallet("100", points)).servedWith({ POINTS: decimals }).when(...wallet("5", bobs)).applies().and.applies();
  test("each wallet counts in its own minor units", () => {
    const story = changed(2).when(transfer("30", "bob", points)).applies({ amount: "30", available: "70", receiver: { amount: "30.00", available: "35.00" } });
    expect(story.lastOperationOn(points)).toMatchObject({ amountMinor: 30n, receiver: { amountMinor: 3000n } });
  });
  test("each is counted in its own minor units", () => {
    const { ledger } = changed(2).when(transfer("30", "bob", points)).applies();
    expect(ledger.only.currencyTotals.get("POINTS:0")!.totals).toMatchObject({ transfersOut: { count: 1n, minor: 30n }, transfersIn: { count: 0n } });
    expect(ledger.only.currencyTotals.get("POINTS:2")!.totals).toMatchObject({ transfersOut: { count: 0n }, transfersIn: { count: 1n, minor: 3000n } });
  });
  test("nothing is rounded for a receiver that has fewer", () => {
    const story = changed(2).when(transfer("0.50", "alice", bobs)).rejects("AMOUNT_TOO_PRECISE", { field: "amount", currency: "POINTS", exponent: 0 }).changesNothing();
    story.when(transfer("1.00", "alice", bobs)).applies({ amount: "1.00", receiver: { amount: "1", available: "101" } });
  });
  test("an amount that is beyond 64 bits only for the receiver is out of range", () =>
    given(wallet("100", points)).servedWith({ POINTS: 18 }).when(init("POINTS", bob)).applies().when(transfer("10", "bob", points)).rejects("AMOUNT_OUT_OF_RANGE", { maximum: { currency: "POINTS", exponent: 18, minor: 2n ** 63n - 1n } }));
  test("a limit that is passed says the amount in the receiver's minor units", () =>
    changed(2).when(limit("34.99", bobs)).applies().when(transfer("30", "bob", points)).rejects("BALANCE_LIMIT_EXCEEDED", { toUserId: "bob", requested: { currency: "POINTS", exponent: 2, minor: 3000n } }));
  test("the wallets still deal in an asset that is no longer configured", () => given(wallet("9", points), wallet("0", bobs)).servedWith({}).when(transfer("9", "bob", points)).applies());
});

describe("under a key", () => {
  test("moves the money once", () => pair().when(transfer("30", "bob", { key }), transfer("30.0", "bob", { key })).applies().and.replays().leaves({ available: "70.00" }).leaves({ available: "35.00" }, bob));
  test("answers the same after both wallets have changed", () =>
    pair().when(transfer("30", "bob", { key })).applies().when(transfer("35", "alice", bob), freeze(bob)).applies().and.applies().when(transfer("30", "bob", { key })).replays().changesNothing());
  test("answers the same after both wallets were emptied and closed", () =>
    given(wallet("30"), wallet("0", bob))
      .when(transfer("30", "bob", { key }))
      .applies()
      .when(close(), withdraw("30", bob), close(bob))
      .applies()
      .and.applies()
      .and.applies()
      .when(transfer("30", "bob", { key }))
      .replays());
  test("is the payer's: the receiver's own key of that name is another", () => pair().when(transfer("1", "bob", { key }), transfer("1", "alice", { ...bob, key })).applies().and.applies());
  test.each([
    ["another receiver", transfer("30", "carol", { key })],
    ["another amount", transfer("30.01", "bob", { key })],
    ["another verb", withdraw("30", { key })],
  ])("is another request with %s", (_, other) => void pair().when(transfer("30", "bob", { key })).applies().when(other).rejects("IDEMPOTENCY_KEY_REUSED"));
  test("a no is remembered: no receiver, after its opening", () =>
    given(wallet("5")).when(transfer("1", "bob", { key })).rejects("WALLET_NOT_FOUND").when(init("USD", bob)).applies().when(transfer("1", "bob", { key })).replays().leaves({ available: "5.00" }));
  test("a no is remembered: a limit, after it was lifted", () =>
    pair().when(limit("5", bob)).applies().when(transfer("1", "bob", { key })).rejects("BALANCE_LIMIT_EXCEEDED").when(limit(undefined, bob)).applies().when(transfer("1", "bob", { key })).replays().leaves({ available: "5.00" }, bob));
  test("to oneself is not remembered", () => pair().when(transfer("1", "alice", { key })).rejects("SAME_WALLET").changesNothing().when(transfer("1", "bob", { key })).applies());
});

describe("preconditions", () => {
  test("the version is the payer's", () => {
    const story = (): ReturnType<typeof given> => pair().when(add("1", bob)).applies();
    story().when(transfer("1", "bob", { expectedVersion: 2n })).applies({ version: 3n, receiver: { version: 4n } });
    story().when(transfer("1", "bob", { expectedVersion: 3n })).rejects("VERSION_MISMATCH", { expectedVersion: 3n, actualVersion: 2n }).changesNothing();
  });
  test("validate_only answers as if done, of both wallets, and changes neither", () => {
    const story = pair().when(transfer("30", "bob", { key, validateOnly: true })).applies({ available: "70.00", receiver: { available: "35.00" } }).changesNothing();
    const told = story.leaves({ available: "100.00" }).leaves({ available: "5.00" }, bob).answer;
    expect(story.when(transfer("30", "bob", { key })).applies().answer).toEqual(told);
  });
  test("validate_only says no for the receiver, too", () => given(wallet("5")).when(transfer("1", "bob", { validateOnly: true })).rejects("WALLET_NOT_FOUND", { userId: "bob" }).changesNothing());
});
