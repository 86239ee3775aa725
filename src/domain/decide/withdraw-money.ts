// Takes available money out of the ledger.

import type { WithdrawMoney } from "../command.ts";
import { rejected, type Decision } from "../decision.ts";
import type { LedgerState } from "../ledger-state.ts";
import type { LedgerRules } from "../rules.ts";
import { debited } from "../wallet.ts";
import { insufficientFunds } from "./insufficient-funds.ts";
import { walletAndAmount } from "./wallet-and-amount.ts";
import { mayNotSpend } from "./wallet-state.ts";

/** Rejections: those of finding the wallet and of the amount, VERSION_MISMATCH, WALLET_FROZEN, WALLET_CLOSED, INSUFFICIENT_FUNDS. */
export function decideWithdrawMoney(state: LedgerState, command: WithdrawMoney, rules: LedgerRules): Decision {
  const found = walletAndAmount(state, command, rules);
  if ("rejection" in found) return found;
  const { wallet, amountMinor } = found;
  const forbidden = mayNotSpend(wallet) ?? insufficientFunds(wallet, amountMinor);
  if (forbidden !== undefined) return rejected(forbidden);

  // From here the withdrawal succeeds.
  return { effect: { kind: "WITHDRAW", wallet: debited(wallet, amountMinor), amountMinor } };
}
