// Finds the holds that may be released: all of them, a currency's, a user's, or those of wallets that a batch touches, oldest eligibility first.

import type { Touched } from "../../domain/command.ts";
import type { EligibleHolds } from "../../domain/loaded-state.ts";
import { firstPlace, type EligibilityPlace, type EligibilityWindow } from "../eligibility.ts";
import { activeOfCurrency, activeOfUser, activeOfWallets } from "./active-holds.ts";
import type { Session } from "./session.ts";

type Filter = NonNullable<Touched["eligibleHolds"]>;

/** Looks for at most `filter.max` holds, and for one more to know whether more remain. */
export async function eligibleHolds(
  session: Session,
  partition: bigint,
  { filter, nowMs, touchedWalletIds }: { readonly filter: Filter; readonly nowMs: number; readonly touchedWalletIds: readonly bigint[] },
): Promise<EligibleHolds> {
  const window = { partition, ...firstPlace, untilMs: BigInt(nowMs), limit: BigInt(filter.max + 1) };
  const oldestFirst = await find(session, window, filter, touchedWalletIds);
  return { holdIds: oldestFirst.slice(0, filter.max).map((row) => row.hold_id), moreRemain: oldestFirst.length > filter.max };
}

function find(session: Session, window: EligibilityWindow, filter: Filter, touchedWalletIds: readonly bigint[]): Promise<EligibilityPlace[]> {
  if ("of" in filter) return session.all(activeOfWallets, { ...window, walletIds: touchedWalletIds });
  const { userId, currency = "" } = filter;
  return userId === undefined ? session.all(activeOfCurrency, { ...window, currency }) : session.all(activeOfUser, { ...window, userId, currency });
}
