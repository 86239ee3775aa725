// Cancels an active hold at its owner's wish.

import type { ReverseHold } from "../command.ts";
import { rejected, type Decision } from "../decision.ts";
import { remainingMinor, resolved } from "../hold.ts";
import type { LedgerState } from "../ledger-state.ts";
import { reserved } from "../wallet.ts";
import { checkedVersion } from "./checked-version.ts";

/** Rejections: HOLD_NOT_FOUND (also for another user's hold, so that ids tell nothing), HOLD_NOT_ACTIVE, VERSION_MISMATCH. */
export function decideReverseHold(state: LedgerState, command: ReverseHold): Decision {
  const { userId, holdId } = command;
  const hold = state.hold(holdId);
  const wallet = hold && state.wallet(hold.walletId);
  if (hold === undefined || wallet?.userId !== userId) return rejected({ reason: "HOLD_NOT_FOUND", userId, holdId });
  const mismatch = checkedVersion(command, wallet.version);
  if (mismatch !== undefined) return rejected(mismatch);
  if (hold.status !== "ACTIVE") return rejected({ reason: "HOLD_NOT_ACTIVE", holdId, status: hold.status });

  // From here the reversal succeeds.
  const amountMinor = remainingMinor(hold);
  return { effect: { kind: "REVERSE", wallet: reserved(wallet, -amountMinor), hold: resolved(hold, "REVERSED", state.nowMs), amountMinor } };
}
