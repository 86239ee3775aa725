// Per currency what the journal's operations counted and what all wallets together have: where money is neither made nor lost, one follows from the other.

import { withCounts, type Count } from "../counts.ts";
import { byDenomination, denominationKey } from "../denomination.ts";
import type { CurrencyTotals } from "../loaded-state.ts";
import { rescaled } from "../money.ts";
import { noTotals } from "../totals.ts";
import type { CurrencyCode, WalletIdentity } from "../wallet.ts";
import { moneyText, type Mismatches } from "./mismatch.ts";

interface Recomputed extends CurrencyTotals {
  /** What all wallets of this currency and exponent have, in minor units. */
  readonly inWalletsMinor: bigint;
}

/** In memory: a ledger has as many of them as its configuration ever named currencies. */
export class RecomputedCurrencies {
  readonly #byKey = new Map<string, Recomputed>();

  /** Counts what an operation adds to the counters of a wallet's currency. */
  count({ currency, exponent }: WalletIdentity, counts: readonly Count[]): void {
    const before = this.#of(currency, exponent);
    this.#byKey.set(denominationKey(before), { ...before, totals: withCounts(before.totals, counts) });
  }

  /** A wallet of this currency has so much more. */
  move({ currency, exponent }: WalletIdentity, differenceMinor: bigint): void {
    const before = this.#of(currency, exponent);
    this.#byKey.set(denominationKey(before), { ...before, inWalletsMinor: before.inWalletsMinor + differenceMinor });
  }

  /** The counters of every currency that has any, in the order of currency and exponent. */
  totals(): CurrencyTotals[] {
    const counted = [...this.#byKey.values()].filter(({ totals }) => totals !== noTotals).toSorted(byDenomination);
    return counted.map(({ currency, exponent, totals }) => ({ currency, exponent, totals }));
  }

  /** Section 6 of the contract: the sum of all wallets is what was added, less what was withdrawn or captured out of the ledger. */
  checkConservation(mismatches: Mismatches): void {
    for (const currency of new Set([...this.#byKey.values()].map((each) => each.currency))) {
      const all = [...this.#byKey.values()].filter((each) => each.currency === currency);
      const exponent = Math.max(...all.map((each) => each.exponent));
      const sum = (of: (each: Recomputed) => bigint): bigint => all.reduce((total, each) => total + rescaled(of(each), { from: each.exponent, to: exponent }), 0n);
      // What a capture pays into a wallet is counted there as a transfer in: only what exceeds the transfers out came from captures.
      const stayedInside = sum(({ totals }) => totals.transfersIn.minor - totals.transfersOut.minor);
      const cameIn = sum(({ totals }) => totals.adds.minor - totals.withdrawals.minor - totals.captures.minor) + stayedInside;
      const inWallets = sum((each) => each.inWalletsMinor);
      if (inWallets === cameIn) continue;
      mismatches.add({
        subject: `${currency}: the sum of all wallets`,
        expected: `${moneyText(cameIn, exponent)}, what was added and neither withdrawn nor captured`,
        actual: moneyText(inWallets, exponent),
      });
    }
  }

  #of(currency: CurrencyCode, exponent: number): Recomputed {
    return this.#byKey.get(denominationKey({ currency, exponent })) ?? { currency, exponent, totals: noTotals, inWalletsMinor: 0n };
  }
}
