// The tables as Kysely sees them. Integers are bigint, amounts are minor units, times are milliseconds since 1970 on the ledger's clock.
// Every key but that of `ledger` begins with the partition, so that a partition can live on any machine.

import type { Generated } from "kysely";

export interface Tables {
  ledger: LedgerTable;
  ledger_head: LedgerHeadTable;
  wallets: WalletTable;
  holds: HoldTable;
  journal: JournalTable;
  history_marks: HistoryMarkTable;
  idempotency_keys: IdempotencyKeyTable;
  currency_totals: CurrencyTotalsTable;
  moved_operations: MovedOperationTable;
  newer_wallets: NewerWalletsTable;
  key_runs: KeyRunTable;
  key_chunks: KeyChunkTable;
  key_filters: KeyFilterTable;
}

/** One row: what the ledger was created with. */
export interface LedgerTable {
  id: Generated<bigint>;
  partitions: bigint;
  create_time_ms: bigint;
}

/** One row a partition, locked by every transaction on it. */
export interface LedgerHeadTable {
  partition: bigint;
  sequence: bigint;
  hash: Uint8Array;
  time_ms: bigint;
  /** The last ordinal given to an idempotency key. */
  key_ordinal: bigint;
  /** Where the journal begins: its first record has the next sequence, and is chained to this hash. 0 and zeros, unless a copy spread the ledger anew. */
  start_sequence: Generated<bigint>;
  start_hash: Generated<Uint8Array>;
  /** Up to here operations were born in the ledger before, and have its ids. */
  moved_sequence: Generated<bigint>;
}

export interface WalletTable {
  partition: bigint;
  wallet_id: bigint;
  user_id: string;
  currency: string;
  exponent: bigint;
  create_time_ms: bigint;
  available_minor: bigint;
  held_minor: bigint;
  state: bigint;
  version: bigint;
  balance_max_minor: bigint | null;
  head_sequence: bigint;
  /** The newest hold, where the wallet's linked list of holds begins; 0 where there was none. */
  last_hold_id: bigint;
  update_time_ms: bigint;
  /** Counters, see totals-encoding.ts. */
  totals: Uint8Array;
}

/** SQLite's own: the wallets that a batch changed as they are after it, which their rows may have yet to learn (sqlite/newer-wallets/). */
export interface NewerWalletsTable {
  partition: bigint;
  /** The last operation of the batch that changed them. */
  sequence: bigint;
  /** See wallet-state-encoding.ts. */
  states: Uint8Array;
}

export interface HoldTable {
  partition: bigint;
  hold_id: bigint;
  wallet_id: bigint;
  /** The wallet's, so that a currency's eligible holds are found without a look at each wallet. */
  currency: string;
  amount_minor: bigint;
  captured_minor: bigint;
  status: bigint;
  create_time_ms: bigint;
  eligible_time_ms: bigint;
  resolve_time_ms: bigint | null;
  /** The hold that was placed on the same wallet before this one; 0 for the first. */
  previous_hold_id: bigint;
}

/** Append-only. `previous_sequence`, of a receiver `receiver_previous_sequence`, links a wallet's history backwards from its `head_sequence`. */
export interface JournalTable {
  partition: bigint;
  sequence: bigint;
  operation_id: bigint;
  kind: bigint;
  wallet_id: bigint;
  amount_minor: bigint;
  available_after_minor: bigint;
  held_after_minor: bigint;
  state_after: bigint;
  version_after: bigint;
  balance_max_after_minor: bigint | null;
  previous_sequence: bigint;
  time_ms: bigint;
  hold_id: bigint | null;
  hold_status_after: bigint | null;
  hold_captured_after_minor: bigint | null;
  hold_eligible_time_ms: bigint | null;
  opened_user_id: string | null;
  opened_currency: string | null;
  opened_exponent: bigint | null;
  related_operation_id: bigint | null;
  key_hash: Uint8Array | null;
  reference: string | null;
  /** A JSON object of strings. */
  metadata: string | null;
  /** The wallet that receives; the columns up to `receiver_previous_sequence` are null where there is none. */
  receiver_wallet_id: bigint | null;
  receiver_amount_minor: bigint | null;
  receiver_available_after_minor: bigint | null;
  receiver_held_after_minor: bigint | null;
  receiver_state_after: bigint | null;
  receiver_version_after: bigint | null;
  receiver_balance_max_after_minor: bigint | null;
  receiver_previous_sequence: bigint | null;
  /** Whose part this record is where the two wallets are in different partitions, and to whom the other one belongs; all null where they are not. */
  side: bigint | null;
  other_user_id: string | null;
  other_exponent: bigint | null;
  /** In the last record that a batch has written in a partition on PostgreSQL: see postgres/nonce.ts. Not part of the record, and not hashed. Null on SQLite, but in rows that were copied. */
  nonce: bigint | null;
  hash: Uint8Array;
}

/** Every 64th record of a wallet: see history-marks.ts. */
export interface HistoryMarkTable {
  partition: bigint;
  wallet_id: bigint;
  sequence: bigint;
}

/**
 * Ordered by age, so that old keys go from the front; found by hash through an index of the engine's. A key that was remembered anew after its retention has two
 * rows until the old one goes: the newer counts.
 */
export interface IdempotencyKeyTable {
  partition: bigint;
  ordinal: bigint;
  key_hash: Uint8Array;
  fingerprint: Uint8Array;
  time_ms: bigint;
  /** The operation, where it was applied. */
  sequence: bigint | null;
  /** The rejection as JSON, where it was not. */
  rejection: string | null;
}

export interface CurrencyTotalsTable {
  partition: bigint;
  currency: string;
  exponent: bigint;
  totals: Uint8Array;
}

/** Where an operation is whose id does not say it, since it was born in the ledger that this one was spread from. */
export interface MovedOperationTable {
  partition: bigint;
  operation_id: bigint;
  sequence: bigint;
}

/** A sorted run of keys: SQLite's index of them by hash is made of these (docs/decisions/0005). */
export interface KeyRunTable {
  partition: bigint;
  run: bigint;
  /** See `runStates`. */
  state: bigint;
  /** How often its keys have been merged. */
  level: bigint;
  /** It has the keys with these ordinals and those between. */
  first_ordinal: bigint;
  last_ordinal: bigint;
  /** How many it has, less those that were forgotten before it was written. 0 until it is whole. */
  entries: bigint;
  /** The length of its filter, in blocks. */
  filter_blocks: bigint;
  /** SHA-256 of all its entries, in order, and of what never changes of this row; empty until it is whole. */
  hash: Uint8Array;
}

/** A page full of a run's entries, in the order of their hashes. */
export interface KeyChunkTable {
  partition: bigint;
  run: bigint;
  /** The hash of the first of them. */
  first_hash: Uint8Array;
  /** See key-entries.ts. */
  entries: Uint8Array;
}

/** A page full of a run's filter. */
export interface KeyFilterTable {
  partition: bigint;
  run: bigint;
  first_block: bigint;
  /** See key-filter.ts. */
  blocks: Uint8Array;
}
