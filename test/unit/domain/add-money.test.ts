// Money that comes in: exactly what was said, never beyond the wallet's limit, never beyond 64 bits.

import { describe, test } from "vitest";
import { add, close, freeze, given, held, hold, init, money, release, reverse, wallet } from "../../support/given.ts";

const all64Bits = "92233720368547758.07";

describe("an addition", () => {
  test.each([
    ["0.00", "10.50", "10.50"],
    ["10.50", "0.01", "10.51"],
    ["0.10", "0.20", "0.30"],
    ["1.00", "1", "2.00"],
    ["1.00", "1.500000", "2.50"],
    ["0.00", all64Bits, all64Bits],
    ["0.07", "92233720368547758.00", all64Bits],
  ])("to %s of %s makes %s", (before, amount, after) => void given(wallet(before)).when(add(amount)).applies({ kind: "ADD", available: after, held: "0.00" }));

  test("counts in the currency's own unit", () => given(wallet("0", { currency: "JPY" })).when(add("1050", { currency: "JPY" })).applies({ amount: "1050", available: "1050" }));
  test("in an asset of the configuration", () =>
    given(wallet("0", { currency: "USDT" })).when(add("0.000001", { currency: "USDT" })).applies({ available: "0.000001" }));
  test("leaves what is held alone", () => given(wallet("50.00"), held("20.00")).when(add("5.00")).applies({ available: "35.00", held: "20.00" }));
  test("raises the version by one", () => given(wallet("0")).when(add("1"), add("1")).applies({ version: 2n }).and.applies({ version: 3n }));
});

describe("nothing is rounded", () => {
  test.each([["USD", "0.001"], ["USD", "1.005"], ["JPY", "0.5"], ["KWD", "0.0001"], ["POINTS", "1.1"], ["USDT", "0.0000001"]])("%s %s is too precise", (currency, amount) => {
    const exponent = given(wallet("0", { currency })).wallet({ currency }).exponent;
    given(wallet("0", { currency })).when(add(amount, { currency })).rejects("AMOUNT_TOO_PRECISE", { field: "amount", currency, exponent }).changesNothing();
  });
});

describe("64 bits", () => {
  test("one minor unit more than they hold is out of range by itself", () =>
    given(wallet("0")).when(add("92233720368547758.08")).rejects("AMOUNT_OUT_OF_RANGE", { field: "amount", maximum: money(all64Bits) }).changesNothing());
  test("a full wallet takes not one minor unit more", () =>
    given(wallet(all64Bits)).when(add("0.01")).rejects("BALANCE_LIMIT_EXCEEDED", { total: money(all64Bits), requested: money("0.01"), maximum: money(all64Bits) }));
  test("what is held counts too", () => given(wallet(all64Bits), held(all64Bits)).when(add("0.01")).rejects("BALANCE_LIMIT_EXCEEDED"));
  test("a full wallet still holds, reverses and releases all it has", () =>
    given(wallet(all64Bits))
      .when(hold(all64Bits, { as: "all" }))
      .applies({ available: "0.00", held: all64Bits })
      .when(reverse("all"))
      .applies({ available: all64Bits, held: "0.00" })
      .when(hold(all64Bits, { periodMs: 0 }))
      .applies({ held: all64Bits })
      .when(release())
      .releases(1, { USD: all64Bits })
      .leaves({ available: all64Bits, held: "0.00" }));
  test("64 digits are only a number", () => given(wallet("0")).when(add("9".repeat(64))).rejects("AMOUNT_OUT_OF_RANGE"));
});

const limited = (amount: string): ReturnType<typeof given> => given(wallet(amount, { balanceMax: "100.00" }));

describe("balance_max", () => {
  test("may be met exactly", () => limited("60.00").when(add("40.00")).applies({ available: "100.00" }));
  test("may not be passed by one minor unit", () =>
    limited("60.00").when(add("40.01")).rejects("BALANCE_LIMIT_EXCEEDED", { total: money("60.00"), requested: money("40.01"), maximum: money("100.00") }));
  test("counts what is held", () => limited("60.00").when(hold("60.00"), add("40.00"), add("0.01")).applies().and.applies().and.rejects("BALANCE_LIMIT_EXCEEDED", { total: money("100.00") }));
  test("does not keep held money from coming back", () =>
    limited("100.00").when(hold("100.00", { as: "all" })).applies().when(reverse("all")).applies({ available: "100.00" }));
  test("is each wallet's own", () => given(wallet("0", { balanceMax: "1" }), wallet("0", { user: "bob" })).when(add("2", { user: "bob" })).applies());
});

describe("the wallet's state", () => {
  test("frozen: money in still works", () => given(wallet("5"), [freeze()]).when(add("1")).applies({ available: "6.00", state: "FROZEN" }));
  test("closed: nothing comes in", () => given(wallet("0"), [close()]).when(add("1")).rejects("WALLET_CLOSED", { userId: "alice", currency: "USD" }).leaves({ available: "0.00", version: 2n }));
  test("closed comes before the limit", () => given(wallet("0", { balanceMax: "1" }), [close()]).when(add("2")).rejects("WALLET_CLOSED"));
  test("in the batch that closes", () => given(wallet("0")).when(close(), add("1")).applies().and.rejects("WALLET_CLOSED"));
  test("in the batch that would close after it", () => given(wallet("0")).when(add("1"), close()).applies().and.rejects("WALLET_NOT_EMPTY").leaves({ available: "1.00", state: "ACTIVE" }));
});

describe("the wallet is the one that is meant", () => {
  test("none at all", () => given().when(add("1")).rejects("WALLET_NOT_FOUND", { userId: "alice", currency: "USD" }));
  test("none in that currency", () => given(wallet("1")).when(add("1", { currency: "EUR" })).rejects("WALLET_NOT_FOUND", { currency: "EUR" }));
  test("somebody else's does not count", () => given(wallet("1", { user: "bob" })).when(add("1")).rejects("WALLET_NOT_FOUND"));
  test("an unknown currency", () => given(wallet("1")).when(add("1", { currency: "XXX" })).rejects("UNKNOWN_CURRENCY", { currency: "XXX" }).changesNothing());
  test("the user's only one where no currency is said", () => given(wallet("1", { currency: "JPY" })).when(add("1", { currency: undefined })).applies({ available: "2" }));
  test("no wallet and no currency", () => given().when(add("1", { currency: undefined })).rejects("WALLET_NOT_FOUND", { userId: "alice" }));
  test("several and no currency", () =>
    given(wallet("1"), wallet("1", { currency: "EUR" }), wallet("1", { currency: "JPY" }))
      .when(add("1", { currency: undefined }))
      .rejects("CURRENCY_REQUIRED", { userId: "alice", currencies: ["EUR", "JPY", "USD"] })
      .changesNothing());
  test("several since the line before", () =>
    given(wallet("1")).when(add("1", { currency: undefined }), init("EUR"), add("1", { currency: undefined })).applies().and.applies().and.rejects("CURRENCY_REQUIRED"));
});

describe("related_operation_id", () => {
  test("names an operation", () => given(wallet("1")).when(add("1", { related: 2n })).applies());
  test("may name one of the same batch", () => given(wallet("1")).when(add("1"), add("1", { related: 3n })).applies().and.applies());
  test("may name another user's", () => given(wallet("1", { user: "bob" }), wallet("0")).when(add("1", { related: 2n })).applies());
  test.each([3n, 4n, 0n, 2n ** 62n, (1n << 48n) + 1n])("%d, which is not there, is not found", (related) =>
    void given(wallet("1")).when(add("1", { related })).rejects("OPERATION_NOT_FOUND", { operationId: related }),
  );
});
