// Capturing: held money is spent, in parts or at once, never more of it than remains; it leaves the ledger, or goes to another wallet.

import { describe, expect, test } from "vitest";
import { activeHolds } from "../../../src/domain/totals.ts";
import { add, capture, close, freeze, given, held, hold, hourMs, limit, money, release, reverse, startMs, transfer, unfreeze, wallet } from "../../support/given.ts";

const key = "k1";
const rent = (): ReturnType<typeof given> => given(wallet("100.00"), held("30.00", { as: "rent" }));
const toBob = (): ReturnType<typeof given> => given(wallet("100.00"), held("30.00", { as: "rent" }), wallet("5.00", { user: "bob" }));

describe("a capture", () => {
  test("of all ends the hold", () =>
    rent()
      .when(capture("rent", "30.00"))
      .applies({ kind: "CAPTURE", amount: "30.00", available: "70.00", held: "0.00", version: 4n, hold: { status: "CAPTURED", captured: "30.00", remaining: "0.00" } })
      .leaves({ available: "70.00", held: "0.00", version: 4n }));
  test("of a part keeps the rest held", () =>
    rent()
      .when(capture("rent", "10.00"))
      .applies({ amount: "10.00", available: "70.00", held: "20.00", hold: { status: "ACTIVE", captured: "10.00", remaining: "20.00" } })
      .leaves({ available: "70.00", held: "20.00" }));
  test("of a part that is final gives the rest back", () =>
    rent()
      .when(capture("rent", "10.00", { final: true }))
      .applies({ amount: "10.00", available: "90.00", held: "0.00", hold: { status: "CAPTURED", captured: "10.00", remaining: "0.00" } })
      .leaves({ available: "90.00", held: "0.00" }));
  test("of all that is final is the same as of all", () => rent().when(capture("rent", "30.00", { final: true })).applies({ available: "70.00", held: "0.00", hold: { status: "CAPTURED" } }));
  test("in parts until nothing is left", () =>
    rent()
      .when(capture("rent", "10.00"), capture("rent", "0.01"), capture("rent", "19.99"))
      .applies({ held: "20.00", hold: { status: "ACTIVE", remaining: "20.00" } })
      .and.applies({ held: "19.99", hold: { status: "ACTIVE", captured: "10.01", remaining: "19.99" } })
      .and.applies({ amount: "19.99", available: "70.00", held: "0.00", hold: { status: "CAPTURED", captured: "30.00" } }));
  test("in parts, of which the last is final", () =>
    rent().when(capture("rent", "10"), capture("rent", "5", { final: true })).applies().and.applies({ amount: "5.00", available: "85.00", held: "0.00", hold: { status: "CAPTURED", captured: "15.00" } }));
  test("leaves other holds alone", () => given(wallet("10"), held("1", { as: "one" }), held("2")).when(capture("one", "1")).applies({ available: "7.00", held: "2.00" }));
  test("of a hold that the same batch places", () => given(wallet("10")).when(hold("4"), capture(3n, "3")).applies().and.applies({ available: "6.00", held: "1.00" }));
  test("of a hold whose period is over but that nobody released", () => rent().afterMs(hourMs).when(capture("rent", "30")).applies({ hold: { status: "CAPTURED" } }));
  test("marks the hold with the time only when it ends it", () => {
    const { ledger } = rent().afterMs(5).when(capture("rent", "10")).applies();
    expect(ledger.only.holds.get(3n)).toMatchObject({ status: "ACTIVE", resolveTimeMs: undefined, amountMinor: 3000n, capturedMinor: 1000n });
    const ended = rent().afterMs(5).when(capture("rent", "10", { final: true })).applies().ledger;
    expect(ended.only.holds.get(3n)).toMatchObject({ status: "CAPTURED", resolveTimeMs: startMs + 5, amountMinor: 3000n, capturedMinor: 1000n });
  });
  test("does not change when the hold becomes eligible", () => rent().afterMs(7).when(capture("rent", "1")).applies({ hold: { eligibleAfterMs: 600_000 } }));
});

describe("what remains after a part", () => {
  const part = (): ReturnType<typeof given> => rent().when(capture("rent", "10.00")).applies();
  test("is reversed", () => part().when(reverse("rent")).applies({ kind: "REVERSE", amount: "20.00", available: "90.00", held: "0.00", hold: { status: "REVERSED", captured: "10.00", remaining: "0.00" } }));
  test("is released", () => part().afterMs(hourMs).when(release()).releases(1, { USD: "20.00" }).leaves({ available: "90.00", held: "0.00" }));
  test("is not released when a final capture gave it back", () => rent().when(capture("rent", "10", { final: true })).applies().afterMs(hourMs).when(release()).releases(0).leaves({ available: "90.00" }));
});

