// The order in which active holds become eligible for release, and places in it: the same for every engine.

/** A place in the order of eligibility: time, then id. */
export interface EligibilityPlace {
  readonly eligible_time_ms: bigint;
  readonly hold_id: bigint;
}

/** At most `limit` holds that are eligible by `untilMs`, all behind the place `afterMs` and `afterId`. */
export interface EligibilityWindow {
  readonly partition: bigint;
  readonly afterMs: bigint;
  readonly afterId: bigint;
  readonly untilMs: bigint;
  readonly limit: bigint;
}

/** The place before every hold. */
export const firstPlace = { afterMs: -(2n ** 63n), afterId: -(2n ** 63n) } as const;

/** Above every id, time and sequence. */
export const behindEveryPlace = 2n ** 63n - 1n;

/** Soonest to become eligible first: for sorting what was found of several wallets, currencies or partitions. */
export function byEligibility(a: EligibilityPlace, b: EligibilityPlace): number {
  return Number(a.eligible_time_ms - b.eligible_time_ms) || Number(a.hold_id - b.hold_id);
}
