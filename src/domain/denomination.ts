// A denomination: a currency with the decimals that a wallet counts it in. An asset whose decimals were configured anew while it had wallets has several.

export interface Denomination {
  readonly currency: string;
  /** Decimals of the currency in this wallet: 0 to 18. */
  readonly exponent: number;
}

/** One text for each denomination: "USD:2". */
export function denominationKey({ currency, exponent }: Denomination): string {
  return `${currency}:${exponent}`;
}

/** The order of currencies' codes, then of decimals: for sorting. */
export function byDenomination(a: Denomination, b: Denomination): number {
  if (a.currency === b.currency) return a.exponent - b.exponent;
  return a.currency < b.currency ? -1 : 1;
}
