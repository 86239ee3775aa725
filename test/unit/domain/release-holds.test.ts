// Releasing: what is old enough on the ledger's own clock, all of it, once.

import { describe, expect, test } from "vitest";
import { capture, extend, freeze, given, held, hold, hourMs, init, minuteMs, release, reverse, startMs, wallet } from "../../support/given.ts";

const rent = (): ReturnType<typeof given> => given(wallet("100.00"), held("30.00", { as: "rent" }));

describe("a hold is eligible", () => {
  test("when its period is over, to the millisecond", () => rent().afterMs(10 * minuteMs).when(release()).releases(1, { USD: "30.00" }).leaves({ available: "100.00", held: "0.00" }));
  test("not one millisecond before", () => rent().afterMs(10 * minuteMs - 1).when(release()).releases(0).changesNothing().leaves({ available: "70.00", held: "30.00" }));
  test("long after", () => rent().afterMs(1000 * hourMs).when(release()).releases(1, { USD: "30.00" }));
  test("at once where its period is nothing", () => given(wallet("1"), held("1", { periodMs: 0 })).when(release()).releases(1, { USD: "1.00" }));
  test.each([1, 2 * hourMs])("after its own period of %i ms", (periodMs) => {
    const own = (): ReturnType<typeof given> => given(wallet("1"), held("1", { periodMs }));
    own().afterMs(periodMs - 1).when(release()).releases(0);
    own().afterMs(periodMs).when(release()).releases(1, { USD: "1.00" });
  });
});

describe("the ledger's clock", () => {
  test("does not go back with the machine's: a hold placed meanwhile counts from the last operation", () => {
    const story = given(wallet("10")).afterMs(hourMs).when(hold("1")).applies().afterMs(-hourMs).when(hold("2")).applies({ hold: { eligibleAfterMs: 10 * minuteMs } });
    expect(story.ledger.only.head.timeMs).toBe(startMs + hourMs);
    story.afterMs(10 * minuteMs).when(release()).releases(0).afterMs(hourMs).when(release()).releases(2, { USD: "3.00" });
  });
  test("keeps what was eligible eligible", () => given(wallet("10"), held("1")).afterMs(10 * minuteMs).when(hold("1")).applies().afterMs(-hourMs).when(release()).releases(1, { USD: "1.00" }));
});

describe("a release", () => {
  test("takes all that is eligible and leaves the rest", () =>
    given(wallet("100"), held("1"), held("2", { periodMs: minuteMs }), held("4"), held("8", { periodMs: hourMs }))
      .afterMs(10 * minuteMs)
      .when(release())
      .releases(3, { USD: "7.00" })
      .leaves({ available: "92.00", held: "8.00" }));
  test("is once: again releases nothing", () => rent().afterMs(hourMs).when(release()).releases(1, { USD: "30.00" }).when(release()).releases(0).changesNothing());
  test("passes over what was reversed", () => rent().when(reverse("rent")).applies().afterMs(hourMs).when(release()).releases(0));
  test("passes over what was captured", () => rent().when(capture("rent", "30")).applies().afterMs(hourMs).when(release()).releases(0));
  test("passes over what was extended", () => rent().when(extend("rent", 2 * hourMs)).applies().afterMs(hourMs).when(release()).releases(0));
  test("gives back what a capture left", () => rent().when(capture("rent", "10")).applies().afterMs(hourMs).when(release()).releases(1, { USD: "20.00" }).leaves({ available: "90.00", held: "0.00" }));
  test("of a frozen wallet's hold", () => rent().when(freeze()).applies().afterMs(hourMs).when(release()).releases(1, { USD: "30.00" }).leaves({ available: "100.00", state: "FROZEN" }));
  test("is one operation a hold, oldest eligibility first", () => {
    const { ledger } = given(wallet("10"), held("1", { periodMs: 3 }), held("2", { periodMs: 1 }), held("3", { periodMs: 3 })).afterMs(3).when(release()).releases(3, { USD: "6.00" });
    const made = [6n, 7n, 8n].map((sequence) => ledger.only.records.get(sequence)!);
    expect(made.map(({ kind, amountMinor, after, hold: { holdId, status } = {} }) => [kind, amountMinor, after.version, holdId, status])).toEqual([
      ["RELEASE", 200n, 6n, 4n, "RELEASED"],
      ["RELEASE", 100n, 7n, 3n, "RELEASED"],
      ["RELEASE", 300n, 8n, 5n, "RELEASED"],
    ]);
  });
  test("adds up by currency, in the order of their codes", () =>
    given(wallet("10"), held("1"), held("2"), wallet("500", { currency: "JPY", user: "bob" }), held("30", { currency: "JPY", user: "bob" }), wallet("5", { currency: "EUR" }), held("5", { currency: "EUR" }))
      .afterMs(hourMs)
      .when(release())
      .releases(4, { EUR: "5.00", JPY: "30", USD: "3.00" }));
  test("of an empty ledger", () => given().when(release()).releases(0));
  test("marks the hold with the time", () => {
    const { ledger } = rent().afterMs(hourMs).when(release());
    expect(ledger.only.holds.get(3n)).toMatchObject({ status: "RELEASED", resolveTimeMs: startMs + hourMs, eligibleTimeMs: startMs + 10 * minuteMs });
  });
  test("cannot share a batch, since what is eligible is looked up before", () => expect(() => rent().when(release(), init("EUR"))).toThrow("a release goes alone"));
});

const walletWithHold = (amount: string, options: { user?: string; currency?: string }): ReturnType<typeof held> => [...wallet("10", options), ...held(amount, options)];

/** Two users with two wallets each, and a hold in each wallet. */
const four = (): ReturnType<typeof given> => {
  return given(
    walletWithHold("1", {}),
    walletWithHold("2", { currency: "EUR" }),
    walletWithHold("4", { user: "bob" }),
    walletWithHold("8", { user: "bob", currency: "EUR" }),
  ).afterMs(hourMs);
};

describe("narrowed", () => {
  test.each([
    [{}, 4, { EUR: "10.00", USD: "5.00" }],
    [{ user: "alice" }, 2, { EUR: "2.00", USD: "1.00" }],
    [{ currency: "EUR" }, 2, { EUR: "10.00" }],
    [{ user: "bob", currency: "USD" }, 1, { USD: "4.00" }],
    [{ user: "carol" }, 0, {}],
    [{ currency: "JPY" }, 0, {}],
  ] as const)("to %j: %i holds", (filter, count, amounts) => void four().when(release(filter)).releases(count, amounts));
});

test("validate_only says what would be released and releases nothing", () =>
  void rent().afterMs(hourMs).when(release({ validateOnly: true })).releases(1, { USD: "30.00" }).changesNothing().when(release()).releases(1, { USD: "30.00" }));
