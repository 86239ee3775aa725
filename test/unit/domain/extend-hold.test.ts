// Extending: an active hold's period, counted from its creation, only ever grows.

import { describe, expect, test } from "vitest";
import { capture, extend, freeze, given, held, hold, hourMs, minuteMs, release, reverse, startMs, wallet } from "../../support/given.ts";

const key = "k1";
const rent = (): ReturnType<typeof given> => given(wallet("100.00"), held("30.00", { as: "rent" }));

describe("an extension", () => {
  test("sets the period and moves no money", () =>
    rent()
      .when(extend("rent", hourMs))
      .applies({ kind: "EXTEND", amount: "0.00", available: "70.00", held: "30.00", version: 4n, hold: { status: "ACTIVE", remaining: "30.00", eligibleAfterMs: hourMs } })
      .leaves({ available: "70.00", held: "30.00", version: 4n }));
  test("counts from the hold's creation, not from now", () => {
    const { ledger } = rent().afterMs(9 * minuteMs).when(extend("rent", 11 * minuteMs)).applies({ hold: { eligibleAfterMs: 11 * minuteMs } });
    expect(ledger.only.holds.get(3n)).toMatchObject({ createTimeMs: startMs, eligibleTimeMs: startMs + 11 * minuteMs, resolveTimeMs: undefined, amountMinor: 3000n });
  });
  test("by one millisecond", () => rent().when(extend("rent", 10 * minuteMs + 1)).applies({ hold: { eligibleAfterMs: 10 * minuteMs + 1 } }));
  test("again, further", () => rent().when(extend("rent", hourMs), extend("rent", hourMs + 1)).applies().and.applies({ hold: { eligibleAfterMs: hourMs + 1 } }));
  test("of a hold that was captured in part", () => rent().when(capture("rent", "10"), extend("rent", hourMs)).applies().and.applies({ held: "20.00", hold: { captured: "10.00", remaining: "20.00" } }));
  test("of a hold that the same batch places", () => given(wallet("1")).when(hold("1", { periodMs: 0 }), extend(3n, 1)).applies().and.applies({ hold: { eligibleAfterMs: 1 } }));
  test("of another wallet's hold is that wallet's operation", () =>
    given(wallet("1"), wallet("5", { currency: "EUR" }), held("5", { currency: "EUR", as: "euros" })).when(extend("euros", hourMs)).applies().leaves({ version: 2n }).leaves({ version: 4n }, { currency: "EUR" }));
  test("links to the wallet's history and leaves its list of holds as it was", () => {
    const story = rent().when(hold("1"), extend("rent", hourMs), hold("2")).applies().and.applies().and.applies();
    expect(story.ledger.only.records.get(5n)).toMatchObject({ kind: "EXTEND", previousSequence: 4n, hold: { holdId: 3n } });
    expect(story.ledger.only.holds.get(3n)!.previousHoldId).toBe(0n);
    expect(story.ledger.only.holds.get(6n)!.previousHoldId).toBe(4n);
  });
});

describe("the release waits for the new period", () => {
  const extended = (): ReturnType<typeof given> => rent().when(extend("rent", hourMs)).applies();
  test("not one millisecond less", () => extended().afterMs(hourMs - 1).when(release()).releases(0).changesNothing());
  test("not one millisecond more", () => extended().afterMs(hourMs).when(release()).releases(1, { USD: "30.00" }));
  test("even where the old one was over already", () =>
    rent().afterMs(30 * minuteMs).when(extend("rent", hourMs)).applies().when(release()).releases(0).afterMs(30 * minuteMs).when(release()).releases(1, { USD: "30.00" }));
  test("but not where the new one is over as well", () => rent().afterMs(2 * hourMs).when(extend("rent", hourMs)).applies().when(release()).releases(1, { USD: "30.00" }));
  test("reversals and captures do not", () => extended().when(capture("rent", "1"), reverse("rent")).applies().and.applies({ available: "99.00" }));
});

