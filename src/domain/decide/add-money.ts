// Adds money from outside the ledger.

import type { AddMoney } from "../command.ts";
import { rejected, type Decision } from "../decision.ts";
import type { LedgerState } from "../ledger-state.ts";
import type { LedgerRules } from "../rules.ts";
import { credited, fact, isOverLimit, totalMaxMinor, totalMinor } from "../wallet.ts";
import { walletAndAmount } from "./wallet-and-amount.ts";
import { mayNotChange } from "./wallet-state.ts";

/** Rejections: those of finding the wallet and of the amount, VERSION_MISMATCH, OPERATION_NOT_FOUND, WALLET_CLOSED, BALANCE_LIMIT_EXCEEDED. */
export function decideAddMoney(state: LedgerState, command: AddMoney, rules: LedgerRules): Decision {
  const found = walletAndAmount(state, command, rules);
  if ("rejection" in found) return found;
  const { wallet, amountMinor } = found;
  const { relatedOperationId } = command;
  if (relatedOperationId !== undefined && !state.hasOperation(relatedOperationId)) {
    return rejected({ reason: "OPERATION_NOT_FOUND", operationId: relatedOperationId });
  }
  const forbidden = mayNotChange(wallet);
  if (forbidden !== undefined) return rejected(forbidden);
  if (isOverLimit(wallet, amountMinor)) {
    return rejected({
      reason: "BALANCE_LIMIT_EXCEEDED",
      total: fact(wallet, totalMinor(wallet)),
      requested: fact(wallet, amountMinor),
      maximum: fact(wallet, totalMaxMinor(wallet)),
    });
  }

  // From here the addition succeeds.
  return { effect: { kind: "ADD", wallet: credited(wallet, amountMinor), amountMinor, relatedOperationId } };
}
