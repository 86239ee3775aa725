// Counters kept beside the balances, so that a report costs the same after ten operations and after ten million.

/** What is counted: operations by kind. Reports on holds follow from them. The order is that of the stored encoding: only append. */
export const totalKinds = [
  "adds",
  "holds",
  "releases",
  "reversals",
  "captures",
  /** Holds that are CAPTURED, with all that was captured of them. */
  "capturedHolds",
  /** What captures gave back to available when they ended their holds. */
  "captureReturns",
  "withdrawals",
  "transfersOut",
  "transfersIn",
] as const;
export type TotalKind = (typeof totalKinds)[number];

/** How many operations, and how much they moved. Both may grow beyond 64 bits and stay exact. */
export interface Total {
  readonly count: bigint;
  readonly minor: bigint;
}

export type Totals = Readonly<Record<TotalKind, Total>>;

const nothing: Total = { count: 0n, minor: 0n };
export const noTotals = Object.fromEntries(totalKinds.map((kind) => [kind, nothing])) as Totals;

/** The totals with one more operation of this kind. */
export function counted(totals: Totals, kind: TotalKind, amountMinor: bigint): Totals {
  const { count, minor } = totals[kind];
  return { ...totals, [kind]: { count: count + 1n, minor: minor + amountMinor } };
}

/** What the totals say of active holds: all that were placed, less those that were resolved, and less what was captured of the others. */
export function activeHolds({ holds, releases, reversals, captures, capturedHolds, captureReturns }: Totals): Total {
  return {
    count: holds.count - releases.count - reversals.count - capturedHolds.count,
    minor: holds.minor - releases.minor - reversals.minor - captures.minor - captureReturns.minor,
  };
}