describe("never more than remains", () => {
  test.each([["30.01", undefined], ["92233720368547758.07", undefined], ["30.01", true]])("of 30.00 not %s, final: %s", (amount, final = false) =>
    void rent()
      .when(capture("rent", amount, { final }))
      .rejects("CAPTURE_EXCEEDS_HOLD", { holdId: 3n, remaining: money("30.00"), requested: money(amount) })
      .leaves({ available: "70.00", held: "30.00", version: 3n }),
  );
  test("after a part, more than the rest", () => rent().when(capture("rent", "10")).applies().when(capture("rent", "20.01")).rejects("CAPTURE_EXCEEDS_HOLD", { remaining: money("20.00") }));
  test("what other holds hold does not count", () => given(wallet("100"), held("1", { as: "one" }), held("50")).when(capture("one", "2")).rejects("CAPTURE_EXCEEDS_HOLD"));
  test("an amount beyond 64 bits is out of range", () => rent().when(capture("rent", "92233720368547758.08")).rejects("AMOUNT_OUT_OF_RANGE", { field: "amount" }).changesNothing());
  test("an amount that the currency cannot express is too precise", () => rent().when(capture("rent", "0.001")).rejects("AMOUNT_TOO_PRECISE", { field: "amount", exponent: 2 }).changesNothing());
});

describe("a resolved hold stays resolved", () => {
  test("captured again", () => rent().when(capture("rent", "30")).applies().when(capture("rent", "1")).rejects("HOLD_NOT_ACTIVE", { holdId: 3n, status: "CAPTURED" }));
  test("captured again after a final part", () => rent().when(capture("rent", "1", { final: true }), capture("rent", "1")).applies().and.rejects("HOLD_NOT_ACTIVE", { status: "CAPTURED" }));
  test("captured after its reversal", () => rent().when(reverse("rent"), capture("rent", "1")).applies().and.rejects("HOLD_NOT_ACTIVE", { status: "REVERSED" }).leaves({ available: "100.00" }));
  test("captured after its release", () => rent().afterMs(hourMs).when(release()).when(capture("rent", "1")).rejects("HOLD_NOT_ACTIVE", { status: "RELEASED" }));
  test("reversed after its capture", () => rent().when(capture("rent", "30"), reverse("rent")).applies().and.rejects("HOLD_NOT_ACTIVE", { status: "CAPTURED" }).leaves({ available: "70.00" }));
  test("captured for more than it ever was: it is resolved all the same", () => rent().when(reverse("rent")).applies().when(capture("rent", "99")).rejects("HOLD_NOT_ACTIVE"));
});

describe("a hold that is not the caller's is not found", () => {
  test("because there is none", () => given(wallet("1")).when(capture(3n, "1")).rejects("HOLD_NOT_FOUND", { userId: "alice", holdId: 3n }));
  test("because the operation of that id is no hold", () => rent().when(capture(2n, "1")).rejects("HOLD_NOT_FOUND", { holdId: 2n }));
  test("because it is somebody else's", () => toBob().when(capture("rent", "1", { user: "bob" })).rejects("HOLD_NOT_FOUND", { userId: "bob", holdId: 3n }).leaves({ held: "30.00" }));
  test("not even where its owner would receive the money", () => toBob().when(capture("rent", "1", { user: "bob", to: "alice" })).rejects("HOLD_NOT_FOUND", { userId: "bob" }));
});

describe("a frozen wallet's hold", () => {
  const frozen = (): ReturnType<typeof given> => given(wallet("100"), held("30", { as: "rent" }), [freeze()]);
  test("is not captured", () => frozen().when(capture("rent", "30")).rejects("WALLET_FROZEN", { userId: "alice", currency: "USD" }).leaves({ held: "30.00", state: "FROZEN" }));
  test("is captured once the wallet is unfrozen", () => frozen().when(unfreeze(), capture("rent", "30")).applies().and.applies());
  test("is not captured in the batch that freezes", () => rent().when(freeze(), capture("rent", "30")).applies().and.rejects("WALLET_FROZEN"));
  test("that is resolved says so", () => frozen().when(reverse("rent")).applies().when(capture("rent", "1")).rejects("HOLD_NOT_ACTIVE", { status: "REVERSED" }));
});

test("a closed wallet's hold is resolved: closing waited for it", () =>
  void given(wallet("30"), held("30", { as: "rent" })).when(capture("rent", "30"), close(), capture("rent", "30")).applies().and.applies().and.rejects("HOLD_NOT_ACTIVE", { status: "CAPTURED" }));

