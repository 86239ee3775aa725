// Freezing, unfreezing and closing: what each forbids, what goes on all the same, and that closing is final.

import { describe, expect, test } from "vitest";
import { add, capture, close, extend, freeze, given, held, hold, hourMs, init, limit, money, release, reverse, transfer, unfreeze, wallet, withdraw } from "../../support/given.ts";

const key = "k1";
const bob = { user: "bob" };
const owner = { userId: "alice", currency: "USD" };
const busy = (): ReturnType<typeof given> => given(wallet("100.00"), held("30.00", { as: "rent" }), wallet("50.00", bob));
const frozen = (): ReturnType<typeof given> => busy().when(freeze()).applies();
const empty = (): ReturnType<typeof given> => given(wallet("0"), wallet("50.00", bob));
const closed = (): ReturnType<typeof given> => empty().when(close()).applies();

describe("freezing", () => {
  test("changes the state and no money", () =>
    busy().when(freeze()).applies({ kind: "FREEZE", amount: "0.00", available: "70.00", held: "30.00", version: 4n, state: "FROZEN" }).leaves({ available: "70.00", held: "30.00", version: 4n, state: "FROZEN" }));
  test("what is frozen is refused", () => frozen().when(freeze()).rejects("WALLET_FROZEN", owner).leaves({ version: 4n }));
  test("what is closed is refused", () => closed().when(freeze()).rejects("WALLET_CLOSED", owner).leaves({ state: "CLOSED" }));
  test("an empty wallet", () => empty().when(freeze()).applies({ state: "FROZEN" }));
  test("leaves others alone: another user's and another currency's", () =>
    given(wallet("1"), wallet("1", bob), wallet("1", { currency: "EUR" }), [freeze()]).when(hold("1", bob), hold("1", { currency: "EUR" })).applies().and.applies().leaves({ state: "ACTIVE" }, bob));
});

describe("while frozen, nothing is held and nothing leaves", () => {
  test.each([
    ["a hold", hold("1")],
    ["a withdrawal", withdraw("1")],
    ["a transfer out", transfer("1", "bob")],
    ["a capture", capture("rent", "1")],
    ["a capture into another wallet", capture("rent", "1", { to: "bob" })],
    ["a final capture", capture("rent", "1", { final: true })],
  ])("not by %s", (_, request) => {
    frozen().when(request).rejects("WALLET_FROZEN", owner).leaves({ available: "70.00", held: "30.00", version: 4n });
    frozen().when(unfreeze(), request).applies().and.applies();
  });
});

describe("while frozen, what gives back or comes in goes on", () => {
  test("an addition", () => frozen().when(add("1")).applies({ available: "71.00", state: "FROZEN" }));
  test("a transfer in", () => frozen().when(transfer("1", "alice", bob)).applies({ receiver: { available: "71.00", state: "FROZEN" } }));
  test("a capture of another's hold", () => frozen().when(hold("1", bob), capture(7n, "1", { ...bob, to: "alice" })).applies().and.applies({ receiver: { available: "71.00", state: "FROZEN" } }));
  test("a reversal", () => frozen().when(reverse("rent")).applies({ available: "100.00", held: "0.00", state: "FROZEN" }));
  test("a release", () => frozen().afterMs(hourMs).when(release()).releases(1, { USD: "30.00" }).leaves({ available: "100.00", held: "0.00", state: "FROZEN" }));
  test("an extension", () => frozen().when(extend("rent", hourMs)).applies({ state: "FROZEN" }));
  test("a limit", () => frozen().when(limit("500")).applies({ state: "FROZEN" }).leaves({ balanceMax: "500.00", state: "FROZEN" }));
  test("closing", () => given(wallet("0"), [freeze()]).when(close()).applies({ kind: "CLOSE", state: "CLOSED" }));
});

