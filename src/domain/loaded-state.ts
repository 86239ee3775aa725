// What a store loads for a batch, and what it writes of it.

import type { Denomination } from "./denomination.ts";
import type { Hold } from "./hold.ts";
import type { RememberedKey } from "./idempotency.ts";
import type { JournalHead, JournalRecord } from "./journal.ts";
import type { Totals } from "./totals.ts";
import type { CurrencyCode, Wallet } from "./wallet.ts";

/** The counters of all wallets of one currency that were opened with the same exponent. */
export interface CurrencyTotals extends Denomination {
  readonly currency: CurrencyCode;
  readonly totals: Totals;
}

/** What the store loads for a batch. */
export interface LoadedState {
  /** How many partitions the ledger has. */
  readonly partitionCount: number;
  /** The ledger's clock for the whole batch: never behind any head's time. Milliseconds since 1970. */
  readonly nowMs: number;
  /** Those that the batch touches, locked until it is written. */
  readonly partitions: readonly LoadedPartition[];
}

/** What is loaded of one partition. */
export interface LoadedPartition {
  readonly head: JournalHead;
  readonly wallets: readonly Wallet[];
  readonly holds: readonly Hold[];
  /** The records that the keys point at. */
  readonly records: readonly JournalRecord[];
  /** Those of the operations asked about that there are, of any partition. */
  readonly operationIds: readonly bigint[];
  readonly keys: readonly RememberedKey[];
  readonly currencyTotals: readonly CurrencyTotals[];
  readonly eligible: EligibleHolds;
}

/** The ids of the holds that a batch may release, oldest eligibility first, and whether there are more. */
export interface EligibleHolds {
  readonly holdIds: readonly bigint[];
  readonly moreRemain: boolean;
}

/** What a batch has changed of one partition, for the store to write. */
export interface Changes {
  readonly head: JournalHead;
  readonly records: readonly JournalRecord[];
  readonly wallets: readonly Wallet[];
  readonly holds: readonly Hold[];
  readonly keys: readonly RememberedKey[];
  readonly currencyTotals: readonly CurrencyTotals[];
  /** Keys that were remembered before this time may be forgotten. Milliseconds since 1970. */
  readonly forgetKeysBeforeMs: number;
}
