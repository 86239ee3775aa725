// Limits: the most that money coming in may make of a wallet's total; what is there, and what comes back from holds, is not touched.

import { describe, expect, test } from "vitest";
import { add, capture, close, freeze, given, held, hold, hourMs, limit, money, release, reverse, transfer, wallet, withdraw } from "../../support/given.ts";

const key = "k1";
const all64Bits = "92233720368547758.07";
const bob = { user: "bob" };
const rich = (): ReturnType<typeof given> => given(wallet("100.00"));

describe("a limit", () => {
  test("is set and moves no money", () =>
    rich().when(limit("150.00")).applies({ kind: "SET_LIMITS", amount: "0.00", available: "100.00", held: "0.00", version: 3n, state: "ACTIVE" }).leaves({ available: "100.00", version: 3n, balanceMax: "150.00" }));
  test("is in the operation", () => expect(rich().when(limit("150")).applies().lastOperationOn()).toMatchObject({ previousSequence: 2n, amountMinor: 0n, after: { balanceMaxMinor: 15_000n }, hold: undefined, receiver: undefined }));
  test("takes the place of the one before", () => rich().when(limit("150"), limit("120"), add("20.01"), add("20")).applies().and.applies().and.rejects("BALANCE_LIMIT_EXCEEDED", { maximum: money("120.00") }).and.applies());
  test("takes the place of the one from the opening", () => given(wallet("9", { balanceMax: "10" })).when(limit("20"), add("11")).applies().and.applies({ available: "20.00" }));
  test("is lifted", () => rich().when(limit("100"), limit(undefined), add("1")).applies().and.applies().and.applies().leaves({ balanceMax: "" }));
  test("is lifted where there is none", () => rich().when(limit(undefined)).applies({ version: 3n }).leaves({ balanceMax: "" }));
  test("lifted, 64 bits are the limit again", () =>
    given(wallet(all64Bits, { balanceMax: all64Bits })).when(limit(undefined), add("0.01")).applies().and.rejects("BALANCE_LIMIT_EXCEEDED", { total: money(all64Bits), maximum: money(all64Bits) }));
  test("may be all that 64 bits hold", () => rich().when(limit(all64Bits)).applies().leaves({ balanceMax: all64Bits }));
  test("is each wallet's own", () => given(wallet("1"), wallet("1", bob), wallet("1", { currency: "EUR" })).when(limit("1"), add("1", bob), add("1", { currency: "EUR" })).applies().and.applies().and.applies());
});

describe("what is above the limit already stays", () => {
  const above = (): ReturnType<typeof given> => given(wallet("100"), held("30", { as: "rent" }), wallet("5", bob)).when(limit("10")).applies({ available: "70.00", held: "30.00" });
  test("and not a cent comes in", () => above().when(add("0.01")).rejects("BALANCE_LIMIT_EXCEEDED", { total: money("100.00"), requested: money("0.01"), maximum: money("10.00") }));
  test("and not a cent comes in from others", () => above().when(transfer("0.01", "alice", bob)).rejects("BALANCE_LIMIT_EXCEEDED", { toUserId: "alice", requested: money("0.01") }));
  test("may be held, withdrawn and transferred", () => above().when(hold("1"), withdraw("1"), transfer("1", "bob")).applies().and.applies().and.applies({ available: "67.00", held: "31.00" }));
  test("comes back by reversal", () => above().when(reverse("rent")).applies({ available: "100.00" }));
  test("comes back by release", () => above().afterMs(hourMs).when(release()).releases(1, { USD: "30.00" }).leaves({ available: "100.00" }));
  test("comes back by a final capture", () => above().when(capture("rent", "1", { final: true })).applies({ available: "99.00", held: "0.00" }));
  test("until enough has left", () => above().when(withdraw("70"), capture("rent", "21"), add("1"), add("0.01")).applies().and.applies().and.applies({ available: "1.00", held: "9.00" }).and.rejects("BALANCE_LIMIT_EXCEEDED"));
});

