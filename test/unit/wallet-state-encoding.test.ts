// What a wallet is, encoded in a few bytes and read where it lies, is what it was.

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { noTotals } from "../../src/domain/totals.ts";
import type { CurrencyCode, UserId, Wallet } from "../../src/domain/wallet.ts";
import { walletFromRow, walletToRow } from "../../src/store/rows.ts";
import { countStates, encodeStates, EncodedStates, type StateColumns } from "../../src/store/sqlite/newer-wallets/wallet-state-encoding.ts";
import { walletContent } from "../support/arbitrary.ts";

const wallets: fc.Arbitrary<Wallet[]> = fc.array(
  walletContent.map((content) => ({ ...content, walletId: 7n, userId: "alice" as UserId, currency: "USD" as CurrencyCode })),
  { maxLength: 5 },
).map((all) => all.map((wallet, index) => ({ ...wallet, walletId: BigInt(index) << 60n })));

const walletWith = (wallet: Wallet, state: StateColumns): Wallet => walletFromRow({ ...walletToRow(0, wallet), ...state });

test("whatever wallets are, they are read as they were written, each at its place", () => {
  fc.assert(
    fc.property(wallets, (written) => {
      const bytes = encodeStates(written);
      const states = new EncodedStates(bytes);
      const read: Wallet[] = [];
      for (let at = 0; at < bytes.length; at = states.endOf(at)) {
        const wallet = written[read.length]!;
        expect(states.walletIdAt(at)).toBe(wallet.walletId);
        expect(states.versionAt(at)).toBe(wallet.version);
        expect(states.headSequenceAt(at)).toBe(wallet.headSequence);
        read.push(walletWith(wallet, states.stateAt(at)));
      }
      expect(read).toEqual(written);
      expect(countStates(bytes)).toBe(written.length);
    }),
  );
});

test("bytes that break off, wherever, are not read", () => {
  const [wallet] = fc.sample(wallets.filter((all) => all.length > 1), { numRuns: 1, seed: 1 });
  const bytes = encodeStates(wallet!);
  const whole = new Set([0]);
  const states = new EncodedStates(bytes);
  for (let at = 0; at < bytes.length; at = states.endOf(at)) whole.add(at);
  for (let length = 0; length < bytes.length; length++) {
    if (!whole.has(length)) expect(() => countStates(bytes.subarray(0, length))).toThrow(RangeError);
  }
});

test.each([
  ["available money below zero", { availableMinor: -1n }],
  ["held money below zero", { heldMinor: -1n }],
  ["money beyond 64 bits", { availableMinor: 2n ** 63n }],
  ["a version beyond 64 bits", { version: 2n ** 63n }],
  ["a limit beyond 64 bits", { balanceMaxMinor: 2n ** 63n }],
  ["a limit below zero", { balanceMaxMinor: -1n }],
  ["counters without end", { totals: { ...noTotals, adds: { count: 1n, minor: 2n ** 600_000n } } }],
])("what a row would refuse is not encoded: %s", (_, wrong) => {
  const [wallet] = fc.sample(wallets.filter((all) => all.length > 0), { numRuns: 1, seed: 1 });
  expect(() => encodeStates([{ ...wallet![0]!, ...wrong }])).toThrow(RangeError);
});
