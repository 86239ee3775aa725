// Counters: what they count, how they are added up, and how they are kept beyond 64 bits.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { activeHolds, counted, noTotals, type Totals } from "../../../src/domain/totals.ts";
import { decodeTotals, encodeTotals } from "../../../src/store/totals-encoding.ts";
import { totals } from "../../support/arbitrary.ts";
import { add, given, held, hold, hourMs, money, release, reverse, wallet } from "../../support/given.ts";

const none = { count: 0n, minor: 0n };

const busy = (): ReturnType<typeof given> =>
  given(wallet("100"), held("1", { as: "one" }), held("2", { periodMs: 0 }), held("4", { as: "four" }), wallet("50", { user: "bob" }))
    .when(reverse("one"))
    .applies()
    .when(release())
    .releases(1, { USD: "2.00" })
    .when(hold("8"), hold("1000"), add("1", { validateOnly: true }))
    .applies();
const dollars = (count: bigint, amount: string): object => ({ count, minor: money(amount).minor });

const ofAlice = { adds: dollars(1n, "100"), holds: dollars(4n, "15"), releases: dollars(1n, "2"), reversals: dollars(1n, "1") };

describe("kept with every operation", () => {
    test("a wallet's own", () => expect(busy().wallet().totals).toEqual(ofAlice));
  test("nobody else's", () => expect(busy().wallet({ user: "bob" }).totals).toEqual({ ...noTotals, adds: dollars(1n, "50") }));
  test("its currency's", () => expect(busy().ledger.currencyTotals.get("USD:2")?.totals).toEqual({ ...ofAlice, adds: dollars(2n, "150") }));
  test("each currency's own", () => {
    const { currencyTotals } = given(wallet("1"), wallet("7", { currency: "JPY" })).ledger;
    expect([...currencyTotals.values()].map(({ currency, exponent, totals: each }) => [currency, exponent, each.adds.minor])).toEqual([["USD", 2, 100n], ["JPY", 0, 7n]]);
  });
  test("what is active follows", () => {
    expect(activeHolds(busy().wallet().totals)).toEqual(dollars(2n, "12"));
    const story = busy().when(reverse("four")).applies().afterMs(hourMs).when(release()).releases(1, { USD: "8.00" });
    expect(activeHolds(story.wallet().totals)).toEqual(none);
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
