// Cancels an active hold at its owner's wish.

import type { ReverseHold } from "../command.ts";
import { rejected, type Decision } from "../decision.ts";
import { remainingMinor, resolved } from "../hold.ts";
import type { LedgerState } from "../ledger-state.ts";
import { reserved } from "../wallet.ts";
import { notActive, ownHold } from "./own-hold.ts";

/** Rejections: those of finding the hold, HOLD_NOT_ACTIVE. */
export function decideReverseHold(state: LedgerState, command: ReverseHold): Decision {
  const found = ownHold(state, command);
  if ("rejection" in found) return found;
  const { hold, wallet } = found;
  const over = notActive(hold);
  if (over !== undefined) return rejected(over);

  // From here the reversal succeeds.
  const amountMinor = remainingMinor(hold);
  return { effect: { kind: "REVERSE", wallet: reserved(wallet, -amountMinor), hold: resolved(hold, "REVERSED", state.nowMs), amountMinor } };
}