describe("only longer", () => {
  test.each([0, 1, 10 * minuteMs - 1, 10 * minuteMs])("not to %i ms", (requestedMs) =>
    void rent().when(extend("rent", requestedMs)).rejects("HOLD_PERIOD_SHORTENED", { holdId: 3n, holdPeriodMs: 10 * minuteMs, requestedMs }).leaves({ version: 3n }),
  );
  test("than the hold's own period", () => given(wallet("1"), held("1", { periodMs: 5, as: "short" })).when(extend("short", 5), extend("short", 6)).rejects("HOLD_PERIOD_SHORTENED", { holdPeriodMs: 5 }).and.applies());
  test("than the last extension", () => rent().when(extend("rent", hourMs), extend("rent", hourMs)).applies().and.rejects("HOLD_PERIOD_SHORTENED", { holdPeriodMs: hourMs, requestedMs: hourMs }));
  test("whatever the hold's age", () => rent().afterMs(2 * hourMs).when(extend("rent", 5 * minuteMs)).rejects("HOLD_PERIOD_SHORTENED", { holdPeriodMs: 10 * minuteMs, requestedMs: 5 * minuteMs }));
});

describe("a resolved hold is not extended", () => {
  test("reversed", () => rent().when(reverse("rent"), extend("rent", hourMs)).applies().and.rejects("HOLD_NOT_ACTIVE", { holdId: 3n, status: "REVERSED" }));
  test("released", () => rent().afterMs(hourMs).when(release()).when(extend("rent", 2 * hourMs)).rejects("HOLD_NOT_ACTIVE", { status: "RELEASED" }));
  test("captured", () => rent().when(capture("rent", "1", { final: true }), extend("rent", hourMs)).applies().and.rejects("HOLD_NOT_ACTIVE", { status: "CAPTURED" }));
  test("not even to a period that would be too short", () => rent().when(reverse("rent"), extend("rent", 0)).applies().and.rejects("HOLD_NOT_ACTIVE"));
});

describe("a hold that is not the caller's is not found", () => {
  test("because there is none", () => given(wallet("1")).when(extend(3n, hourMs)).rejects("HOLD_NOT_FOUND", { userId: "alice", holdId: 3n }));
  test("because it is somebody else's", () =>
    given(wallet("5", { user: "bob" }), held("5", { user: "bob" }), wallet("5")).when(extend(3n, hourMs)).rejects("HOLD_NOT_FOUND", { userId: "alice", holdId: 3n }));
});

test("a frozen wallet's hold is extended: no money moves", () => void rent().when(freeze(), extend("rent", hourMs)).applies().and.applies({ state: "FROZEN", hold: { eligibleAfterMs: hourMs } }));

describe("under a key", () => {
  test("answers the same after the hold was extended further and ended", () =>
    rent().when(extend("rent", hourMs, { key })).applies().when(extend("rent", 2 * hourMs), reverse("rent")).applies().and.applies().when(extend("rent", hourMs, { key })).replays().changesNothing());
  test("is another request with another period", () => rent().when(extend("rent", hourMs, { key })).applies().when(extend("rent", hourMs + 1, { key })).rejects("IDEMPOTENCY_KEY_REUSED"));
  test("a no is remembered", () => rent().when(extend("rent", 1, { key })).rejects("HOLD_PERIOD_SHORTENED").when(extend("rent", 1, { key })).replays());
});

describe("preconditions", () => {
  test("the version is the wallet's", () => {
    rent().when(extend("rent", hourMs, { expectedVersion: 3n })).applies({ version: 4n });
    rent().when(extend("rent", hourMs, { expectedVersion: 4n })).rejects("VERSION_MISMATCH", { expectedVersion: 4n, actualVersion: 3n }).changesNothing();
  });
  test("validate_only answers as if done and leaves the period", () => {
    const story = rent().when(extend("rent", hourMs, { key, validateOnly: true })).applies({ hold: { eligibleAfterMs: hourMs } }).changesNothing();
    const told = story.answer;
    expect(story.when(extend("rent", hourMs, { key })).applies().answer).toEqual(told);
  });
});
