// Opening wallets: one per user and currency, empty, perhaps with a limit.

import { describe, expect, test } from "vitest";
import { add, close, freeze, given, hourMs, init, money, startMs, wallet } from "../../support/given.ts";

describe("a wallet is opened", () => {
  test("empty, in version 1", () => given().when(init("USD")).applies({ kind: "INIT", amount: "0.00", available: "0.00", held: "0.00", version: 1n }));
  test("with the id of the operation that opened it", () => {
    const story = given(wallet("5.00")).when(init("EUR")).applies();
    expect(story.wallet({ currency: "EUR" })).toMatchObject({ walletId: 3n, headSequence: 3n, version: 1n, state: "ACTIVE" });
  });
  test("at the ledger's time", () => {
    expect(given().afterMs(hourMs).when(init()).applies().wallet()).toMatchObject({ createTimeMs: startMs + hourMs, updateTimeMs: startMs + hourMs });
  });
  test("one per currency", () => given(wallet("1.00")).when(init("EUR"), init("JPY")).applies().and.applies({ available: "0" }));
  test("one per user", () => given(wallet("1.00")).when(init("USD", { user: "bob" })).applies());
  test("for users that differ in case alone", () => given(wallet("1.00")).when(init("USD", { user: "Alice" })).applies());
  test.each([["USD", 2], ["JPY", 0], ["KWD", 3], ["CLF", 4], ["POINTS", 0], ["USDT", 6]])("in %s with %i decimals", (currency, exponent) =>
    expect(given().when(init(currency)).applies().wallet({ currency }).exponent).toBe(exponent),
  );
});

describe("a second one", () => {
  test("in the same currency exists", () => given(wallet("1.00")).when(init("USD")).rejects("WALLET_EXISTS", { userId: "alice", currency: "USD" }));
  test("exists while the first is frozen", () => given(wallet("1.00"), [freeze()]).when(init("USD")).rejects("WALLET_EXISTS"));
  test("exists after the first was closed: closing is final", () => given(wallet("0"), [close()]).when(init("USD")).rejects("WALLET_EXISTS", { userId: "alice", currency: "USD" }));
  test("in the same batch exists", () => given().when(init("USD"), init("USD")).applies().and.rejects("WALLET_EXISTS"));
  test("exists, whatever else is wrong with it", () =>
    given(wallet("1.00")).when(init("USD", { balanceMax: "0.001", expectedVersion: 7n })).rejects("WALLET_EXISTS"));
});

test.each(["XXX", "XAU", "usd", "BTC"])("%s is no currency that the ledger knows", (currency) =>
  void given().when(init(currency)).rejects("UNKNOWN_CURRENCY", { currency }).changesNothing(),
);

describe("balance_max", () => {
  test("is kept with the wallet", () => expect(given().when(init("USD", { balanceMax: "500" })).applies().wallet().balanceMaxMinor).toBe(50_000n));
  test("is nothing unless given", () => expect(given(wallet("0")).wallet().balanceMaxMinor).toBeUndefined());
  test("may be nothing at all", () => given().when(init("USD", { balanceMax: "0" }), add("0.01")).applies().and.rejects("BALANCE_LIMIT_EXCEEDED", { maximum: money("0.00") }));
  test("may be all that 64 bits hold", () => given().when(init("USD", { balanceMax: "92233720368547758.07" })).applies());
  test("may not be more", () =>
    given().when(init("USD", { balanceMax: "92233720368547758.08" })).rejects("AMOUNT_OUT_OF_RANGE", { field: "balance_max", maximum: money("92233720368547758.07") }).changesNothing());
  test("has no more decimals than the currency", () =>
    given().when(init("JPY", { balanceMax: "100.5" })).rejects("AMOUNT_TOO_PRECISE", { field: "balance_max", currency: "JPY", exponent: 0 }).changesNothing());
  test("may be written with more zeros than the currency has decimals", () => given().when(init("JPY", { balanceMax: "100.00" })).applies());
});

test("a wallet that is not there yet has version 0", () => {
  given().when(init("USD", { expectedVersion: 0n })).applies({ version: 1n });
  given().when(init("USD", { expectedVersion: 1n })).rejects("VERSION_MISMATCH", { expectedVersion: 1n, actualVersion: 0n });
});
