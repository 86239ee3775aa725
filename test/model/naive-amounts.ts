// Amounts as the model reads them: text, digit by digit.

import { no } from "./naive-state.ts";

export const int64Max = 9_223_372_036_854_775_807n;

interface Currency {
  readonly currency: string;
  readonly exponent: number;
}

/** An amount as rejections state it. */
export function fact({ currency, exponent }: Currency, minor: bigint): Currency & { minor: bigint } {
  return { currency, exponent, minor };
}

/** The amount in minor units. */
export function amountIn({ currency, exponent }: Currency, text: string, field: string): bigint {
  const [whole = "", fraction = ""] = plain(text).split(".");
  if (fraction.length > exponent) no({ reason: "AMOUNT_TOO_PRECISE", field, currency, exponent });
  const minor = BigInt(whole + fraction.padEnd(exponent, "0"));
  if (minor > int64Max) no({ reason: "AMOUNT_OUT_OF_RANGE", field, maximum: { currency, exponent, minor: int64Max } });
  return minor;
}

/** An amount without the zeros that say nothing. */
export function plain(amount: string): string {
  const [whole = "", fraction = ""] = amount.split(".");
  const shortWhole = whole.replace(/^0+(?=.)/, "");
  const shortFraction = fraction.replace(/0+$/, "");
  return shortFraction === "" ? shortWhole : `${shortWhole}.${shortFraction}`;
}
