// Moves available money from one user's wallet to another's: one operation with an entry in each.

import type { TransferMoney } from "../command.ts";
import { rejected, type Decision } from "../decision.ts";
import type { LedgerState } from "../ledger-state.ts";
import type { LedgerRules } from "../rules.ts";
import { debited } from "../wallet.ts";
import { insufficientFunds } from "./insufficient-funds.ts";
import { receiving } from "./receiver.ts";
import { walletAndAmount } from "./wallet-and-amount.ts";
import { mayNotSpend } from "./wallet-state.ts";

/** Rejections: those of finding the payer's wallet, of the amount and of the receiver, SAME_WALLET, VERSION_MISMATCH, WALLET_FROZEN, WALLET_CLOSED, INSUFFICIENT_FUNDS. */
export function decideTransferMoney(state: LedgerState, command: TransferMoney, rules: LedgerRules): Decision {
  const { userId, toUserId, amount } = command;
  if (toUserId === userId) return rejected({ reason: "SAME_WALLET", userId });
  const found = walletAndAmount(state, command, rules);
  if ("rejection" in found) return found;
  const { wallet, amountMinor } = found;
  const forbidden = mayNotSpend(wallet) ?? insufficientFunds(wallet, amountMinor);
  if (forbidden !== undefined) return rejected(forbidden);
  const received = receiving(state, wallet, { toUserId, amount });
  if ("rejection" in received) return received;

  // From here the transfer succeeds.
  return { effect: { kind: "TRANSFER", wallet: debited(wallet, amountMinor), amountMinor, receiver: received.receiver } };
}
