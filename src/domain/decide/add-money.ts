// Adds money from outside the ledger.

import { amountIn } from "../amount.ts";
import { chooseWallet } from "../choose-wallet.ts";
import type { AddMoney } from "../command.ts";
import { rejected, type Decision } from "../decision.ts";
import type { LedgerState } from "../ledger-state.ts";
import type { LedgerRules } from "../rules.ts";
import { credited, fact, totalMaxMinor, totalMinor } from "../wallet.ts";
import { checkedVersion } from "./checked-version.ts";

/** Rejections: those of finding the wallet and of the amount, VERSION_MISMATCH, OPERATION_NOT_FOUND, BALANCE_LIMIT_EXCEEDED. */
export function decideAddMoney(state: LedgerState, command: AddMoney, rules: LedgerRules): Decision {
  const chosen = chooseWallet(state.walletsOf(command.userId), command, rules.currencies);
  if ("rejection" in chosen) return chosen;
  const { wallet } = chosen;
  const amount = amountIn(wallet, command.amount, "amount");
  if ("rejection" in amount) return amount;
  const mismatch = checkedVersion(command, wallet.version);
  if (mismatch !== undefined) return rejected(mismatch);
  const { relatedOperationId } = command;
  if (relatedOperationId !== undefined && !state.hasOperation(relatedOperationId)) {
    return rejected({ reason: "OPERATION_NOT_FOUND", operationId: relatedOperationId });
  }
  if (totalMinor(wallet) + amount.minor > totalMaxMinor(wallet)) {
    return rejected({
      reason: "BALANCE_LIMIT_EXCEEDED",
      total: fact(wallet, totalMinor(wallet)),
      requested: fact(wallet, amount.minor),
      maximum: fact(wallet, totalMaxMinor(wallet)),
    });
  }

  // From here the addition succeeds.
  return { effect: { kind: "ADD", wallet: credited(wallet, amount.minor), amountMinor: amount.minor, relatedOperationId } };
}
