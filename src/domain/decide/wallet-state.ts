// What a wallet's state forbids.

import type { Rejection } from "../rejection.ts";
import type { Wallet } from "../wallet.ts";

/** Why no money may leave this wallet or be set aside in it: WALLET_FROZEN, WALLET_CLOSED. Undefined where it may. */
export function mayNotSpend({ state, userId, currency }: Wallet): Rejection | undefined {
  if (state === "FROZEN") return { reason: "WALLET_FROZEN", userId, currency };
  return mayNotChange({ state, userId, currency });
}

/** Why nothing of this wallet may change, not even through money coming in: WALLET_CLOSED. Undefined where it may. */
export function mayNotChange({ state, userId, currency }: Pick<Wallet, "state" | "userId" | "currency">): Rejection | undefined {
  return state === "CLOSED" ? { reason: "WALLET_CLOSED", userId, currency } : undefined;
}
