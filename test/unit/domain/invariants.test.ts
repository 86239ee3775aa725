// State that cannot be true is a defect wherever it comes from: it stops the batch before anything is decided on it.

import { describe, expect, test } from "vitest";
import { assertSoundHold, assertSoundWallet } from "../../../src/domain/invariants.ts";
import { LedgerState } from "../../../src/domain/ledger-state.ts";
import { minorMax } from "../../../src/domain/money.ts";
import { add, given, held, startMs, wallet } from "../../support/given.ts";
import { untouched } from "../../support/opened-store.ts";

const story = given(wallet("10"), held("4"));
const soundWallet = story.wallet();
const soundHold = story.ledger.only.holds.get(3n)!;

test("what the ledger makes is sound", () => {
  expect(assertSoundWallet(soundWallet)).toBe(soundWallet);
  expect(assertSoundHold(soundHold)).toBe(soundHold);
});

describe("a wallet is not sound", () => {
  test.each([
    [{ availableMinor: -1n }, "available money is never negative"],
    [{ heldMinor: -1n }, "held money is never negative"],
    [{ availableMinor: minorMax, heldMinor: 1n }, "total fits 64 bits"],
    [{ state: "CLOSED" as const, availableMinor: 1n, heldMinor: 0n }, "closed wallet is empty"],
    [{ state: "CLOSED" as const, availableMinor: 0n, heldMinor: 1n }, "closed wallet is empty"],
  ])("with %o", (broken, sentence) => expect(() => assertSoundWallet({ ...soundWallet, ...broken })).toThrow(sentence));
});

describe("a hold is not sound", () => {
  test.each([
    [{ amountMinor: 0n }, "more than nothing"],
    [{ capturedMinor: -1n }, "never captured beyond"],
    [{ capturedMinor: 401n }, "never captured beyond"],
    [{ status: "RELEASED" as const }, "time of resolution"],
    [{ resolveTimeMs: 1 }, "time of resolution"],
  ])("with %o", (broken, sentence) => expect(() => assertSoundHold({ ...soundHold, ...broken })).toThrow(sentence));
});

test("a broken wallet that is loaded stops the batch", () => {
  const broken = given(wallet("10"));
  broken.ledger.only.wallets.set(1n, { ...broken.wallet(), heldMinor: -5n });
  expect(() => broken.when(add("1"))).toThrow("held money is never negative");
  expect(broken.ledger.only.head.sequence).toBe(2n);
});

test("an operation whose receiver is the payer has no place in the journal, wherever it comes from", () => {
  const state = new LedgerState(story.ledger.loaded([{ ...untouched, wallets: [soundWallet] }], startMs));
  const effect = { kind: "TRANSFER" as const, wallet: soundWallet, amountMinor: 1n, receiver: { wallet: soundWallet, amountMinor: 1n } };
  const record = state.drafted(effect, { keyHash: undefined, reference: "", metadata: {} });
  expect(() => state.apply(effect, record)).toThrow("nobody pays themselves");
  expect(state.changes(startMs)).toEqual([]);
});
