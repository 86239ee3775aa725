// Exactly once: what a key replays, what it refuses, what it remembers, and for how long.

import { describe, expect, test } from "vitest";
import { add, given, held, hold, hourMs, init, minuteMs, release, reverse, startMs, wallet } from "../../support/given.ts";

const key = "k1";

describe("the same key with the same request", () => {
  test.each([
    ["an opening", given(), init("EUR", { key })],
    ["an addition", given(wallet("5")), add("5", { key, reference: "r", metadata: { a: "1" } })],
    ["a hold", given(wallet("5")), hold("5", { key })],
    ["a reversal", given(wallet("5"), held("5")), reverse(3n, { key })],
  ])("does %s once", (_, story, request) => {
    story.when(request).applies();
    const { sequence } = story.ledger.only.head;
    story.when(request).replays().changesNothing();
    expect(story.ledger.only.head.sequence).toBe(sequence);
  });

  test("twice in one batch is two in a row", () => given(wallet("5")).when(add("1", { key }), add("1", { key }), add("1")).applies().and.replays().and.applies({ available: "7.00" }));
  test("written with other zeros", () => given(wallet("5")).when(add("1", { key })).applies().when(add("01.0", { key })).replays());

  test("gives the first answer whatever has happened since", () =>
    given(wallet("100"))
      .when(hold("30", { key, as: "rent" }))
      .applies({ available: "70.00", version: 3n, hold: { status: "ACTIVE" } })
      .when(add("7"), hold("20"))
      .applies()
      .when(hold("30", { key }))
      .replays()
      .when(reverse("rent"))
      .applies()
      .when(hold("30", { key }))
      .replays()
      .afterMs(30 * minuteMs)
      .when(release())
      .releases(1, { USD: "20.00" })
      .when(hold("30", { key }))
      .replays());

  test("after the clock was set back", () => given(wallet("5")).when(add("1", { key })).applies().afterMs(-hourMs).when(add("1", { key })).replays());
  test("answers before any state is checked: the wallet's version", () =>
    given(wallet("5")).when(add("1", { key, expectedVersion: 2n })).applies().when(add("1", { key, expectedVersion: 2n })).replays());
});

describe("the same key with another request", () => {
  test.each([
    ["another amount", add("2", { key })],
    ["another method", hold("1", { key })],
    ["another currency", add("1", { key, currency: "EUR" })],
    ["no currency", add("1", { key, currency: undefined })],
    ["another reference", add("1", { key, reference: "x" })],
    ["other metadata", add("1", { key, metadata: { a: "b" } })],
    ["a version", add("1", { key, expectedVersion: 3n })],
    ["a related operation", add("1", { key, related: 1n })],
  ])("is refused: %s", (_, other) => {
    given(wallet("5")).when(add("1", { key })).applies().when(other).rejects("IDEMPOTENCY_KEY_REUSED", { idempotencyKey: key }).changesNothing();
    given(wallet("5")).when(add("1", { key }), other).applies().and.rejects("IDEMPOTENCY_KEY_REUSED");
  });
  test("is refused and changes nothing of what is remembered", () => given(wallet("5")).when(add("1", { key }), add("2", { key }), add("1", { key })).applies().and.rejects("IDEMPOTENCY_KEY_REUSED").and.replays());
  test("is refused after a remembered no, too", () => given(wallet("5")).when(hold("6", { key })).rejects("INSUFFICIENT_FUNDS").when(hold("5", { key })).rejects("IDEMPOTENCY_KEY_REUSED"));
  test("is another key where the user is another", () => given(wallet("5"), wallet("5", { user: "bob" })).when(add("1", { key }), add("1", { key, user: "bob" })).applies().and.applies());
  test("is one key across all methods", () => given(wallet("5")).when(hold("1", { key })).applies().when(reverse(3n, { key })).rejects("IDEMPOTENCY_KEY_REUSED"));
});

