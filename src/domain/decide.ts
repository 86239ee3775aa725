// Decides one command against the ledger as it stands: pure, in order, without I/O.

import type { WalletCommand } from "./command.ts";
import { decideAddMoney } from "./decide/add-money.ts";
import { decideHoldMoney } from "./decide/hold-money.ts";
import { decideInitWallet } from "./decide/init-wallet.ts";
import { decideReverseHold } from "./decide/reverse-hold.ts";
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
    default:
      return command satisfies never;
  }
}
