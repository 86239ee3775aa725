// Why the ledger says no: one closed list, each reason with the facts that a person would want. The edge makes sentences of them.

import type { Denomination } from "./denomination.ts";
import type { HoldStatus } from "./hold.ts";

/** An amount together with what is needed to print it. */
export interface MoneyFact extends Denomination {
  readonly minor: bigint;
}

export type Rejection =
  // The request is wrong whatever the ledger's state, or cannot be understood without more of it. Never remembered.
  | { readonly reason: "AMOUNT_TOO_PRECISE"; readonly field: string; readonly currency: string; readonly exponent: number }
  | { readonly reason: "AMOUNT_OUT_OF_RANGE"; readonly field: string; readonly maximum: MoneyFact }
  | { readonly reason: "UNKNOWN_CURRENCY"; readonly currency: string }
  | { readonly reason: "CURRENCY_REQUIRED"; readonly userId: string; readonly currencies: readonly string[] }
  | { readonly reason: "SAME_WALLET"; readonly userId: string }
  | { readonly reason: "IDEMPOTENCY_KEY_REUSED"; readonly idempotencyKey: string }
  // A precondition of the caller's. Never remembered.
  | { readonly reason: "VERSION_MISMATCH"; readonly expectedVersion: bigint; readonly actualVersion: bigint }
  // The ledger's state forbids it. Remembered under the idempotency key.
  /** Of an atomic batch, whose fingerprint is `batch`, the item at `index` (from 0) was rejected. Other users' keys do not remember the facts of it, `cause`. */
  | { readonly reason: "BATCH_ABORTED"; readonly batch: string; readonly index: number; readonly causeReason: RejectionReason; readonly cause: Rejection | undefined }
  | { readonly reason: "WALLET_NOT_FOUND"; readonly userId: string; readonly currency?: string | undefined }
  | { readonly reason: "WALLET_EXISTS"; readonly userId: string; readonly currency: string }
  | { readonly reason: "HOLD_NOT_FOUND"; readonly userId: string; readonly holdId: bigint }
  | { readonly reason: "HOLD_NOT_ACTIVE"; readonly holdId: bigint; readonly status: HoldStatus }
  | { readonly reason: "OPERATION_NOT_FOUND"; readonly operationId: bigint }
  | { readonly reason: "INSUFFICIENT_FUNDS"; readonly available: MoneyFact; readonly requested: MoneyFact }
  | { readonly reason: "CAPTURE_EXCEEDS_HOLD"; readonly holdId: bigint; readonly remaining: MoneyFact; readonly requested: MoneyFact }
  | { readonly reason: "HOLD_PERIOD_SHORTENED"; readonly holdId: bigint; readonly holdPeriodMs: number; readonly requestedMs: number }
  | { readonly reason: "WALLET_FROZEN"; readonly userId: string; readonly currency: string }
  | { readonly reason: "WALLET_CLOSED"; readonly userId: string; readonly currency: string }
  | { readonly reason: "WALLET_NOT_EMPTY"; readonly available: MoneyFact; readonly held: MoneyFact }
  | { readonly reason: "BALANCE_LIMIT_EXCEEDED"; readonly total: MoneyFact; readonly requested: MoneyFact; readonly maximum: MoneyFact }
  /** Whoever sends money to another's wallet does not learn what is in it. */
  | { readonly reason: "BALANCE_LIMIT_EXCEEDED"; readonly toUserId: string; readonly requested: MoneyFact };

export type RejectionReason = keyof typeof isRemembered;

/**
 * Whether a late duplicate must be told the same "no" again, even if the ledger would say "yes" by now: true for what its state caused, false
 * for what is wrong with the request itself and for the caller's own precondition.
 */
export const isRemembered = {
  AMOUNT_TOO_PRECISE: false,
  AMOUNT_OUT_OF_RANGE: false,
  UNKNOWN_CURRENCY: false,
  CURRENCY_REQUIRED: false,
  SAME_WALLET: false,
  IDEMPOTENCY_KEY_REUSED: false,
  VERSION_MISMATCH: false,
  BATCH_ABORTED: true,
  WALLET_NOT_FOUND: true,
  WALLET_EXISTS: true,
  HOLD_NOT_FOUND: true,
  HOLD_NOT_ACTIVE: true,
  OPERATION_NOT_FOUND: true,
  INSUFFICIENT_FUNDS: true,
  CAPTURE_EXCEEDS_HOLD: true,
  HOLD_PERIOD_SHORTENED: true,
  WALLET_FROZEN: true,
  WALLET_CLOSED: true,
  WALLET_NOT_EMPTY: true,
  BALANCE_LIMIT_EXCEEDED: true,
} as const satisfies Record<Rejection["reason"], boolean>;
