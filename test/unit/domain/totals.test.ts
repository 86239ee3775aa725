// Counters: what they count, how they are added up, and how they are kept beyond 64 bits.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { activeHolds, counted, noTotals, type Total, type Totals } from "../../../src/domain/totals.ts";
import { decodeTotals, encodeTotals } from "../../../src/store/totals-encoding.ts";
import { totals } from "../../support/arbitrary.ts";
import { add, capture, extend, freeze, given, held, hold, hourMs, limit, money, release, reverse, transfer, unfreeze, wallet, withdraw } from "../../support/given.ts";

const none = { count: 0n, minor: 0n };

const busy = (): ReturnType<typeof given> =>
  given(wallet("100"), held("1", { as: "one" }), held("2", { periodMs: 0 }), held("4", { as: "four" }), wallet("50", { user: "bob" }))
    .when(reverse("one"))
    .applies()
    .when(release())
    .releases(1, { USD: "2.00" })
    .when(hold("8"), hold("1000"), add("1", { validateOnly: true }))
    .applies();
const dollars = (count: bigint, amount: string): Total => ({ count, minor: money(amount).minor });

const ofAlice = { ...noTotals, adds: dollars(1n, "100"), holds: dollars(4n, "15"), releases: dollars(1n, "2"), reversals: dollars(1n, "1") };

describe("kept with every operation", () => {
  test("a wallet's own", () => expect(busy().wallet().totals).toEqual(ofAlice));
  test("nobody else's", () => expect(busy().wallet({ user: "bob" }).totals).toEqual({ ...noTotals, adds: dollars(1n, "50") }));
  test("its currency's", () => expect(busy().ledger.only.currencyTotals.get("USD:2")?.totals).toEqual({ ...ofAlice, adds: dollars(2n, "150") }));
  test("each currency's own", () => {
    const { currencyTotals } = given(wallet("1"), wallet("7", { currency: "JPY" })).ledger.only;
    expect([...currencyTotals.values()].map(({ currency, exponent, totals: each }) => [currency, exponent, each.adds.minor])).toEqual([["USD", 2, 100n], ["JPY", 0, 7n]]);
  });
  test("what is active follows", () => {
    expect(activeHolds(busy().wallet().totals)).toEqual(dollars(2n, "12"));
    const story = busy().when(reverse("four")).applies().afterMs(hourMs).when(release()).releases(1, { USD: "8.00" });
    expect(activeHolds(story.wallet().totals)).toEqual(none);
  });
  test("money that leaves and comes in, each under its own kind, in the wallet that it happens to", () => {
    const story = given(wallet("100"), wallet("0", { user: "bob" }), held("30", { as: "rent" }))
      .when(withdraw("1"), transfer("2", "bob"), transfer("4", "bob"), capture("rent", "8", { to: "bob" }), capture("rent", "16"))
      .applies();
    const paid = { ...noTotals, adds: dollars(1n, "100"), holds: dollars(1n, "30"), captures: dollars(2n, "24"), withdrawals: dollars(1n, "1"), transfersOut: dollars(2n, "6") };
    expect(story.wallet().totals).toEqual(paid);
    expect(story.wallet({ user: "bob" }).totals).toEqual({ ...noTotals, transfersIn: dollars(3n, "14") });
    expect(story.ledger.only.currencyTotals.get("USD:2")?.totals).toEqual({ ...paid, transfersIn: dollars(3n, "14") });
  });
  test("a hold that is captured to its end, with all that was captured of it and what it gave back", () => {
    const ended = { ...noTotals, adds: dollars(1n, "100"), holds: dollars(2n, "40"), captures: dollars(3n, "20"), capturedHolds: dollars(2n, "20"), captureReturns: dollars(1n, "20") };
    const story = given(wallet("100"), held("30", { as: "rent" }), held("10", { as: "food" }));
    story.when(capture("rent", "4"), capture("rent", "6", { final: true }), capture("food", "10", { final: true })).applies().and.applies().and.applies();
    expect(story.wallet().totals).toEqual(ended);
    expect(activeHolds(ended)).toEqual(none);
  });
  test("of a hold that was captured in part what remained: active, reversed or released", () => {
    const captured = (): ReturnType<typeof given> => given(wallet("30"), held("30", { as: "rent" })).when(capture("rent", "4")).applies();
    const kept = { ...noTotals, adds: dollars(1n, "30"), holds: dollars(1n, "30"), captures: dollars(1n, "4") };
    expect(captured().wallet().totals).toEqual(kept);
    expect(activeHolds(kept)).toEqual(dollars(1n, "26"));
    const reversed = captured().when(reverse("rent")).applies().wallet().totals;
    expect(reversed).toEqual({ ...kept, reversals: dollars(1n, "26") });
    const released = captured().afterMs(hourMs).when(release()).releases(1, { USD: "26.00" }).wallet().totals;
    expect(released).toEqual({ ...kept, releases: dollars(1n, "26") });
    expect([activeHolds(reversed), activeHolds(released)]).toEqual([none, none]);
  });
  test("what moves no money is not counted", () => {
    const before = given(wallet("10"), held("10", { as: "rent" }));
    const { totals: kept } = before.wallet();
    expect(before.when(extend("rent", hourMs), freeze(), unfreeze(), limit("1")).applies().and.applies().and.applies().and.applies().wallet().totals).toEqual(kept);
  });
  test("a replay is not counted again", () =>
    expect(given(wallet("1")).when(add("1", { key: "k" }), add("1", { key: "k" })).applies().and.replays().wallet().totals.adds).toEqual(dollars(2n, "2")));
});

