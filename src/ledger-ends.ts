// One network thread's ends of the ledger: what decides its commands and what it reads, whichever engine is behind them.

import type { Executor } from "./ledger/executor.ts";
import type { LaneLimits } from "./ledger/partition-lanes.ts";
import type { Reads } from "./store/store.ts";

/** Opened by open-ledger-ends.ts, one for each network thread. */
export interface LedgerEnds {
  readonly executor: Pick<Executor, "execute">;
  readonly reads: Reads;
  /** What bounds batches of different partitions that go side by side; undefined where one writer takes everything. */
  readonly lanes: LaneLimits | undefined;
  /** Whether an answer means that what it tells survives a loss of power, and why not where it does not: one sentence each. */
  readonly durability: { readonly durable: boolean; readonly reasons: readonly string[] };
  /** Calls this from now on when others may have committed something. */
  whenGrown(listener: () => void): void;
  close(): Promise<void>;
}
