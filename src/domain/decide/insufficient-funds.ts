// The one check that keeps a wallet from spending what it does not have.

import type { Rejection } from "../rejection.ts";
import { fact, type Wallet } from "../wallet.ts";

/** INSUFFICIENT_FUNDS where less than this is available; undefined where there is enough. Held money is never counted. */
export function insufficientFunds(wallet: Wallet, amountMinor: bigint): Rejection | undefined {
  if (amountMinor <= wallet.availableMinor) return undefined;
  return { reason: "INSUFFICIENT_FUNDS", available: fact(wallet, wallet.availableMinor), requested: fact(wallet, amountMinor) };
}
