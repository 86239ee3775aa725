// A release of holds: of one user in one partition; of everybody partition by partition, each in a transaction of its own, since no two holds need to be released together.

import type { ReleasedAnswer } from "../domain/answer.ts";
import { decideRelease, touchedByRelease } from "../domain/batch.ts";
import { releaseHoldsMax, type ReleaseHolds } from "../domain/command.ts";
import { byDenomination, denominationKey } from "../domain/denomination.ts";
import { partitionOf } from "../domain/partitions.ts";
import type { MoneyFact } from "../domain/rejection.ts";
import type { LedgerRules } from "../domain/rules.ts";
import { StoreFault, type Store } from "../store/store.ts";

/**
 * Releases at most `releaseHoldsMax` holds in all. Where the database fails before a partition's are released, what was released before is the answer, and that more may remain. Throws StoreFault where nothing was
 * released, or where it is unknown whether a partition's were.
 */
export async function releaseEverywhere(store: Store, command: ReleaseHolds, rules: LedgerRules): Promise<ReleasedAnswer> {
  const { userId, currency } = command;
  const partitions = userId === undefined ? Array.from({ length: store.partitionCount }, (_, partition) => partition) : [partitionOf(userId, store.partitionCount)];
  let released: ReleasedAnswer = { type: "released", count: 0, amounts: [], moreRemain: false };
  for (const partition of partitions) {
    // With nothing left to release it is still to be known whether more remain.
    if (released.moreRemain) break;
    const max = releaseHoldsMax - released.count;
    let here: ReleasedAnswer;
    try {
      here = await store.transact([touchedByRelease({ partition, userId, currency, max })], (state) => decideRelease(state, command, rules));
    } catch (error) {
      if (released.count > 0 && error instanceof StoreFault && error.kind === "unavailable") return { ...released, moreRemain: true };
      throw error;
    }
    released = { type: "released", count: released.count + here.count, amounts: summed([...released.amounts, ...here.amounts]), moreRemain: here.moreRemain };
  }
  return released;
}

/** One amount for each currency and exponent, in the order of the currencies. */
function summed(amounts: readonly MoneyFact[]): MoneyFact[] {
  const sums = new Map<string, MoneyFact>();
  for (const amount of amounts) {
    const key = denominationKey(amount);
    sums.set(key, { ...amount, minor: (sums.get(key)?.minor ?? 0n) + amount.minor });
  }
  return [...sums.values()].toSorted(byDenomination);
}
