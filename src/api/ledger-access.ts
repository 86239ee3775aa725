// What the handlers need of the ledger.

import type { LedgerRules } from "../domain/rules.ts";
import type { CommandQueue } from "../ledger/command-queue.ts";
import type { Reads } from "../store/store.ts";

export interface LedgerAccess {
  readonly queue: CommandQueue;
  readonly reads: Reads;
  readonly rules: LedgerRules;
}

/** Enough for those that change nothing. */
export type LedgerReads = Omit<LedgerAccess, "queue">;
