// Gives back what eligible holds still hold.

import assert from "node:assert/strict";
import type { ReleasedAnswer } from "../answer.ts";
import type { Effect } from "../decision.ts";
import { byDenomination, denominationKey } from "../denomination.ts";
import { isEligible, remainingMinor, resolved } from "../hold.ts";
import type { LedgerState } from "../ledger-state.ts";
import type { MoneyFact } from "../rejection.ts";
import { fact, reserved } from "../wallet.ts";

/** Releases the holds that the store found eligible, one operation each. With `validateOnly` it only says what that would be. */
export function releaseHolds(state: LedgerState, { validateOnly }: { readonly validateOnly: boolean }): ReleasedAnswer {
  const { holdIds, moreRemain } = state.eligible;
  const sums = new Map<string, MoneyFact>();
  for (const holdId of holdIds) {
    const effect = releaseOf(state, holdId);
    if (!validateOnly) state.apply(effect, state.drafted(effect, { keyHash: undefined, reference: "", metadata: {} }));
    const key = denominationKey(effect.wallet);
    sums.set(key, fact(effect.wallet, (sums.get(key)?.minor ?? 0n) + effect.amountMinor));
  }
  return { type: "released", count: holdIds.length, amounts: [...sums.values()].toSorted(byDenomination), moreRemain };
}

function releaseOf(state: LedgerState, holdId: bigint): Effect {
  const hold = state.hold(holdId);
  assert(hold !== undefined && isEligible(hold, state.nowMs), "only eligible holds are released");
  const amountMinor = remainingMinor(hold);
  return { kind: "RELEASE", wallet: reserved(state.wallet(hold.walletId), -amountMinor), hold: resolved(hold, "RELEASED", state.nowMs), amountMinor };
}