describe("into another wallet", () => {
  test("the money arrives", () =>
    toBob()
      .when(capture("rent", "30", { to: "bob" }))
      .applies({ kind: "CAPTURE", amount: "30.00", available: "70.00", held: "0.00", version: 4n, hold: { status: "CAPTURED" }, receiver: { user: "bob", amount: "30.00", available: "35.00", held: "0.00", version: 3n } })
      .leaves({ available: "70.00", held: "0.00", version: 4n })
      .leaves({ available: "35.00", held: "0.00", version: 3n }, { user: "bob" }));
  test("of a final part the rest goes back to the payer, not to the receiver", () =>
    toBob().when(capture("rent", "10", { to: "bob", final: true })).applies({ available: "90.00", held: "0.00", receiver: { amount: "10.00", available: "15.00" } }));
  test("in parts to several wallets and out of the ledger", () =>
    given(wallet("30"), held("30", { as: "rent" }), wallet("0", { user: "bob" }), wallet("0", { user: "carol" }))
      .when(capture("rent", "5", { to: "bob" }), capture("rent", "6", { to: "carol" }), capture("rent", "7"))
      .applies({ receiver: { user: "bob", available: "5.00" } })
      .and.applies({ receiver: { user: "carol", available: "6.00" } })
      .and.applies({ held: "12.00" }));
  test("is available there at once", () => toBob().when(capture("rent", "30", { to: "bob" }), hold("35", { user: "bob" })).applies().and.applies({ available: "0.00", held: "35.00" }));
  test("both histories link to it", () => {
    const story = toBob().when(add("1"), add("1", { user: "bob" }), capture("rent", "30", { to: "bob" })).applies().and.applies().and.applies();
    expect(story.lastOperationOn()).toMatchObject({ sequence: 8n, walletId: 1n, previousSequence: 6n, receiver: { walletId: 4n, previousSequence: 7n } });
    expect(story.lastOperationOn({ user: "bob" }).sequence).toBe(8n);
  });
  test("to the receiver it is a transfer like any other", () => {
    const story = toBob().when(capture("rent", "10", { to: "bob", final: true })).applies();
    expect(story.wallet().totals).toMatchObject({ captures: { count: 1n, minor: 1000n }, capturedHolds: { count: 1n, minor: 1000n }, captureReturns: { count: 1n, minor: 2000n }, transfersOut: { count: 0n } });
    expect(story.wallet({ user: "bob" }).totals).toMatchObject({ captures: { count: 0n }, transfersIn: { count: 1n, minor: 1000n } });
    expect(activeHolds(story.wallet().totals)).toEqual({ count: 0n, minor: 0n });
  });
  test("the receiver's newest hold stays its newest", () => {
    const story = toBob().when(hold("1", { user: "bob" }), capture("rent", "10", { to: "bob" }), hold("2", { user: "bob" }), hold("3")).applies().and.applies().and.applies().and.applies();
    expect(story.ledger.only.holds.get(8n)).toMatchObject({ previousHoldId: 6n });
    expect(story.ledger.only.holds.get(9n)).toMatchObject({ previousHoldId: 3n });
    expect([story.wallet().lastHoldId, story.wallet({ user: "bob" }).lastHoldId]).toEqual([9n, 8n]);
  });
});

describe("the receiver", () => {
  test("may not be the payer", () => rent().when(capture("rent", "1", { to: "alice" })).rejects("SAME_WALLET", { userId: "alice" }).changesNothing());
  test("may not be the payer, whatever the hold: the request is wrong in itself", () => rent().when(capture(99n, "1", { to: "alice" })).rejects("SAME_WALLET"));
  test("needs a wallet", () => rent().when(capture("rent", "1", { to: "bob" })).rejects("WALLET_NOT_FOUND", { userId: "bob", currency: "USD" }).leaves({ held: "30.00" }));
  test("needs one in the hold's currency", () =>
    given(wallet("100"), held("30", { as: "rent" }), wallet("5", { user: "bob", currency: "EUR" })).when(capture("rent", "1", { to: "bob" })).rejects("WALLET_NOT_FOUND", { currency: "USD" }));
  test("receives in the hold's currency, whatever others it has", () =>
    given(wallet("9", { currency: "EUR", user: "bob" }), wallet("100"), wallet("5", { user: "bob" })).when(hold("1"), capture(7n, "1", { to: "bob" })).applies().and.applies({ receiver: { available: "6.00" } }));
  test("may be frozen", () => toBob().when(freeze({ user: "bob" }), capture("rent", "30", { to: "bob" })).applies().and.applies({ receiver: { available: "35.00", state: "FROZEN" } }));
  test("may not be closed", () =>
    given(wallet("100"), held("30", { as: "rent" }), wallet("0", { user: "bob" }), [close({ user: "bob" })])
      .when(capture("rent", "30", { to: "bob" }))
      .rejects("WALLET_CLOSED", { userId: "bob", currency: "USD" })
      .leaves({ available: "70.00", held: "30.00" }));
  test("is filled to its limit and not beyond", () => {
    const limited = (): ReturnType<typeof given> => toBob().when(limit("34.99", { user: "bob" })).applies();
    limited().when(capture("rent", "29.99", { to: "bob" })).applies({ receiver: { available: "34.99" } });
    limited().when(capture("rent", "30", { to: "bob" })).rejects("BALANCE_LIMIT_EXCEEDED", { toUserId: "bob", requested: money("30.00") }).leaves({ held: "30.00" });
  });
  test("does not tell the payer what is in it", () => {
    const story = toBob().when(limit("6", { user: "bob" }), capture("rent", "2", { to: "bob" })).applies().and.rejects("BALANCE_LIMIT_EXCEEDED");
    expect(story.answer).toEqual({ type: "rejected", replayed: false, rejection: { reason: "BALANCE_LIMIT_EXCEEDED", toUserId: "bob", requested: money("2.00") } });
  });
  test("is not looked at where the hold has not as much", () => toBob().when(limit("5", { user: "bob" }), capture("rent", "31", { to: "bob" })).applies().and.rejects("CAPTURE_EXCEEDS_HOLD"));
  test("the payer's own limit does not matter to what comes back", () => rent().when(limit("1"), capture("rent", "1", { final: true })).applies().and.applies({ available: "99.00" }));
});

