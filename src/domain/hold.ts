// A hold: money of one wallet set aside, active until it is released, reversed or captured.

/** Statuses of a hold with their stored numbers, which are those of the proto's HoldStatus and never change. All but ACTIVE are final. */
export const holdStatusNumbers = { ACTIVE: 1, RELEASED: 2, REVERSED: 3, CAPTURED: 4 } as const;
export type HoldStatus = keyof typeof holdStatusNumbers;

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
  /** The hold that was placed on the same wallet before this one; 0 for the first. A wallet's holds are this chain. */
  readonly previousHoldId: bigint;
}

/** The hold as it is when it is placed: active, nothing captured. */
export function placed(hold: Omit<Hold, "capturedMinor" | "status" | "resolveTimeMs">): Hold {
  return { ...hold, capturedMinor: 0n, status: "ACTIVE", resolveTimeMs: undefined };
}

/** What is still held: nothing once the hold is resolved. */
export function remainingMinor(hold: { amountMinor: bigint; capturedMinor: bigint; status: HoldStatus }): bigint {
  return hold.status === "ACTIVE" ? hold.amountMinor - hold.capturedMinor : 0n;
}

/** Whether its hold period is over: `now − create_time ≥ hold_period`. */
export function isEligible(hold: Hold, nowMs: number): boolean {
  return hold.status === "ACTIVE" && nowMs >= hold.eligibleTimeMs;
}

/** The hold with this much more of it spent; captured to its end where nothing then remains, or the rest is given back. */
export function captured(hold: Hold, amountMinor: bigint, { isFinal, nowMs }: { isFinal: boolean; nowMs: number }): Hold {
  const capturedMinor = hold.capturedMinor + amountMinor;
  const after = { ...hold, capturedMinor };
  return isFinal || capturedMinor === hold.amountMinor ? resolved(after, "CAPTURED", nowMs) : after;
}

/** What a hold that was captured to its end gave back to available. */
export function returnedMinor(hold: { amountMinor: bigint; capturedMinor: bigint; status: HoldStatus }): bigint {
  return hold.status === "CAPTURED" ? hold.amountMinor - hold.capturedMinor : 0n;
}

/** The hold in a final status, with what remained of it no longer held. */
export function resolved(hold: Hold, status: Exclude<HoldStatus, "ACTIVE">, nowMs: number): Hold {
  return { ...hold, status, resolveTimeMs: nowMs };
}