describe("unfreezing", () => {
  test("makes the wallet active again", () => frozen().when(unfreeze()).applies({ kind: "UNFREEZE", amount: "0.00", available: "70.00", held: "30.00", version: 5n, state: "ACTIVE" }).leaves({ state: "ACTIVE", version: 5n }));
  test("what is not frozen changes nothing but its version", () => busy().when(unfreeze()).applies({ state: "ACTIVE", available: "70.00", version: 4n }));
  test("what is closed is refused", () => closed().when(unfreeze()).rejects("WALLET_CLOSED", owner).leaves({ state: "CLOSED" }));
  test("and freezing again, in one batch", () => busy().when(freeze(), hold("1"), unfreeze(), hold("1"), freeze(), hold("1")).applies().and.rejects("WALLET_FROZEN").and.applies().and.applies().and.applies().and.rejects("WALLET_FROZEN"));
});

describe("closing", () => {
  test("ends an empty wallet", () => empty().when(close()).applies({ kind: "CLOSE", amount: "0.00", available: "0.00", held: "0.00", version: 2n, state: "CLOSED" }).leaves({ version: 2n, state: "CLOSED" }));
  test.each([["0.01", "0.00"], ["100.00", "0.00"], ["100.00", "30.00"], ["30.00", "30.00"], ["92233720368547758.07", "0.00"]])("needs zero total: of %s %s held", (total, heldAmount) => {
    const story = given(wallet(total), heldAmount === "0.00" ? [] : held(heldAmount));
    const { availableMinor, heldMinor, version } = story.wallet();
    story.when(close()).rejects("WALLET_NOT_EMPTY", { available: { ...money("0"), minor: availableMinor }, held: { ...money("0"), minor: heldMinor } }).leaves({ state: "ACTIVE", version });
  });
  test("needs zero total of a frozen one, too", () => frozen().when(close()).rejects("WALLET_NOT_EMPTY", { available: money("70.00"), held: money("30.00") }));
  test("after its money has left, in the same batch", () => busy().when(reverse("rent"), withdraw("40"), transfer("60", "bob"), close()).applies().and.applies().and.applies().and.applies({ state: "CLOSED" }));
  test("twice is refused", () => closed().when(close()).rejects("WALLET_CLOSED", owner).leaves({ version: 2n }));
  test("leaves the user's other wallets alone", () => given(wallet("0"), wallet("1", { currency: "EUR" })).when(close(), hold("1", { currency: "EUR" })).applies().and.applies());
});

describe("once closed, nothing of it changes", () => {
  test.each([
    ["an addition", add("1")],
    ["a hold", hold("1")],
    ["a withdrawal", withdraw("1")],
    ["a transfer out", transfer("1", "bob")],
    ["a limit", limit("1")],
    ["freezing", freeze()],
    ["unfreezing", unfreeze()],
    ["closing", close()],
  ])("not by %s", (_, request) => void closed().when(request).rejects("WALLET_CLOSED", owner).leaves({ available: "0.00", version: 2n, state: "CLOSED" }));
  test("not by a transfer in", () => closed().when(transfer("1", "alice", bob)).rejects("WALLET_CLOSED", owner).leaves({ available: "50.00" }, bob));
  test("not by a capture of another's hold", () => closed().when(hold("1", bob), capture(5n, "1", { ...bob, to: "alice" })).applies().and.rejects("WALLET_CLOSED", owner));
  test("its holds are resolved and stay so", () => {
    const resolved = (): ReturnType<typeof given> => given(wallet("5"), held("5", { as: "rent" })).when(reverse("rent"), withdraw("5"), close()).applies().and.applies().and.applies();
    resolved().when(reverse("rent")).rejects("HOLD_NOT_ACTIVE", { status: "REVERSED" });
    resolved().when(capture("rent", "1")).rejects("HOLD_NOT_ACTIVE");
    resolved().when(extend("rent", hourMs)).rejects("HOLD_NOT_ACTIVE");
    resolved().afterMs(hourMs).when(release()).releases(0);
  });
  test("not even by opening it again", () => closed().when(init()).rejects("WALLET_EXISTS", owner).leaves({ state: "CLOSED" }));
  test("another currency may still be opened", () => closed().when(init("EUR")).applies());
});

