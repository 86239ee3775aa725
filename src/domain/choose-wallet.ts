// Which wallet a request means: the named currency's, or the user's only one.

import type { CurrencyRegistry } from "./currency.ts";
import type { Rejection } from "./rejection.ts";
import type { CurrencyCode, UserId, WalletIdentity } from "./wallet.ts";

/**
 * Finds the wallet that a request on a user and perhaps a currency means among that user's wallets, closed ones included.
 * Rejections: UNKNOWN_CURRENCY, WALLET_NOT_FOUND, CURRENCY_REQUIRED.
 */
export function chooseWallet<W extends WalletIdentity>(
  wallets: readonly W[],
  { userId, currency }: { userId: UserId; currency: CurrencyCode | undefined },
  currencies: CurrencyRegistry,
): { readonly wallet: W } | { readonly rejection: Rejection } {
  if (currency !== undefined) {
    const wallet = wallets.find((candidate) => candidate.currency === currency);
    if (wallet !== undefined) return { wallet };
    // A wallet outlives its asset's configuration, so an unknown currency is one that nobody has a wallet in either.
    if (currencies.exponentOf(currency) === undefined) return { rejection: { reason: "UNKNOWN_CURRENCY", currency } };
    return { rejection: { reason: "WALLET_NOT_FOUND", userId, currency } };
  }
  const [only, ...others] = wallets;
  if (only === undefined) return { rejection: { reason: "WALLET_NOT_FOUND", userId } };
  if (others.length > 0) {
    return { rejection: { reason: "CURRENCY_REQUIRED", userId, currencies: wallets.map((wallet) => wallet.currency).toSorted() } };
  }
  return { wallet: only };
}
