// Withdrawing: available money leaves the ledger, never more than there is, never held money.

import { describe, expect, test } from "vitest";
import { add, close, freeze, given, held, hold, init, limit, money, reverse, unfreeze, wallet, withdraw } from "../../support/given.ts";

const key = "k1";
const rich = (): ReturnType<typeof given> => given(wallet("100.00"));

describe("a withdrawal", () => {
  test.each([
    ["100.00", "30.00", "70.00"],
    ["100.00", "100", "0.00"],
    ["0.01", "0.01", "0.00"],
    ["92233720368547758.07", "92233720368547758.07", "0.00"],
  ])("from %s of %s leaves %s", (before, amount, available) => void given(wallet(before)).when(withdraw(amount)).applies({ kind: "WITHDRAW", available, held: "0.00", version: 3n }).leaves({ available, version: 3n }));

  test("counts in the currency's own unit", () => given(wallet("1050", { currency: "JPY" })).when(withdraw("50", { currency: "JPY" })).applies({ amount: "50", available: "1000" }));
  test("leaves what is held alone", () => given(wallet("50.00"), held("20.00")).when(withdraw("30.00")).applies({ available: "0.00", held: "20.00" }));
  test("of money that came in the same batch", () => given(wallet("0")).when(add("5"), withdraw("5")).applies().and.applies({ available: "0.00" }));
  test("has no receiver and no hold", () =>
    expect(rich().when(withdraw("1")).applies().lastOperationOn()).toMatchObject({ receiver: undefined, hold: undefined, opened: undefined, walletId: 1n, amountMinor: 100n, previousSequence: 2n }));
  test("is counted", () => {
    const story = rich().when(withdraw("1"), withdraw("2")).applies().and.applies();
    expect(story.wallet().totals).toMatchObject({ withdrawals: { count: 2n, minor: 300n }, adds: { count: 1n, minor: 10_000n }, transfersOut: { count: 0n } });
    expect(story.ledger.only.currencyTotals.get("USD:2")!.totals).toEqual(story.wallet().totals);
  });
  test("does not mind a limit below what is there", () => rich().when(limit("1"), withdraw("50")).applies().and.applies({ available: "50.00" }));
});

describe("never more than is available", () => {
  test.each([
    ["100.00", "120.00"],
    ["100.00", "100.01"],
    ["0.00", "0.01"],
    ["0.01", "92233720368547758.07"],
  ])("of %s not %s", (available, requested) =>
    void given(wallet(available)).when(withdraw(requested)).rejects("INSUFFICIENT_FUNDS", { available: money(available), requested: money(requested) }).leaves({ available, held: "0.00" }),
  );
  test("what is held is not available", () => given(wallet("100.00"), held("60.00")).when(withdraw("40.01")).rejects("INSUFFICIENT_FUNDS", { available: money("40.00") }));
  test("until it comes back", () => given(wallet("100.00"), held("60.00", { as: "rent" })).when(reverse("rent"), withdraw("100")).applies().and.applies());
  test("the second of two in one batch that are too much together", () => rich().when(withdraw("60"), withdraw("60")).applies().and.rejects("INSUFFICIENT_FUNDS", { available: money("40.00") }).leaves({ available: "40.00" }));
  test("a hold and a withdrawal of the same money", () => rich().when(hold("60"), withdraw("60")).applies().and.rejects("INSUFFICIENT_FUNDS", { available: money("40.00") }));
  test("the other currency's money does not count", () => given(wallet("1"), wallet("100", { currency: "EUR" })).when(withdraw("50")).rejects("INSUFFICIENT_FUNDS"));
});

describe("nothing is rounded", () => {
  test.each([["USD", "0.001"], ["JPY", "0.5"], ["KWD", "0.0001"], ["POINTS", "1.1"]])("%s %s is too precise", (currency, amount) =>
    void given(wallet("9", { currency })).when(withdraw(amount, { currency })).rejects("AMOUNT_TOO_PRECISE", { field: "amount", currency }).changesNothing(),
  );
  test("an amount beyond 64 bits is out of range", () => rich().when(withdraw("92233720368547758.08")).rejects("AMOUNT_OUT_OF_RANGE", { field: "amount", maximum: money("92233720368547758.07") }).changesNothing());
});

