// What a verifier thread is started with, and what it tells. It is told nothing: who wants no more of it ends it.

import type { Database } from "../database.ts";
import type { VerificationProgress, VerificationResult } from "../domain/audit/verification-report.ts";

/** What a verifier thread is started with: plain data, since functions cannot be sent. */
export interface VerifierSettings {
  readonly database: Database;
  /** How long the ledger has kept its keys: a younger one may not be missing. Milliseconds. */
  readonly idempotencyRetentionMs: number;
}

/** Progress, and then one of the others: the thread's last word. */
export type FromVerifier =
  | ({ readonly type: "progress" } & VerificationProgress)
  | ({ readonly type: "result" } & VerificationResult)
  /** The ledger could not be opened; `sentence` is for people, and absent where the failure is a defect. */
  | { readonly type: "notOpened"; readonly sentence: string | undefined; readonly message: string }
  | { readonly type: "failed"; readonly fault: "unavailable" | "defect"; readonly message: string };

/** What whoever asked for a verification is told. */
export type VerificationEvent = Extract<FromVerifier, { readonly type: "progress" | "result" }>;
