// Money bugs that other wallets really had, each as the story in which it would show here.

import { describe, expect, test } from "vitest";
import { activeHolds } from "../../../src/domain/totals.ts";
import { add, capture, close, extend, freeze, given, held, hold, hourMs, minuteMs, money, release, reverse, transfer, unfreeze, wallet, withdraw, type Story } from "../../support/given.ts";

const key = "k1";
const bob = { user: "bob" };
const all64Bits = "92233720368547758.07";
const rent = (): Story => given(wallet("100.00"), held("30.00", { as: "rent" }));
const pair = (): Story => given(wallet("100.00"), held("30.00", { as: "rent" }), wallet("5.00", bob));

/** Money is neither made nor lost: what all wallets have is what was added, less what was withdrawn and what was captured out of the ledger. */
function conserves(story: Story): void {
  const { wallets, records } = story.ledger.only;
  const there = [...wallets.values()].reduce((sum, each) => sum + each.availableMinor + each.heldMinor, 0n);
  const came = [...records.values()].reduce((sum, { kind, amountMinor, receiver }) => {
    if (kind === "ADD") return sum + amountMinor;
    return kind === "WITHDRAW" || (kind === "CAPTURE" && receiver === undefined) ? sum - amountMinor : sum;
  }, 0n);
  expect(there).toBe(came);
  for (const each of wallets.values()) expect(activeHolds(each.totals).minor).toBe(each.heldMinor);
}

describe("the same key twice in one batch moves money once", () => {
  test.each([
    ["an addition", add("10", { key }), "80.00", "30.00"],
    ["a hold", hold("10", { key }), "60.00", "40.00"],
    ["a withdrawal", withdraw("10", { key }), "60.00", "30.00"],
    ["a transfer", transfer("10", "bob", { key }), "60.00", "30.00"],
    ["a partial capture", capture("rent", "10", { key }), "70.00", "20.00"],
    ["a final capture", capture("rent", "10", { final: true, key }), "90.00", "0.00"],
    ["a capture into another wallet", capture("rent", "10", { to: "bob", key }), "70.00", "20.00"],
    ["a reversal", reverse("rent", { key }), "100.00", "0.00"],
  ])("%s", (_, request, available, heldAfter) => {
    const story = pair().when(request, request, request).applies().and.replays().and.replays().leaves({ available, held: heldAfter, version: 4n });
    expect(story.ledger.only.head.sequence).toBe(6n);
    conserves(story);
  });
});

describe("two captures racing for what remains: together never more than was held", () => {
  const threeWallets = (): Story => given(wallet("30"), held("30", { as: "rent" }), wallet("0", bob), wallet("0", { user: "carol" }));
  const small = capture("rent", "10.00");
  const large = capture("rent", "20.01");
  test("the smaller first", () => conserves(rent().when(small, large).applies({ held: "20.00" }).and.rejects("CAPTURE_EXCEEDS_HOLD", { remaining: money("20.00"), requested: money("20.01") }).leaves({ available: "70.00", held: "20.00" })));
  test("the larger first", () => conserves(rent().when(large, small).applies({ held: "9.99" }).and.rejects("CAPTURE_EXCEEDS_HOLD", { remaining: money("9.99") }).leaves({ available: "70.00", held: "9.99" })));
  test("both for all of it", () => conserves(rent().when(capture("rent", "30"), capture("rent", "30")).applies({ held: "0.00" }).and.rejects("HOLD_NOT_ACTIVE", { status: "CAPTURED" }).leaves({ available: "70.00", held: "0.00" })));
  test("into two wallets", () =>
    conserves(threeWallets().when(capture("rent", "30", { to: "bob" }), capture("rent", "30", { to: "carol" })).applies().and.rejects("HOLD_NOT_ACTIVE").leaves({ available: "0.00" }, { user: "carol" })));
  test("a final one first: what it gave back is not captured", () => conserves(rent().when(capture("rent", "10", { final: true }), large).applies().and.rejects("HOLD_NOT_ACTIVE", { status: "CAPTURED" }).leaves({ available: "90.00", held: "0.00" })));
});

