// Spends a hold, or a part of it: the money leaves the ledger, or goes to another wallet.

import { amountIn } from "../amount.ts";
import type { CaptureHold } from "../command.ts";
import { rejected, type Decision } from "../decision.ts";
import { captured, remainingMinor, returnedMinor } from "../hold.ts";
import type { LedgerState } from "../ledger-state.ts";
import { fact, reserved, spent } from "../wallet.ts";
import { notActive, ownHold } from "./own-hold.ts";
import { receiving } from "./receiver.ts";
import { mayNotSpend } from "./wallet-state.ts";

/** Rejections: those of finding the hold, of the amount and of the receiver, SAME_WALLET, HOLD_NOT_ACTIVE, WALLET_FROZEN, CAPTURE_EXCEEDS_HOLD. */
export function decideCaptureHold(state: LedgerState, command: CaptureHold): Decision {
  const { userId, toUserId, isFinal } = command;
  if (toUserId === userId) return rejected({ reason: "SAME_WALLET", userId });
  const found = ownHold(state, command);
  if ("rejection" in found) return found;
  const { hold, wallet } = found;
  const amount = amountIn(wallet, command.amount, "amount");
  if ("rejection" in amount) return amount;
  const amountMinor = amount.minor;
  const forbidden = notActive(hold) ?? mayNotSpend(wallet);
  if (forbidden !== undefined) return rejected(forbidden);
  const remaining = remainingMinor(hold);
  if (amountMinor > remaining) {
    return rejected({ reason: "CAPTURE_EXCEEDS_HOLD", holdId: hold.holdId, remaining: fact(wallet, remaining), requested: fact(wallet, amountMinor) });
  }
  const received = toUserId === undefined ? undefined : receiving(state, wallet, { toUserId, amount: command.amount });
  if (received !== undefined && "rejection" in received) return received;

  // From here the capture succeeds.
  const holdAfter = captured(hold, amountMinor, { isFinal, nowMs: state.nowMs });
  const walletAfter = reserved(spent(wallet, amountMinor), -returnedMinor(holdAfter));
  return { effect: { kind: "CAPTURE", wallet: walletAfter, hold: holdAfter, amountMinor, receiver: received?.receiver } };
}
