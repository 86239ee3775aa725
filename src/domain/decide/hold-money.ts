// Sets available money aside.

import type { HoldMoney } from "../command.ts";
import { rejected, type Decision } from "../decision.ts";
import type { LedgerState } from "../ledger-state.ts";
import type { LedgerRules } from "../rules.ts";
import { fact, reserved } from "../wallet.ts";
import { walletAndAmount } from "./wallet-and-amount.ts";

/** Rejections: those of finding the wallet and of the amount, VERSION_MISMATCH, INSUFFICIENT_FUNDS. */
export function decideHoldMoney(state: LedgerState, command: HoldMoney, rules: LedgerRules): Decision {
  const found = walletAndAmount(state, command, rules);
  if ("rejection" in found) return found;
  const { wallet, amountMinor } = found;
  if (amountMinor > wallet.availableMinor) {
    return rejected({ reason: "INSUFFICIENT_FUNDS", available: fact(wallet, wallet.availableMinor), requested: fact(wallet, amountMinor) });
  }

  // From here the hold succeeds.
  return {
    effect: {
      kind: "HOLD",
      wallet: reserved(wallet, amountMinor),
      amountMinor,
      hold: {
        holdId: state.nextOperationId,
        walletId: wallet.walletId,
        amountMinor,
        capturedMinor: 0n,
        status: "ACTIVE",
        createTimeMs: state.nowMs,
        eligibleTimeMs: state.nowMs + (command.holdPeriodMs ?? rules.holdPeriodMs),
        resolveTimeMs: undefined,
      },
    },
  };
}
