// Amounts of money: decimal strings outside, bigint minor units inside, and the exact way between them. Nothing that a caller sends is ever rounded.

/** The largest number of minor units that a wallet or an amount may count: a signed 64-bit integer. */
export const minorMax = 2n ** 63n - 1n;

/**
 * A non-negative decimal as the caller meant it, before the wallet's currency is known: `unscaled × 10^-scale`, without trailing zeros, so
 * that "1.0" and "1.00" are the same value.
 */
export interface Decimal {
  readonly unscaled: bigint;
  /** Number of decimals, 0 or more. */
  readonly scale: number;
}

const textMaxChars = 64;
const zeroCode = 48;
const nineCode = 57;
const pointCode = 46;

/** Reads "10.50". Undefined where the text has a sign, an exponent, separators, spaces, no digits on a side of the point, or over 64 characters. */
export function parseDecimal(text: string): Decimal | undefined {
  const { length } = text;
  if (length > textMaxChars) return undefined;
  // Character by character: every amount of a batch comes by here, and a regular expression takes twice as long. Without a point it is thought behind the text.
  let point = length;
  for (let at = 0; at < length; at++) {
    const code = text.charCodeAt(at);
    if (code >= zeroCode && code <= nineCode) continue;
    if (code !== pointCode || point !== length) return undefined;
    point = at;
  }
  if (point === 0 || point === length - 1) return undefined;
  let end = length;
  while (end > point + 1 && text.charCodeAt(end - 1) === zeroCode) end--;
  return { unscaled: BigInt(text.slice(0, point) + text.slice(point + 1, end)), scale: Math.max(0, end - point - 1) };
}

/** The decimal in minor units of a currency with `exponent` decimals; undefined where it has more decimals than that. */
export function toMinor(decimal: Decimal, exponent: number): bigint | undefined {
  if (decimal.scale > exponent) return undefined;
  return decimal.unscaled * 10n ** BigInt(exponent - decimal.scale);
}

/** The same amount counted with other decimals. With fewer of them it is rounded towards zero where it does not come out even. */
export function rescaled(minor: bigint, { from, to }: { readonly from: number; readonly to: number }): bigint {
  return to >= from ? minor * 10n ** BigInt(to - from) : minor / 10n ** BigInt(from - to);
}

/** Minor units as a decimal string with exactly `exponent` decimals: `(1050n, 2)` is "10.50", `(-5n, 2)` is "-0.05". */
export function formatMinor(minor: bigint, exponent: number): string {
  if (exponent === 0) return minor.toString();
  const negative = minor < 0n;
  const digits = (negative ? -minor : minor).toString().padStart(exponent + 1, "0");
  const point = digits.length - exponent;
  return `${negative ? "-" : ""}${digits.slice(0, point)}.${digits.slice(point)}`;
}
