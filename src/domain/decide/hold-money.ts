// Sets available money aside.

import { amountIn } from "../amount.ts";
import { chooseWallet } from "../choose-wallet.ts";
import type { HoldMoney } from "../command.ts";
import { rejected, type Decision } from "../decision.ts";
import type { LedgerState } from "../ledger-state.ts";
import type { LedgerRules } from "../rules.ts";
import { fact, reserved } from "../wallet.ts";
import { checkedVersion } from "./checked-version.ts";

/** Rejections: those of finding the wallet and of the amount, VERSION_MISMATCH, INSUFFICIENT_FUNDS. */
export function decideHoldMoney(state: LedgerState, command: HoldMoney, rules: LedgerRules): Decision {
  const chosen = chooseWallet(state.walletsOf(command.userId), command, rules.currencies);
  if ("rejection" in chosen) return chosen;
  const { wallet } = chosen;
  const amount = amountIn(wallet, command.amount, "amount");
  if ("rejection" in amount) return amount;
  const mismatch = checkedVersion(command, wallet.version);
  if (mismatch !== undefined) return rejected(mismatch);
  if (amount.minor > wallet.availableMinor) {
    return rejected({ reason: "INSUFFICIENT_FUNDS", available: fact(wallet, wallet.availableMinor), requested: fact(wallet, amount.minor) });
  }

  // From here the hold succeeds.
  return {
    effect: {
      kind: "HOLD",
      wallet: reserved(wallet, amount.minor),
      amountMinor: amount.minor,
      hold: {
        holdId: state.nextOperationId,
        walletId: wallet.walletId,
        amountMinor: amount.minor,
        capturedMinor: 0n,
        status: "ACTIVE",
        createTimeMs: state.nowMs,
        eligibleTimeMs: state.nowMs + (command.holdPeriodMs ?? rules.holdPeriodMs),
        resolveTimeMs: undefined,
      },
    },
  };
}
