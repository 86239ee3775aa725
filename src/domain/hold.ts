// A hold: money of one wallet set aside, active until it is released, reversed or captured.

export type HoldStatus = "ACTIVE" | "RELEASED" | "REVERSED" | "CAPTURED";

/** What never changes about a hold. */
export interface HoldOrigin {
  /** The id of the operation that placed it. */
  readonly holdId: bigint;
  readonly walletId: bigint;
  readonly amountMinor: bigint;
  /** On the ledger's clock, milliseconds since 1970. */
  readonly createTimeMs: number;
}

export interface Hold extends HoldOrigin {
  readonly capturedMinor: bigint;
  readonly status: HoldStatus;
  /** From this time on the hold may be released: its creation plus its hold period. */
  readonly eligibleTimeMs: number;
  readonly resolveTimeMs: number | undefined;
}

/** What is still held: nothing once the hold is resolved. */
export function remainingMinor(hold: { amountMinor: bigint; capturedMinor: bigint; status: HoldStatus }): bigint {
  return hold.status === "ACTIVE" ? hold.amountMinor - hold.capturedMinor : 0n;
}

/** Whether its hold period is over: `now − create_time ≥ hold_period`. */
export function isEligible(hold: Hold, nowMs: number): boolean {
  return hold.status === "ACTIVE" && nowMs >= hold.eligibleTimeMs;
}

/** The hold in a final status, with what remained of it no longer held. */
export function resolved(hold: Hold, status: Exclude<HoldStatus, "ACTIVE">, nowMs: number): Hold {
  return { ...hold, status, resolveTimeMs: nowMs };
}