describe("the receiver's limit", () => {
  const pair = (): ReturnType<typeof given> => given(wallet("100"), held("30", { as: "rent" }), wallet("5", bob)).when(limit("10", bob)).applies();
  test.each([["5.00", true], ["5.01", false]])("of 10.00, with 5.00 in it: %s fits: %s", (amount, fits) => {
    for (const request of [transfer(amount, "bob"), capture("rent", amount, { to: "bob" })]) {
      const story = pair().when(request);
      if (fits) story.applies({ receiver: { available: "10.00" } });
      else story.rejects("BALANCE_LIMIT_EXCEEDED", { toUserId: "bob", requested: money(amount) }).leaves({ available: "70.00", held: "30.00" }).leaves({ available: "5.00" }, bob);
    }
  });
  test("counts what it holds", () => pair().when(hold("5", bob), transfer("5.01", "bob"), transfer("5", "bob")).applies().and.rejects("BALANCE_LIMIT_EXCEEDED").and.applies());
});

describe("as an amount", () => {
  const points = { currency: "POINTS" };
  test("too precise", () => rich().when(limit("0.001")).rejects("AMOUNT_TOO_PRECISE", { field: "balance_max", currency: "USD", exponent: 2 }).changesNothing());
  test("beyond 64 bits", () => rich().when(limit("92233720368547758.08")).rejects("AMOUNT_OUT_OF_RANGE", { field: "balance_max", maximum: money(all64Bits) }).changesNothing());
  test("in the wallet's own decimals, whatever the asset has now", () =>
    given(wallet("5", points)).servedWith({ POINTS: 2 }).when(limit("7.5", points)).rejects("AMOUNT_TOO_PRECISE", { exponent: 0 }).when(limit("7", points)).applies().leaves({ balanceMax: "7" }, points));
});

describe("the wallet is the one that is meant", () => {
  test("none", () => given().when(limit("1")).rejects("WALLET_NOT_FOUND", { userId: "alice", currency: "USD" }));
  test("an unknown currency", () => rich().when(limit("1", { currency: "XXX" })).rejects("UNKNOWN_CURRENCY", { currency: "XXX" }).changesNothing());
  test("the only one", () => given(wallet("0", { currency: "JPY" })).when(limit("1", { currency: undefined })).applies());
  test("one of several", () => given(wallet("0"), wallet("0", { currency: "EUR" })).when(limit("1", { currency: undefined })).rejects("CURRENCY_REQUIRED", { currencies: ["EUR", "USD"] }));
  test("frozen is no matter", () => given(wallet("0"), [freeze()]).when(limit("1")).applies({ state: "FROZEN" }));
  test("closed", () => given(wallet("0"), [close()]).when(limit("1")).rejects("WALLET_CLOSED", { userId: "alice", currency: "USD" }).leaves({ balanceMax: "" }));
  test("closed, lifting", () => given(wallet("0", { balanceMax: "5" }), [close()]).when(limit(undefined)).rejects("WALLET_CLOSED").leaves({ balanceMax: "5.00" }));
});

describe("under a key", () => {
  test("answers the same after another limit was set and the wallet was closed", () =>
    rich().when(limit("150", { key })).applies().when(limit(undefined), withdraw("100"), close()).applies().and.applies().and.applies().when(limit("150.0", { key })).replays().changesNothing());
  test("lifting is another request than setting", () => {
    rich().when(limit("150", { key })).applies().when(limit(undefined, { key })).rejects("IDEMPOTENCY_KEY_REUSED");
    rich().when(limit(undefined, { key })).applies().when(limit("150", { key })).rejects("IDEMPOTENCY_KEY_REUSED");
  });
  test("a no is remembered", () => given().when(limit("1", { key })).rejects("WALLET_NOT_FOUND").when(...wallet("0")).applies().when(limit("1", { key })).replays().leaves({ balanceMax: "" }));
});

describe("preconditions", () => {
  test("the version", () => {
    rich().when(limit("150", { expectedVersion: 2n })).applies({ version: 3n });
    rich().when(limit("150", { expectedVersion: 1n })).rejects("VERSION_MISMATCH", { expectedVersion: 1n, actualVersion: 2n }).changesNothing();
  });
  test("validate_only answers as if done and sets nothing", () => {
    const story = rich().when(limit("100", { key, validateOnly: true })).applies({ version: 3n }).changesNothing().leaves({ balanceMax: "", version: 2n });
    const told = story.answer;
    expect(story.when(limit("100", { key })).applies().answer).toEqual(told);
  });
});