describe("a capture against the release at the deadline", () => {
  const at = (ageMs: number): Story => rent().afterMs(ageMs);
  test("one millisecond before, the release finds nothing and the capture has it all", () =>
    conserves(at(10 * minuteMs - 1).when(release()).releases(0).changesNothing().when(capture("rent", "30")).applies().leaves({ available: "70.00", held: "0.00" })));
  test("at the millisecond, the release first: the capture is refused", () =>
    conserves(at(10 * minuteMs).when(release()).releases(1, { USD: "30.00" }).when(capture("rent", "30")).rejects("HOLD_NOT_ACTIVE", { status: "RELEASED" }).leaves({ available: "100.00", held: "0.00" })));
  test("at the millisecond, the capture first: nothing is released", () =>
    conserves(at(10 * minuteMs).when(capture("rent", "30")).applies({ hold: { status: "CAPTURED" } }).when(release()).releases(0).changesNothing().leaves({ available: "70.00", held: "0.00" })));
  test("at the millisecond, a partial capture first: the rest is released and no more", () =>
    conserves(at(10 * minuteMs).when(capture("rent", "10")).applies().when(release()).releases(1, { USD: "20.00" }).when(capture("rent", "20")).rejects("HOLD_NOT_ACTIVE").leaves({ available: "90.00", held: "0.00" })));
  test("extended at the millisecond, the capture wins", () => conserves(at(10 * minuteMs).when(extend("rent", hourMs)).applies().when(release()).releases(0).when(capture("rent", "30")).applies()));
  test("a reversal at the millisecond, either order, gives back once", () => {
    conserves(at(10 * minuteMs).when(reverse("rent")).applies().when(release()).releases(0).leaves({ available: "100.00", held: "0.00" }));
    conserves(at(10 * minuteMs).when(release()).releases(1, { USD: "30.00" }).when(reverse("rent")).rejects("HOLD_NOT_ACTIVE", { status: "RELEASED" }).leaves({ available: "100.00", held: "0.00" }));
  });
});

describe("a transfer to oneself makes no money", () => {
  test("it is refused", () => conserves(rent().when(transfer("50", "alice")).rejects("SAME_WALLET", { userId: "alice" }).changesNothing().leaves({ available: "70.00", held: "30.00" })));
  test("a capture of one's own hold into one's own wallet, too", () => conserves(rent().when(capture("rent", "30", { to: "alice" })).rejects("SAME_WALLET").changesNothing()));
});

describe("a transfer racing the receiver's close: the money never lies in a closed wallet", () => {
  const receiverIsEmpty = (): Story => given(wallet("100"), wallet("0", bob));
  test("the transfer first", () => conserves(receiverIsEmpty().when(transfer("30", "bob"), close(bob)).applies().and.rejects("WALLET_NOT_EMPTY", { available: money("30.00") }).leaves({ available: "30.00", state: "ACTIVE" }, bob)));
  test("the close first", () => conserves(receiverIsEmpty().when(close(bob), transfer("30", "bob")).applies().and.rejects("WALLET_CLOSED", { userId: "bob" }).leaves({ available: "100.00" }).leaves({ available: "0.00", state: "CLOSED" }, bob)));
});

describe("a transfer racing the payer's close", () => {
  test("the transfer of all first: then the wallet is empty and closes", () => conserves(given(wallet("30"), wallet("0", bob)).when(transfer("30", "bob"), close()).applies().and.applies().leaves({ state: "CLOSED" }).leaves({ available: "30.00" }, bob)));
  test("the close first: it waits for the money to leave", () => conserves(given(wallet("30"), wallet("0", bob)).when(close(), transfer("30", "bob")).rejects("WALLET_NOT_EMPTY").and.applies().leaves({ available: "0.00", state: "ACTIVE" })));
});

