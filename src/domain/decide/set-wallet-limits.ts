// Changes the most that a wallet may contain.

import { amountIn } from "../amount.ts";
import { chooseWallet } from "../choose-wallet.ts";
import type { SetWalletLimits } from "../command.ts";
import { rejected, type Decision } from "../decision.ts";
import type { LedgerState } from "../ledger-state.ts";
import type { LedgerRules } from "../rules.ts";
import { checkedVersion } from "./checked-version.ts";
import { mayNotChange } from "./wallet-state.ts";

/** Rejections: those of finding the wallet and of `balance_max` as an amount, VERSION_MISMATCH, WALLET_CLOSED. What is in the wallet already may be more. */
export function decideSetWalletLimits(state: LedgerState, command: SetWalletLimits, rules: LedgerRules): Decision {
  const chosen = chooseWallet(state.walletsOf(command.userId), command, rules.currencies);
  if ("rejection" in chosen) return chosen;
  const { wallet } = chosen;
  const limit = command.balanceMax === undefined ? { minor: undefined } : amountIn(wallet, command.balanceMax, "balance_max");
  if ("rejection" in limit) return limit;
  const forbidden = checkedVersion(command, wallet.version) ?? mayNotChange(wallet);
  if (forbidden !== undefined) return rejected(forbidden);

  // From here the change succeeds.
  return { effect: { kind: "SET_LIMITS", wallet: { ...wallet, balanceMaxMinor: limit.minor }, amountMinor: 0n } };
}
