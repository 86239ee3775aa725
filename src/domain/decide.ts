// Decides one command against the ledger as it stands: pure, in order, without I/O.

import type { WalletCommand } from "./command.ts";
import { decideAddMoney } from "./decide/add-money.ts";
import { decideCaptureHold } from "./decide/capture-hold.ts";
import { decideChangeWalletState } from "./decide/change-wallet-state.ts";
import { decideExtendHold } from "./decide/extend-hold.ts";
import { decideHoldMoney } from "./decide/hold-money.ts";
import { decideInitWallet } from "./decide/init-wallet.ts";
import { decideReverseHold } from "./decide/reverse-hold.ts";
import { decideSetWalletLimits } from "./decide/set-wallet-limits.ts";
import { decideTransferMoney } from "./decide/transfer-money.ts";
import { decideWithdrawMoney } from "./decide/withdraw-money.ts";
import type { Decision } from "./decision.ts";
import type { LedgerState } from "./ledger-state.ts";
import type { LedgerRules } from "./rules.ts";

/** What the command would do to this state, or why not. Changes nothing. */
export function decide(state: LedgerState, command: WalletCommand, rules: LedgerRules): Decision {
  switch (command.type) {
    case "initWallet":
      return decideInitWallet(state, command, rules);
    case "addMoney":
      return decideAddMoney(state, command, rules);
    case "holdMoney":
      return decideHoldMoney(state, command, rules);
    case "reverseHold":
      return decideReverseHold(state, command);
    case "captureHold":
      return decideCaptureHold(state, command);
    case "extendHold":
      return decideExtendHold(state, command);
    case "withdrawMoney":
      return decideWithdrawMoney(state, command, rules);
    case "transferMoney":
      return decideTransferMoney(state, command, rules);
    case "freezeWallet":
    case "unfreezeWallet":
    case "closeWallet":
      return decideChangeWalletState(state, command, rules);
    case "setWalletLimits":
      return decideSetWalletLimits(state, command, rules);
    default:
      return command satisfies never;
  }
}