const verbs = [
  ["freezing", freeze],
  ["unfreezing", unfreeze],
  ["closing", close],
] as const;

describe.each(verbs)("%s", (_, change) => {
  test("needs a wallet", () => given().when(change()).rejects("WALLET_NOT_FOUND", owner));
  test("needs one in that currency", () => empty().when(change({ currency: "EUR" })).rejects("WALLET_NOT_FOUND", { userId: "alice", currency: "EUR" }));
  test("needs a known currency", () => empty().when(change({ currency: "XXX" })).rejects("UNKNOWN_CURRENCY", { currency: "XXX" }).changesNothing());
  test("means the only one where no currency is said", () => given(wallet("0", { currency: "JPY" })).when(change({ currency: undefined })).applies());
  test("means none of several where no currency is said", () => given(wallet("0"), wallet("0", { currency: "EUR" })).when(change({ currency: undefined })).rejects("CURRENCY_REQUIRED", { currencies: ["EUR", "USD"] }).changesNothing());
  test("takes a version that is right", () => empty().when(change({ expectedVersion: 1n })).applies({ version: 2n }));
  test("takes no version that is wrong", () => empty().when(change({ expectedVersion: 2n })).rejects("VERSION_MISMATCH", { expectedVersion: 2n, actualVersion: 1n }).changesNothing());
  test("the version comes before the state", () => closed().when(change({ expectedVersion: 1n })).rejects("VERSION_MISMATCH", { actualVersion: 2n }));
  test("is an operation in the wallet's history, without hold, receiver or amount", () =>
    expect(empty().when(change()).applies().lastOperationOn()).toMatchObject({ walletId: 1n, previousSequence: 1n, amountMinor: 0n, hold: undefined, receiver: undefined, opened: undefined }));
  test("keeps limit, holds and counters", () => {
    const story = given(wallet("9", { balanceMax: "10" })).when(hold("9"), capture(3n, "9")).applies().and.applies();
    const { totals, lastHoldId, balanceMaxMinor } = story.wallet();
    expect(story.when(change()).applies().wallet()).toMatchObject({ totals, lastHoldId, balanceMaxMinor });
  });
  test("under a key answers the same, whatever the wallet has become", () =>
    empty().when(change({ key })).applies().when(change({ key })).replays().changesNothing().when(unfreeze(), close()).when(change({ key })).replays().changesNothing());
  test("under a key remembers a no", () => {
    const story = given().when(change({ key })).rejects("WALLET_NOT_FOUND").when(init()).applies();
    story.when(change({ key })).replays().changesNothing().leaves({ state: "ACTIVE" });
  });
  test("validate_only answers as if done and does nothing", () => {
    const story = empty().when(change({ key, validateOnly: true })).applies({ version: 2n }).changesNothing().leaves({ state: "ACTIVE", version: 1n });
    const told = story.answer;
    expect(story.when(change({ key })).applies().answer).toEqual(told);
  });
});

describe("a remembered no stays one", () => {
  test("not empty, after it was emptied", () => busy().when(close({ key })).rejects("WALLET_NOT_EMPTY").when(reverse("rent"), withdraw("100")).applies().and.applies().when(close({ key })).replays().leaves({ state: "ACTIVE" }));
  test("frozen already, after it was unfrozen", () => frozen().when(freeze({ key })).rejects("WALLET_FROZEN").when(unfreeze()).applies().when(freeze({ key })).replays().leaves({ state: "ACTIVE" }));
  test("a key of one of the three is not one of another", () => empty().when(freeze({ key }), unfreeze({ key }), close({ key })).applies().and.rejects("IDEMPOTENCY_KEY_REUSED").and.rejects("IDEMPOTENCY_KEY_REUSED"));
});

test("validate_only of closing says no as it would", () => void busy().when(close({ validateOnly: true })).rejects("WALLET_NOT_EMPTY").changesNothing());
