// The settings that decisions depend on.

import type { CurrencyRegistry } from "./currency.ts";

export interface LedgerRules {
  readonly currencies: CurrencyRegistry;
  /** Age at which a hold becomes eligible for release, unless its request says otherwise. Milliseconds. */
  readonly holdPeriodMs: number;
  /** How long an idempotency key replays. Milliseconds. */
  readonly idempotencyRetentionMs: number;
}
