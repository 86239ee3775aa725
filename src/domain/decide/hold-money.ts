// Sets available money aside.

import type { HoldMoney } from "../command.ts";
import { rejected, type Decision } from "../decision.ts";
import { placed } from "../hold.ts";
import type { LedgerState } from "../ledger-state.ts";
import type { LedgerRules } from "../rules.ts";
import { reserved } from "../wallet.ts";
import { insufficientFunds } from "./insufficient-funds.ts";
import { walletAndAmount } from "./wallet-and-amount.ts";
import { mayNotSpend } from "./wallet-state.ts";

/** Rejections: those of finding the wallet and of the amount, VERSION_MISMATCH, WALLET_FROZEN, WALLET_CLOSED, INSUFFICIENT_FUNDS. */
export function decideHoldMoney(state: LedgerState, command: HoldMoney, rules: LedgerRules): Decision {
  const found = walletAndAmount(state, command, rules);
  if ("rejection" in found) return found;
  const { wallet, amountMinor } = found;
  const forbidden = mayNotSpend(wallet) ?? insufficientFunds(wallet, amountMinor);
  if (forbidden !== undefined) return rejected(forbidden);

  // From here the hold succeeds.
  const holdId = state.nextOperationId(wallet.userId);
  return {
    effect: {
      kind: "HOLD",
      wallet: { ...reserved(wallet, amountMinor), lastHoldId: holdId },
      amountMinor,
      hold: placed({
        holdId,
        walletId: wallet.walletId,
        amountMinor,
        createTimeMs: state.nowMs,
        eligibleTimeMs: state.nowMs + (command.holdPeriodMs ?? rules.holdPeriodMs),
        previousHoldId: wallet.lastHoldId,
      }),
    },
  };
}