describe("the wallet's state", () => {
  test("frozen: nothing leaves", () => rich().when(freeze()).applies().when(withdraw("1")).rejects("WALLET_FROZEN", { userId: "alice", currency: "USD" }).leaves({ available: "100.00" }));
  test("frozen comes before too little money", () => rich().when(freeze()).applies().when(withdraw("1000")).rejects("WALLET_FROZEN"));
  test("unfrozen again", () => rich().when(freeze(), unfreeze(), withdraw("1")).applies().and.applies().and.applies());
  test("closed", () => given(wallet("0"), [close()]).when(withdraw("1")).rejects("WALLET_CLOSED", { userId: "alice", currency: "USD" }));
  test("another wallet's does not matter", () => given(wallet("5"), wallet("5", { user: "bob" }), [freeze({ user: "bob" })]).when(withdraw("5")).applies());
});

describe("the wallet is the one that is meant", () => {
  test("none", () => given().when(withdraw("1")).rejects("WALLET_NOT_FOUND", { userId: "alice", currency: "USD" }));
  test("an unknown currency", () => given().when(withdraw("1", { currency: "XXX" })).rejects("UNKNOWN_CURRENCY", { currency: "XXX" }).changesNothing());
  test("the only one", () => given(wallet("1", { currency: "JPY" })).when(withdraw("1", { currency: undefined })).applies({ available: "0" }));
  test("one of several", () => given(wallet("1"), wallet("1", { currency: "EUR" })).when(withdraw("1", { currency: undefined })).rejects("CURRENCY_REQUIRED", { currencies: ["EUR", "USD"] }));
  test("closed ones count as several", () => given(wallet("1"), [init("EUR"), close({ currency: "EUR" })]).when(withdraw("1", { currency: undefined })).rejects("CURRENCY_REQUIRED", { currencies: ["EUR", "USD"] }));
});

describe("under a key", () => {
  test("takes the money once", () => rich().when(withdraw("60", { key }), withdraw("60", { key })).applies().and.replays().leaves({ available: "40.00" }));
  test("answers the same after the wallet was emptied and closed", () =>
    rich().when(withdraw("60", { key })).applies({ available: "40.00" }).when(withdraw("40"), close()).applies().and.applies().when(withdraw("60.0", { key })).replays().changesNothing());
  test("answers the same while the wallet is frozen", () => rich().when(withdraw("60", { key })).applies().when(freeze()).applies().when(withdraw("60", { key })).replays());
  test("is not a hold's", () => rich().when(withdraw("60", { key })).applies().when(hold("60", { key })).rejects("IDEMPOTENCY_KEY_REUSED"));
  test("a no is remembered: closed", () => given(wallet("0"), [close()]).when(withdraw("1", { key })).rejects("WALLET_CLOSED").when(withdraw("1", { key })).replays());
  test("a no is remembered: frozen", () => rich().when(freeze()).applies().when(withdraw("1", { key })).rejects("WALLET_FROZEN").when(unfreeze()).applies().when(withdraw("1", { key })).replays().leaves({ available: "100.00" }));
});

describe("preconditions", () => {
  test("the version", () => {
    rich().when(withdraw("1", { expectedVersion: 2n })).applies({ version: 3n });
    rich().when(withdraw("1", { expectedVersion: 3n })).rejects("VERSION_MISMATCH", { expectedVersion: 3n, actualVersion: 2n }).changesNothing();
  });
  test("validate_only answers as if done and takes nothing", () => {
    const story = rich().when(withdraw("60", { key, validateOnly: true })).applies({ available: "40.00" }).changesNothing().leaves({ available: "100.00" });
    const told = story.answer;
    expect(story.when(withdraw("60", { key })).applies().answer).toEqual(told);
  });
});
