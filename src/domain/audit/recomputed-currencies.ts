// Per currency what the journal's operations counted and what all wallets together have: where money is neither made nor lost, one follows from the other.

import type { Count } from "../counts.ts";
import type { CurrencyTotals } from "../ledger-state.ts";
import { counted, noTotals } from "../totals.ts";
import type { CurrencyCode, WalletIdentity } from "../wallet.ts";
import { moneyText, type Mismatches } from "./mismatch.ts";
import { rescaled } from "./replayed-effect.ts";

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
    const totals = counts.reduce((sum, [kind, amountMinor]) => counted(sum, kind, amountMinor), before.totals);
    this.#byKey.set(keyOf(currency, exponent), { ...before, totals });
  }

  /** A wallet of this currency has so much more. */
  move({ currency, exponent }: WalletIdentity, differenceMinor: bigint): void {
    const before = this.#of(currency, exponent);
    this.#byKey.set(keyOf(currency, exponent), { ...before, inWalletsMinor: before.inWalletsMinor + differenceMinor });
  }

  /** The counters of every currency that has any, in the order of currency and exponent. */
  totals(): CurrencyTotals[] {
    const inOrder = [...this.#byKey.values()].toSorted((a, b) => (a.currency < b.currency ? -1 : a.currency > b.currency ? 1 : a.exponent - b.exponent));
    return inOrder.filter(({ totals }) => totals !== noTotals).map(({ currency, exponent, totals }) => ({ currency, exponent, totals }));
  }

  /** Section 6 of the contract: the sum of all wallets is what was added, less what was withdrawn or captured out of the ledger. */
  checkConservation(mismatches: Mismatches): void {
    for (const currency of new Set([...this.#byKey.values()].map((each) => each.currency))) {
      const all = [...this.#byKey.values()].filter((each) => each.currency === currency);
      const exponent = Math.max(...all.map((each) => each.exponent));
      const sum = (of: (each: Recomputed) => bigint): bigint => all.reduce((total, each) => total + rescaled(of(each), each.exponent, exponent), 0n);
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
    return this.#byKey.get(keyOf(currency, exponent)) ?? { currency, exponent, totals: noTotals, inWalletsMinor: 0n };
  }
}

function keyOf(currency: string, exponent: number): string {
  return `${currency}:${exponent}`;
}