describe("a reversal retried after it worked gives back once", () => {
  test("with its key it is told so again", () => conserves(rent().when(reverse("rent", { key })).applies().when(reverse("rent", { key })).replays().changesNothing().leaves({ available: "100.00", held: "0.00" })));
  test("without a key it is told that the hold is resolved", () => conserves(rent().when(reverse("rent")).applies().when(reverse("rent")).rejects("HOLD_NOT_ACTIVE", { status: "REVERSED" }).changesNothing().leaves({ available: "100.00", held: "0.00" })));
  test("while other money is held, that stays held", () => conserves(given(wallet("100"), held("30", { as: "rent" }), held("30")).when(reverse("rent"), reverse("rent")).applies().and.rejects("HOLD_NOT_ACTIVE").leaves({ available: "70.00", held: "30.00" })));
});

describe("a frozen wallet's hold does not stay held for ever", () => {
  const frozen = (): Story => rent().when(freeze()).applies();
  test("it is released when it is due", () => conserves(frozen().afterMs(10 * minuteMs).when(release()).releases(1, { USD: "30.00" }).leaves({ available: "100.00", held: "0.00", state: "FROZEN" })));
  test("and not before", () => frozen().afterMs(10 * minuteMs - 1).when(release()).releases(0));
  test("and what came back does not leave until the wallet is unfrozen", () =>
    conserves(frozen().afterMs(hourMs).when(release()).when(withdraw("100")).rejects("WALLET_FROZEN").when(unfreeze(), withdraw("100")).applies().and.applies({ available: "0.00" })));
});

describe("a rejected operation's key sent again after a top-up is still rejected", () => {
  test.each([
    ["a hold", hold("80", { key })],
    ["a withdrawal", withdraw("80", { key })],
    ["a transfer", transfer("80", "bob", { key })],
  ])("%s", (_, request) =>
    conserves(pair().when(request).rejects("INSUFFICIENT_FUNDS").when(add("1000")).applies().when(request).replays().changesNothing().leaves({ available: "1070.00", held: "30.00" }).leaves({ available: "5.00" }, bob)),
  );
  test("in one batch with the top-up", () => conserves(pair().when(withdraw("80", { key }), add("1000"), withdraw("80", { key })).rejects("INSUFFICIENT_FUNDS").and.applies().and.replays().leaves({ available: "1070.00" })));
  test("a new key is a new attempt", () => conserves(pair().when(withdraw("80", { key }), add("1000"), withdraw("80", { key: "k2" })).rejects("INSUFFICIENT_FUNDS").and.applies().and.applies({ available: "990.00" })));
});

describe("an operation that would overflow the receiver's 64 bits leaves both as they were", () => {
  const full = (): Story => given(wallet("100"), held("30", { as: "rent" }), wallet(all64Bits, bob));
  const refusal = { toUserId: "bob", requested: money("0.01") };
  test("a transfer", () => conserves(full().when(transfer("0.01", "bob")).rejects("BALANCE_LIMIT_EXCEEDED", refusal).leaves({ available: "70.00", held: "30.00", version: 3n }).leaves({ available: all64Bits }, bob)));
  test("a capture", () => conserves(full().when(capture("rent", "0.01", { to: "bob" })).rejects("BALANCE_LIMIT_EXCEEDED", refusal).leaves({ available: "70.00", held: "30.00", version: 3n }).leaves({ available: all64Bits }, bob)));
  test("a final capture", () => conserves(full().when(capture("rent", "0.01", { to: "bob", final: true })).rejects("BALANCE_LIMIT_EXCEEDED").leaves({ available: "70.00", held: "30.00" })));
  test("an addition", () => conserves(full().when(add("0.01", bob)).rejects("BALANCE_LIMIT_EXCEEDED", { total: money(all64Bits) }).leaves({ available: all64Bits }, bob)));
  test("what the receiver holds counts", () => conserves(given(wallet("100"), wallet(all64Bits, bob), held(all64Bits, bob)).when(transfer("0.01", "bob")).rejects("BALANCE_LIMIT_EXCEEDED").leaves({ available: "100.00" })));
  test("and the money can go elsewhere afterwards", () =>
    conserves(full().when(transfer("70", "bob"), withdraw("70"), transfer("100", "alice", bob), capture("rent", "30", { to: "bob" })).rejects("BALANCE_LIMIT_EXCEEDED").and.applies().and.applies().and.applies()));
});
