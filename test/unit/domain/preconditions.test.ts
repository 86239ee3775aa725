// What a caller may ask for on top of any request: a version that the wallet must have, and to be told without anything being done.

import { describe, expect, test } from "vitest";
import { add, given, held, hold, hourMs, init, reverse, wallet } from "../../support/given.ts";

const key = "k1";
const busy = (): ReturnType<typeof given> => given(wallet("100"), held("30", { as: "rent" }));

describe("expected_version", () => {
  const requests = [
    ["an addition", (expectedVersion: bigint) => add("1", { expectedVersion })],
    ["a hold", (expectedVersion: bigint) => hold("1", { expectedVersion })],
    ["a reversal", (expectedVersion: bigint) => reverse("rent", { expectedVersion })],
  ] as const;
  test.each(requests)("that the wallet has lets %s through", (_, at) => void busy().when(at(3n)).applies({ version: 4n }));
  test.each(requests)("that the wallet does not have stops %s", (_, at) => {
    busy().when(at(2n)).rejects("VERSION_MISMATCH", { expectedVersion: 2n, actualVersion: 3n }).changesNothing();
    busy().when(at(4n)).rejects("VERSION_MISMATCH", { expectedVersion: 4n, actualVersion: 3n });
  });
  test("0 is a version like any other", () => busy().when(add("1", { expectedVersion: 0n })).rejects("VERSION_MISMATCH", { expectedVersion: 0n }));
  test("is checked at the operation's turn", () => busy().when(add("1"), add("1", { expectedVersion: 3n }), add("1", { expectedVersion: 4n })).applies().and.rejects("VERSION_MISMATCH").and.applies());
  test("is the wallet's own: others' operations do not count", () => given(wallet("1"), wallet("1", { user: "bob" }), wallet("1", { currency: "EUR" })).when(add("1", { expectedVersion: 2n })).applies());
  test("a rejected operation does not raise it", () => busy().when(hold("1000"), add("1", { expectedVersion: 3n })).rejects("INSUFFICIENT_FUNDS").and.applies());
});

describe("validate_only", () => {
  const validateOnly = true;
  test.each([
    ["an opening", init("EUR", { key, validateOnly }), init("EUR", { key })],
    ["an addition", add("5", { key, validateOnly }), add("5", { key })],
    ["a hold", hold("5", { key, validateOnly }), hold("5", { key })],
    ["a reversal", reverse("rent", { key, validateOnly }), reverse("rent", { key })],
  ])("answers %s as if done, changes nothing and remembers nothing", (_, dry, real) => {
    const story = busy().when(dry).applies().changesNothing();
    const told = story.answer;
    story.when(real).applies();
    expect(story.answer).toEqual(told);
  });
  test("says no as it would", () => busy().when(hold("71", { key, validateOnly })).rejects("INSUFFICIENT_FUNDS").changesNothing().when(add("1")).applies().when(hold("71", { key })).applies());
  test("is not seen by the rest of its batch", () => busy().when(hold("70", { validateOnly }), hold("70"), hold("70", { validateOnly })).applies().and.applies().and.rejects("INSUFFICIENT_FUNDS"));
  test("does not take a place: the next operation has the id that it was told", () => {
    const story = busy().when(add("1", { validateOnly }), add("1"));
    expect(story.ledger.only.head.sequence).toBe(4n);
  });
  test("replays a key that was applied", () => busy().when(add("5", { key })).applies().when(add("5", { key, validateOnly })).replays().changesNothing());
  test("replays a key that was applied in the same batch", () => busy().when(add("5", { key }), add("5", { key, validateOnly })).applies().and.replays());
  test("replays a no that is remembered", () => busy().when(hold("71", { key })).rejects("INSUFFICIENT_FUNDS").when(add("1")).when(hold("71", { key, validateOnly })).replays());
  test("does not free a key for another request", () => busy().when(add("5", { key })).applies().when(add("6", { key, validateOnly })).rejects("IDEMPOTENCY_KEY_REUSED"));
  test("does not renew a key that has run out", () =>
    busy().when(add("5", { key })).applies().afterMs(hourMs).when(add("5", { key, validateOnly })).applies().changesNothing().when(add("6", { key })).applies());
});
