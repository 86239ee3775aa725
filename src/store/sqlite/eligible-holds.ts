// Finds the holds that may be released: all of them, a currency's, or a user's, oldest eligibility first.

import type { Touched } from "../../domain/command.ts";
import type { EligibleHolds } from "../../domain/loaded-state.ts";
import { byEligibility, firstPlace, type EligibilityPlace, type EligibilityWindow } from "../eligibility.ts";
import type { ActiveHolds } from "./active-holds.ts";
import type { Queries } from "./queries.ts";
import { walletRowsOf } from "./user-wallets.ts";

type Filter = NonNullable<Touched["eligibleHolds"]>;
type Find = (partition: bigint, filter: Filter, nowMs: number, touchedWalletIds: Iterable<bigint>) => EligibleHolds;

/**
 * Answers a function that looks for at most `max` holds, and for one more to know whether more remain: of all, of a filter, or of the wallets that
 * a batch touches. A user has few wallets and a ledger few currencies: the oldest of each are found through an index, and the oldest of those are the answer. Nothing else is looked at.
 */
export function eligibleHolds(active: ActiveHolds, queries: Queries): Find {
  /** Whichever come first: all of them are to be released, and no more are read than one transaction can release. */
  const ofTouched = (window: EligibilityWindow, walletIds: Iterable<bigint>): EligibilityPlace[] => {
    const places: EligibilityPlace[] = [];
    for (const walletId of walletIds) {
      const left = window.limit - BigInt(places.length);
      if (left <= 0n) break;
      places.push(...active.ofWallet.all({ ...window, limit: left, walletId }));
    }
    return places;
  };

  const candidates = (window: EligibilityWindow, filter: Filter, touchedWalletIds: Iterable<bigint>): EligibilityPlace[] => {
    const ofWallets = (walletIds: Iterable<bigint>): EligibilityPlace[] => [...walletIds].flatMap((walletId) => active.ofWallet.all({ ...window, walletId }));
    if ("of" in filter) return ofTouched(window, touchedWalletIds);
    const { userId, currency } = filter;
    const { partition } = window;
    if (userId !== undefined) return ofWallets(walletRowsOf(queries, { partition, userId, currency }).map((wallet) => wallet.wallet_id));
    const currencies = currency === undefined ? active.currencies(partition) : [currency];
    return currencies.flatMap((each) => active.ofCurrency.all({ ...window, currency: each }));
  };

  return (partition, filter, nowMs, touchedWalletIds) => {
    const window = { partition, ...firstPlace, untilMs: BigInt(nowMs), limit: BigInt(filter.max + 1) };
    const oldestFirst = candidates(window, filter, touchedWalletIds).toSorted(byEligibility);
    return { holdIds: oldestFirst.slice(0, filter.max).map((row) => row.hold_id), moreRemain: oldestFirst.length > filter.max };
  };
}