test("one more is counted under its own kind alone", () => {
  fc.assert(
    fc.property(totals, fc.bigInt(0n, 2n ** 63n), (before, minor) => {
      const { holds, ...others } = counted(before, "holds", minor);
      const { holds: holdsBefore, ...othersBefore } = before;
      expect(holds).toEqual({ count: holdsBefore.count + 1n, minor: holdsBefore.minor + minor });
      expect(others).toEqual(othersBefore);
    }),
  );
});

describe("the stored form", () => {
  test.each<[string, Totals, string]>([
    ["nothing", noTotals, ""],
    ["one addition of 1.00", { ...noTotals, adds: { count: 1n, minor: 100n } }, "010164"],
    ["127 and 128", { ...noTotals, holds: { count: 127n, minor: 128n } }, "027f8001"],
    ["an operation that moved nothing", { ...noTotals, releases: { count: 1n, minor: 0n } }, "030100"],
    ["four kinds", { ...noTotals, adds: { count: 1n, minor: 2n }, holds: { count: 3n, minor: 4n }, releases: { count: 5n, minor: 6n }, reversals: { count: 7n, minor: 8n } }, "010102020304030506040708"],
    ["two captures that ended one hold and returned 3", { ...noTotals, captures: { count: 2n, minor: 9n }, capturedHolds: { count: 1n, minor: 9n }, captureReturns: { count: 1n, minor: 3n } }, "050209060109070103"],
    ["what came and went", { ...noTotals, withdrawals: { count: 1n, minor: 2n }, transfersOut: { count: 3n, minor: 4n }, transfersIn: { count: 5n, minor: 6n } }, "0801020903040a0506"],
    ["2^49 less one, and 2^49", { ...noTotals, adds: { count: 2n ** 49n - 1n, minor: 2n ** 49n } }, "01ffffffffffff7f8080808080808001"],
    ["2^56 and one more", { ...noTotals, adds: { count: 1n, minor: 2n ** 56n + 1n } }, "0101818080808080808001"],
    ["2^64", { ...noTotals, adds: { count: 1n, minor: 2n ** 64n } }, "010180808080808080808002"],
  ])("of %s", (_, each, hex) => {
    expect(Buffer.from(encodeTotals(each)).toString("hex")).toBe(hex);
    expect(decodeTotals(Buffer.from(hex, "hex"))).toEqual(each);
  });

  test("reads back as it was written, however large", () => {
    fc.assert(
      fc.property(totals, (each) => {
        expect(decodeTotals(encodeTotals(each))).toEqual(each);
      }),
    );
  });

  test.each([
    ["ends in the middle of a number", "0180"],
    ["ends before the amount", "0101"],
    ["has a kind that this version does not know", "1f0101"],
    ["has no kind", "00"],
  ])("that %s is refused", (_, hex) => expect(() => decodeTotals(Buffer.from(hex, "hex"))).toThrow(RangeError));
});
