// What a verification tells: how far it has come, and how it ended.

import type { Mismatch } from "./mismatch.ts";

/** How far it has come. */
export interface VerificationProgress {
  readonly checkedOperations: bigint;
  /** As many as the ledger says that it has; it may grow. */
  readonly totalOperations: bigint;
}

/** How it ended. */
export interface VerificationResult {
  readonly checkedOperations: bigint;
  /** The first ones, in the order of the journal and then of the tables. Empty where everything fits. */
  readonly mismatches: readonly Mismatch[];
  /** How many there are in all. */
  readonly mismatchCount: number;
}
