// Gives back what an eligible hold still holds.

import assert from "node:assert/strict";
import type { Effect } from "../decision.ts";
import { isEligible, remainingMinor, resolved } from "../hold.ts";
import type { LedgerState } from "../ledger-state.ts";
import { reserved } from "../wallet.ts";

/** The release of one hold that the store found eligible. */
export function releaseOf(state: LedgerState, holdId: bigint): Effect {
  const hold = state.hold(holdId);
  assert(hold !== undefined && isEligible(hold, state.nowMs), "only eligible holds are released");
  const amountMinor = remainingMinor(hold);
  return { kind: "RELEASE", wallet: reserved(state.wallet(hold.walletId), -amountMinor), hold: resolved(hold, "RELEASED", state.nowMs), amountMinor };
}
