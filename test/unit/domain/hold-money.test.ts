// Setting money aside: never more than is available, and for as long as was said.

import { describe, expect, test } from "vitest";
import { add, capture, close, freeze, given, held, hold, init, minuteMs, money, reverse, unfreeze, wallet } from "../../support/given.ts";

describe("a hold", () => {
  test.each([
    ["100.00", "30.00", "70.00", "30.00"],
    ["100.00", "100.00", "0.00", "100.00"],
    ["100.00", "100", "0.00", "100.00"],
    ["0.01", "0.01", "0.00", "0.01"],
  ])("of a wallet with %s for %s", (before, amount, available, heldAfter) =>
    void given(wallet(before)).when(hold(amount)).applies({ kind: "HOLD", amount: heldAfter, available, held: heldAfter, hold: { status: "ACTIVE", remaining: heldAfter } }),
  );

  test("beside others", () => given(wallet("100.00"), held("10.00"), held("20.00")).when(hold("30.00")).applies({ available: "40.00", held: "60.00" }));
  test("of money that came in the same batch", () => given(wallet("0")).when(add("5"), hold("5")).applies().and.applies({ available: "0.00", held: "5.00" }));
  test("in a wallet that the same batch opens", () => given().when(init(), add("5"), hold("5")).applies().and.applies().and.applies());
});

describe("never more than is available", () => {
  test.each([
    ["100.00", "120.00"],
    ["100.00", "100.01"],
    ["0.00", "0.01"],
    ["0.01", "92233720368547758.07"],
  ])("of %s not %s", (available, requested) =>
    void given(wallet(available)).when(hold(requested)).rejects("INSUFFICIENT_FUNDS", { available: money(available), requested: money(requested) }).leaves({ available, held: "0.00" }),
  );

  test("what is held is not available", () => given(wallet("100.00"), held("60.00")).when(hold("40.01")).rejects("INSUFFICIENT_FUNDS", { available: money("40.00") }));
  test("the second of two in one batch that are too much together", () =>
    given(wallet("100.00")).when(hold("60.00"), hold("60.00")).applies().and.rejects("INSUFFICIENT_FUNDS", { available: money("40.00") }).leaves({ available: "40.00", held: "60.00" }));
  test("the other currency's money does not count", () => given(wallet("1"), wallet("100", { currency: "EUR" })).when(hold("50")).rejects("INSUFFICIENT_FUNDS"));
  test("an amount beyond 64 bits is out of range", () => given(wallet("1")).when(hold("92233720368547758.08")).rejects("AMOUNT_OUT_OF_RANGE").changesNothing());
  test("an amount that the currency cannot express is too precise", () => given(wallet("1")).when(hold("0.001")).rejects("AMOUNT_TOO_PRECISE").changesNothing());
});

describe("a wallet's holds are a chain from its newest", () => {
  test("of which the first has none before it", () => {
    const story = given(wallet("10"), held("1"), wallet("10", { user: "bob" }), held("1", { user: "bob" }), held("1"), held("1"));
    const before = [3n, 6n, 7n, 8n].map((holdId) => story.ledger.only.holds.get(holdId)!.previousHoldId);
    expect(before).toEqual([0n, 0n, 3n, 7n]);
    expect([story.wallet().lastHoldId, story.wallet({ user: "bob" }).lastHoldId]).toEqual([8n, 6n]);
  });
  test("whatever has become of them", () => {
    const story = given(wallet("10"), held("1", { as: "one" }), held("1", { as: "two" })).when(reverse("two"), capture("one", "1"), hold("1")).applies().and.applies().and.applies();
    expect(story.ledger.only.holds.get(7n)!.previousHoldId).toBe(4n);
  });
});

describe("its period", () => {
  test("is ten minutes", () => given(wallet("1")).when(hold("1")).applies({ hold: { eligibleAfterMs: 10 * minuteMs } }));
  test.each([0, 1, minuteMs, 365 * 24 * 60 * minuteMs])("may be %i ms", (periodMs) => void given(wallet("1")).when(hold("1", { periodMs })).applies({ hold: { eligibleAfterMs: periodMs } }));
});

describe("the wallet's state", () => {
  const owner = { userId: "alice", currency: "USD" };
  test("frozen: nothing is held", () => given(wallet("5"), [freeze()]).when(hold("5")).rejects("WALLET_FROZEN", owner).leaves({ available: "5.00", held: "0.00", version: 3n }));
  test("frozen comes before too little money", () => given(wallet("5"), [freeze()]).when(hold("6")).rejects("WALLET_FROZEN"));
  test("unfrozen again", () => given(wallet("5"), [freeze(), unfreeze()]).when(hold("5")).applies());
  test("closed: nothing is held", () => given(wallet("0"), [close()]).when(hold("5")).rejects("WALLET_CLOSED", owner));
  test("in the batch that closes", () => given(wallet("0")).when(close(), hold("5")).applies().and.rejects("WALLET_CLOSED"));
});

describe("the wallet is the one that is meant", () => {
  test("none", () => given().when(hold("1")).rejects("WALLET_NOT_FOUND", { userId: "alice", currency: "USD" }));
  test("an unknown currency", () => given().when(hold("1", { currency: "XAU" })).rejects("UNKNOWN_CURRENCY", { currency: "XAU" }));
  test("the only one", () => given(wallet("1", { currency: "JPY" })).when(hold("1", { currency: undefined })).applies({ available: "0" }));
  test("one of several", () => given(wallet("1"), wallet("1", { currency: "EUR" })).when(hold("1", { currency: undefined })).rejects("CURRENCY_REQUIRED", { currencies: ["EUR", "USD"] }));
});