describe("an asset whose decimals have changed between the two wallets' openings", () => {
  const points = { currency: "POINTS" };
  const changed = (): ReturnType<typeof given> =>
    given(wallet("100", points), held("30", { ...points, as: "rent" })).servedWith({ POINTS: 2 }).when(...wallet("5", { ...points, user: "bob" })).applies();
  test("each wallet counts in its own minor units", () => {
    const story = changed().when(capture("rent", "7", { to: "bob" })).applies({ amount: "7", held: "23", receiver: { amount: "7.00", available: "12.00" } });
    expect(story.lastOperationOn(points)).toMatchObject({ amountMinor: 7n, receiver: { amountMinor: 700n } });
  });
  test("nothing is rounded for the one that has fewer", () =>
    changed().when(hold("2", { ...points, user: "bob" }), capture(6n, "0.5", { user: "bob", to: "alice" })).applies().and.rejects("AMOUNT_TOO_PRECISE", { field: "amount", exponent: 0 }));
});

describe("under a key", () => {
  test("answers the same after the hold has ended and both wallets have changed", () =>
    toBob()
      .when(capture("rent", "10", { to: "bob", key }))
      .applies()
      .when(capture("rent", "20"), transfer("15", "bob"), add("1", { user: "bob" }))
      .applies()
      .when(capture("rent", "10", { to: "bob", key }))
      .replays()
      .changesNothing());
  test("answers the same after the wallet was closed", () =>
    given(wallet("30"), held("30", { as: "rent" })).when(capture("rent", "30", { key })).applies().when(close()).applies().when(capture("rent", "30", { key })).replays());
  test.each([
    ["another receiver", capture("rent", "10", { to: "carol", key })],
    ["no receiver", capture("rent", "10", { key })],
    ["an end", capture("rent", "10", { to: "bob", final: true, key })],
    ["another amount", capture("rent", "11", { to: "bob", key })],
    ["another hold", capture(99n, "10", { to: "bob", key })],
  ])("is another request with %s", (_, other) => void toBob().when(capture("rent", "10", { to: "bob", key })).applies().when(other).rejects("IDEMPOTENCY_KEY_REUSED"));
  test("a no is remembered: too much", () => rent().when(capture("rent", "31", { key })).rejects("CAPTURE_EXCEEDS_HOLD").when(capture("rent", "31", { key })).replays());
  test("a no is remembered: frozen", () => rent().when(freeze()).applies().when(capture("rent", "1", { key })).rejects("WALLET_FROZEN").when(unfreeze()).applies().when(capture("rent", "1", { key })).replays().leaves({ held: "30.00" }));
  test("to oneself is not remembered", () => rent().when(capture("rent", "1", { to: "alice", key })).rejects("SAME_WALLET").when(capture("rent", "1", { key })).applies());
});

describe("preconditions", () => {
  test("the version is the payer's", () => {
    toBob().when(capture("rent", "1", { to: "bob", expectedVersion: 3n })).applies({ version: 4n });
    toBob().when(capture("rent", "1", { to: "bob", expectedVersion: 2n })).rejects("VERSION_MISMATCH", { expectedVersion: 2n, actualVersion: 3n }).changesNothing();
  });
  test("validate_only answers as if done, of both wallets, and changes neither", () => {
    const story = toBob().when(capture("rent", "10", { to: "bob", final: true, key, validateOnly: true })).applies().changesNothing().leaves({ held: "30.00" });
    const told = story.answer;
    expect(story.when(capture("rent", "10", { to: "bob", final: true, key })).applies().answer).toEqual(told);
  });
});
