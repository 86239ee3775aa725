// Turns the amount of a request into minor units of the wallet that it is for.

import { minorMax, toMinor, type Decimal } from "./money.ts";
import type { Rejection } from "./rejection.ts";

/**
 * The amount in minor units. Rejections: AMOUNT_TOO_PRECISE, AMOUNT_OUT_OF_RANGE.
 * `field` is the request's name for it, so that the error can name it.
 */
export function amountIn(
  { currency, exponent }: { currency: string; exponent: number },
  amount: Decimal,
  field: string,
): { readonly minor: bigint } | { readonly rejection: Rejection } {
  const minor = toMinor(amount, exponent);
  if (minor === undefined) return { rejection: { reason: "AMOUNT_TOO_PRECISE", field, currency, exponent } };
  if (minor > minorMax) return { rejection: { reason: "AMOUNT_OUT_OF_RANGE", field, maximum: { currency, exponent, minor: minorMax } } };
  return { minor };
}
