// What a command about an amount of one wallet begins with: which wallet, how much in its minor units, and the caller's precondition.

import { amountIn } from "../amount.ts";
import { chooseWallet } from "../choose-wallet.ts";
import type { CommandEnvelope } from "../command.ts";
import { rejected } from "../decision.ts";
import type { LedgerState } from "../ledger-state.ts";
import type { Decimal } from "../money.ts";
import type { Rejection } from "../rejection.ts";
import type { LedgerRules } from "../rules.ts";
import type { CurrencyCode, Wallet } from "../wallet.ts";
import { checkedVersion } from "./checked-version.ts";

/** The wallet and the amount. Rejections: those of `chooseWallet` and `amountIn`, VERSION_MISMATCH. */
export function walletAndAmount(
  state: LedgerState,
  command: CommandEnvelope & { readonly currency: CurrencyCode | undefined; readonly amount: Decimal },
  rules: LedgerRules,
): { readonly wallet: Wallet; readonly amountMinor: bigint } | { readonly rejection: Rejection } {
  const chosen = chooseWallet(state.walletsOf(command.userId), command, rules.currencies);
  if ("rejection" in chosen) return chosen;
  const { wallet } = chosen;
  const amount = amountIn(wallet, command.amount, "amount");
  if ("rejection" in amount) return amount;
  const mismatch = checkedVersion(command, wallet.version);
  return mismatch === undefined ? { wallet, amountMinor: amount.minor } : rejected(mismatch);
}
