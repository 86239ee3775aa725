// What the handlers of each service need of the ledger.

import type { LedgerRules } from "../domain/rules.ts";
import type { CommandQueue } from "../ledger/command-queue.ts";
import type { LedgerFeed } from "../ledger/ledger-feed.ts";
import type { Verifier } from "../ledger/verifier.ts";
import type { Reads } from "../store/store.ts";

/** Enough for those that only look at wallets, holds and operations. */
export interface LedgerReads {
  readonly reads: Reads;
  readonly rules: LedgerRules;
}

/** What WalletService needs. */
export interface LedgerAccess extends LedgerReads {
  readonly queue: CommandQueue;
}

/** What ReportService needs. */
export interface ReportAccess extends LedgerReads {
  readonly feed: LedgerFeed;
  readonly verifier: Verifier;
}
