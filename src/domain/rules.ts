// The settings that decisions depend on.

import type { CurrencyRegistry } from "./currency.ts";

export interface LedgerRules {
  readonly currencies: CurrencyRegistry;
  /** Age at which a hold becomes eligible for release, unless its request says otherwise. Milliseconds. */
  readonly holdPeriodMs: number;
  /** Overdue holds are released before anything of their wallets is decided or answered. */
  readonly autoRelease: boolean;
  /** How long an idempotency key replays. Milliseconds. */
  readonly idempotencyRetentionMs: number;
}