describe("a no that the ledger's state caused is remembered", () => {
  test("insufficient funds, after a top-up", () =>
    given(wallet("5")).when(hold("6", { key })).rejects("INSUFFICIENT_FUNDS").when(add("10")).applies().when(hold("6", { key })).replays().changesNothing().leaves({ available: "15.00", held: "0.00" }));
  test("no wallet, after its opening", () => given().when(add("6", { key })).rejects("WALLET_NOT_FOUND").when(init()).applies().when(add("6", { key })).replays().leaves({ available: "0.00" }));
  test("no wallet without a currency, after its opening", () =>
    given().when(add("6", { key, currency: undefined })).rejects("WALLET_NOT_FOUND").when(init()).applies().when(add("6", { key, currency: undefined })).replays());
  test("a wallet that exists", () => given(wallet("5")).when(init("USD", { key })).rejects("WALLET_EXISTS").when(init("USD", { key })).replays());
  test("no hold, after it was placed", () => given(wallet("5")).when(reverse(3n, { key })).rejects("HOLD_NOT_FOUND").when(hold("1")).applies().when(reverse(3n, { key })).replays());
  test("a hold that is not active", () =>
    given(wallet("5"), held("1")).when(reverse(3n)).applies().when(reverse(3n, { key })).rejects("HOLD_NOT_ACTIVE").when(reverse(3n, { key })).replays());
  test("no related operation, after it was made", () => given(wallet("5")).when(add("1", { key, related: 3n })).rejects("OPERATION_NOT_FOUND").when(add("1")).applies().when(add("1", { key, related: 3n })).replays());
  test("a limit", () => {
    const full = given(wallet("5", { balanceMax: "5" })).when(add("1", { key })).rejects("BALANCE_LIMIT_EXCEEDED");
    full.when(add("1", { key })).replays();
  });
  test("in the same batch", () => given(wallet("5")).when(hold("6", { key }), add("10"), hold("6", { key })).rejects("INSUFFICIENT_FUNDS").and.applies().and.replays());
});

describe("a no that is the request's own fault is forgotten at once", () => {
  test("too precise", () => given(wallet("5")).when(add("0.001", { key })).rejects("AMOUNT_TOO_PRECISE").changesNothing().when(add("0.01", { key })).applies());
  test("out of range", () => given(wallet("5")).when(add("92233720368547758.08", { key })).rejects("AMOUNT_OUT_OF_RANGE").changesNothing().when(add("1", { key })).applies());
  test("an unknown currency", () => given(wallet("5")).when(add("1", { key, currency: "XXX" })).rejects("UNKNOWN_CURRENCY").changesNothing().when(add("1", { key })).applies());
  test("a currency that is required", () =>
    given(wallet("5"), wallet("5", { currency: "EUR" })).when(add("1", { key, currency: undefined })).rejects("CURRENCY_REQUIRED").changesNothing().when(add("1", { key })).applies());
  test("a version that has passed", () =>
    given(wallet("5")).when(add("1", { key, expectedVersion: 3n })).rejects("VERSION_MISMATCH").changesNothing().when(add("1")).applies().when(add("1", { key, expectedVersion: 3n })).applies());
  test("a reused key is not taken over", () => given(wallet("5")).when(add("1", { key }), add("2", { key }), add("2", { key })).applies().and.rejects("IDEMPOTENCY_KEY_REUSED").and.rejects("IDEMPOTENCY_KEY_REUSED"));
});

const first = (): ReturnType<typeof given> => given(wallet("5")).when(add("1", { key })).applies({ available: "6.00" });

describe("keys are kept for the retention", () => {
  test("until its last millisecond", () => first().afterMs(hourMs - 1).when(add("1", { key })).replays());
  test("and not longer", () => first().afterMs(hourMs).when(add("1", { key })).applies({ available: "7.00" }));
  test("then the key is free for another request", () => first().afterMs(hourMs).when(add("2", { key })).applies({ available: "8.00" }));
  test("a no is kept as long", () => {
    const no = (): ReturnType<typeof given> => given(wallet("5")).when(hold("6", { key })).rejects("INSUFFICIENT_FUNDS").when(add("1")).applies();
    no().afterMs(hourMs - 1).when(hold("6", { key })).replays();
    no().afterMs(hourMs).when(hold("6", { key })).applies();
  });
  test("a replay does not prolong it", () => first().afterMs(hourMs - 1).when(add("1", { key })).replays().afterMs(1).when(add("1", { key })).applies({ available: "7.00" }));
  test("a key used anew is kept anew, and replays what it was used for last", () => {
    const story = first().afterMs(hourMs).when(add("2", { key })).applies({ available: "8.00" });
    const second = story.answer;
    story.afterMs(hourMs - 1).when(add("2", { key }));
    expect(story.answer).toEqual({ ...second, replayed: true });
  });
  test("a no moves the ledger's clock as an operation does, so that nothing comes before it", () => {
    const story = given(wallet("5")).afterMs(hourMs).when(hold("6", { key })).rejects("INSUFFICIENT_FUNDS").afterMs(-hourMs).when(add("1")).applies();
    expect(story.wallet().updateTimeMs).toBe(startMs + hourMs);
    story.afterMs(2 * hourMs - 1).when(hold("6", { key })).replays().afterMs(1).when(hold("6", { key })).applies();
  });
});
