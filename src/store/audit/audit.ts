// What a verification reads of a ledger's database, in snapshots, and where it keeps what it recomputes: the interfaces between it and the engines.
//
// Rows come as they are stored. Somebody may have altered them, so nothing is promised of their content.

import type { Selectable } from "kysely";
import type { Mismatches } from "../../domain/audit/mismatch.ts";
import type { RecomputedState } from "../../domain/audit/replay.ts";
import type { Hold } from "../../domain/hold.ts";
import type { Side } from "../../domain/journal.ts";
import type { Wallet } from "../../domain/wallet.ts";
import type { CurrencyTotalsTable, HistoryMarkTable, HoldTable, IdempotencyKeyTable, JournalTable, LedgerHeadTable, LedgerTable, MovedOperationTable, WalletTable } from "../tables.ts";

/** A connection of its own that never writes. Throws StoreFault where the database fails. */
export interface Audit {
  /** Everything that `read` reads of one partition is of one commit. Keep it short: a database cannot clean up behind an open snapshot. */
  snapshot<T>(read: (rows: AuditRows) => Promise<T>): Promise<T>;
  /** The same of all partitions together; where they are on several machines, writers wait for a moment while it begins. */
  snapshotOfAll<T>(read: (rows: AuditRows) => Promise<T>): Promise<T>;
  /** Comparisons of what this engine keeps beside the tables that all have, such as indexes of its own making. Each compares a little more in every snapshot, and answers whether there is no more. */
  ownComparisons(options: { readonly partition: bigint; readonly mismatches: Mismatches }): readonly (() => Promise<boolean>)[];
  close(): Promise<void>;
}

/** The next rows of a partition in the order of their key: at most `limit`, all with a key above `after`. */
export interface RowRange {
  readonly partition: bigint;
  readonly after: bigint;
  readonly limit: bigint;
}

/** The next marks in the order of wallets and places. */
export interface MarkRange {
  readonly partition: bigint;
  readonly afterWalletId: bigint;
  readonly afterSequence: bigint;
  readonly limit: bigint;
}

/** Below every key, also those that no ledger gives. */
export const belowEveryKey = -(2n ** 63n);

/** What one of the service's ways to a row finds, beside the way by the row's key. */
export interface Found {
  /** The key of the row that is looked for. */
  readonly key: bigint;
  /** What it is looked for by: "user and currency". */
  readonly by: string;
  /** The key of the row that is found; undefined where none is. */
  readonly foundKey: bigint | undefined;
}

/** Name of a table, an index or the like → how it is defined, in the engine's words without their spelling. */
export type Schema = ReadonlyMap<string, string>;

/** The tables as one snapshot has them. Ranges go by the key that each method names. */
export interface AuditRows {
  /** The database's schema, and that which a new ledger of this version has. */
  schema(): Promise<{ readonly actual: Schema; readonly expected: Schema }>;
  ledger(): Promise<Selectable<LedgerTable> | undefined>;
  /** The tables that have rows in partitions which the ledger does not have. */
  strayTables(partitions: bigint): Promise<readonly string[]>;
  head(partition: bigint): Promise<Selectable<LedgerHeadTable> | undefined>;
  /** By sequence. */
  records(range: RowRange): Promise<readonly Selectable<JournalTable>[]>;
  /** Those of these records that there are. */
  recordsAt(partition: bigint, sequences: readonly bigint[]): Promise<readonly Selectable<JournalTable>[]>;
  /** By wallet id. */
  wallets(range: RowRange): Promise<readonly Selectable<WalletTable>[]>;
  walletsFound(wallets: readonly Selectable<WalletTable>[]): Promise<readonly Found[]>;
  /** By hold id. */
  holds(range: RowRange): Promise<readonly Selectable<HoldTable>[]>;
  /** Of the active ones: no other is looked for but by its key. */
  holdsFound(holds: readonly Selectable<HoldTable>[]): Promise<readonly Found[]>;
  /** By ordinal. */
  keys(range: RowRange): Promise<readonly Selectable<IdempotencyKeyTable>[]>;
  /** What the service finds by each of these hashes, the newest where there are several; undefined where it finds none. */
  keysWith(partition: bigint, keyHashes: readonly Uint8Array[]): Promise<readonly (Selectable<IdempotencyKeyTable> | undefined)[]>;
  /** The key with the lowest, or the highest, ordinal. */
  endKey(partition: bigint, end: "oldest" | "newest"): Promise<Selectable<IdempotencyKeyTable> | undefined>;
  marks(range: MarkRange): Promise<readonly Selectable<HistoryMarkTable>[]>;
  /** Those of these marks that there are. */
  marksAt(marks: readonly Selectable<HistoryMarkTable>[]): Promise<readonly Selectable<HistoryMarkTable>[]>;
  /** By operation id. */
  moved(range: RowRange): Promise<readonly Selectable<MovedOperationTable>[]>;
  /** Those of these operations that there are. */
  movedAt(partition: bigint, operationIds: readonly bigint[]): Promise<readonly Selectable<MovedOperationTable>[]>;
  /** In the order of currency and exponent. */
  currencyTotals(partition: bigint): Promise<readonly Selectable<CurrencyTotalsTable>[]>;
}

/** What is recomputed of all partitions, in bounded memory whatever its size. */
export interface Scratch {
  of(partition: number): PartitionScratch;
  /** At most `limit` operations in two partitions that do not have two records of one content, in the order of their ids, all above `after`. */
  unmatched(after: bigint, limit: bigint): readonly UnmatchedRecords[];
  close(): void;
}

/** Recomputed wallets and holds of one partition. */
export interface PartitionScratch extends RecomputedState {
  /** At most `limit` wallets in the order of their ids, all above `after`. */
  walletsAfter(after: bigint, limit: bigint): readonly Wallet[];
  holdsAfter(after: bigint, limit: bigint): readonly Hold[];
}

/** Of an operation in two partitions one side is missing, or they contradict each other. */
export interface UnmatchedRecords {
  readonly operationId: bigint;
  /** The side whose record there is none of; undefined where there are both. */
  readonly missing: Side | undefined;
}
