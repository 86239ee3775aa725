// The wallet that receives what another pays.

import { amountIn } from "../amount.ts";
import { rejected, type Effect } from "../decision.ts";
import type { LedgerState } from "../ledger-state.ts";
import type { Decimal } from "../money.ts";
import type { Rejection } from "../rejection.ts";
import { credited, fact, isOverLimit, type UserId, type Wallet } from "../wallet.ts";
import { mayNotChange } from "./wallet-state.ts";

/**
 * The wallet of `toUserId`, who is not the payer, in the payer's currency, with the money in it. Both wallets may count the currency in different
 * minor units; nothing is rounded between them. Rejections: WALLET_NOT_FOUND, AMOUNT_TOO_PRECISE, AMOUNT_OUT_OF_RANGE, WALLET_CLOSED, BALANCE_LIMIT_EXCEEDED.
 */
export function receiving(
  state: LedgerState,
  payer: Wallet,
  { toUserId, amount }: { readonly toUserId: UserId; readonly amount: Decimal },
): { readonly receiver: NonNullable<Effect["receiver"]> } | { readonly rejection: Rejection } {
  const { currency } = payer;
  const wallet = state.walletsOf(toUserId).find((candidate) => candidate.currency === currency);
  if (wallet === undefined) return rejected({ reason: "WALLET_NOT_FOUND", userId: toUserId, currency });
  const closed = mayNotChange(wallet);
  if (closed !== undefined) return rejected(closed);
  const incoming = amountIn(wallet, amount, "amount");
  if ("rejection" in incoming) return incoming;
  if (isOverLimit(wallet, incoming.minor)) return rejected({ reason: "BALANCE_LIMIT_EXCEEDED", toUserId, requested: fact(wallet, incoming.minor) });
  return { receiver: { wallet: credited(wallet, incoming.minor), amountMinor: incoming.minor } };
}
