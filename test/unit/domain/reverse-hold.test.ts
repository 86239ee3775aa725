// Reversing: the owner takes an active hold back, whenever they like, once.

import { describe, expect, test } from "vitest";
import { capture, freeze, given, held, hold, hourMs, minuteMs, release, reverse, startMs, wallet } from "../../support/given.ts";

const rent = (): ReturnType<typeof given> => given(wallet("100.00"), held("30.00", { as: "rent" }));

describe("a reversal", () => {
  test("gives all of it back", () =>
    rent().when(reverse("rent")).applies({ kind: "REVERSE", amount: "30.00", available: "100.00", held: "0.00", hold: { status: "REVERSED", remaining: "0.00" } }));
  test.each([0, 10 * minuteMs - 1, 10 * minuteMs, 1000 * hourMs])("needs no age: after %i ms", (ageMs) => void rent().afterMs(ageMs).when(reverse("rent")).applies());
  test("leaves other holds alone", () => given(wallet("10"), held("1", { as: "one" }), held("2")).when(reverse("one")).applies({ available: "8.00", held: "2.00" }));
  test("of a hold that the same batch places", () => given(wallet("10")).when(hold("1"), reverse(3n)).applies().and.applies({ available: "10.00" }));
  test("of a hold that was captured in part gives back what remains", () =>
    rent().when(capture("rent", "10")).applies().when(reverse("rent")).applies({ amount: "20.00", available: "90.00", held: "0.00", hold: { captured: "10.00", remaining: "0.00" } }));
  test("in a frozen wallet", () => rent().when(freeze()).applies().when(reverse("rent")).applies({ available: "100.00", state: "FROZEN" }));
  test("marks the hold with the time", () => {
    const { ledger } = rent().afterMs(5).when(reverse("rent"));
    expect(ledger.only.holds.get(3n)).toMatchObject({ status: "REVERSED", resolveTimeMs: startMs + 5, amountMinor: 3000n, capturedMinor: 0n });
  });
});

describe("a resolved hold stays resolved", () => {
  test("reversed twice", () => rent().when(reverse("rent")).applies().when(reverse("rent")).rejects("HOLD_NOT_ACTIVE", { holdId: 3n, status: "REVERSED" }).leaves({ available: "100.00" }));
  test("reversed twice in one batch", () => rent().when(reverse("rent"), reverse("rent")).applies().and.rejects("HOLD_NOT_ACTIVE", { status: "REVERSED" }).leaves({ available: "100.00" }));
  test("reversed after its capture", () => rent().when(capture("rent", "1", { final: true })).applies().when(reverse("rent")).rejects("HOLD_NOT_ACTIVE", { holdId: 3n, status: "CAPTURED" }).leaves({ available: "99.00" }));
  test("reversed after its release", () => rent().afterMs(hourMs).when(release()).when(reverse("rent")).rejects("HOLD_NOT_ACTIVE", { holdId: 3n, status: "RELEASED" }));
});

describe("a hold that is not the caller's is not found", () => {
  const facts = { userId: "alice", holdId: 3n };
  test("because there is none", () => given(wallet("1")).when(reverse(3n)).rejects("HOLD_NOT_FOUND", facts));
  test("because the operation of that id is no hold", () => rent().when(reverse(2n)).rejects("HOLD_NOT_FOUND", { holdId: 2n }));
  test("because it is somebody else's", () =>
    given(wallet("5", { user: "bob" }), held("5", { user: "bob" }), wallet("5")).when(reverse(3n)).rejects("HOLD_NOT_FOUND", facts).leaves({ held: "5.00" }, { user: "bob" }));
  test("because it is somebody else's, resolved or not, so that ids tell nothing", () =>
    given(wallet("5", { user: "bob" }), held("5", { user: "bob" }), wallet("5")).when(reverse(3n, { user: "bob" })).applies().when(reverse(3n)).rejects("HOLD_NOT_FOUND", facts));
  test("because the caller has no wallet", () => rent().when(reverse("rent", { user: "nobody" })).rejects("HOLD_NOT_FOUND", { userId: "nobody" }));
  test.each([0n, 2n ** 62n, (1n << 48n) + 3n])("because %d is nobody's id", (holdId) => void rent().when(reverse(holdId)).rejects("HOLD_NOT_FOUND", { holdId }));
});
