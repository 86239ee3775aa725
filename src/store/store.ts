// What a transaction is: the interface between the ledger and whatever keeps its rows.

import type { HoldFilter, Touched } from "../domain/command.ts";
import type { Hold, HoldOrigin, HoldStatus } from "../domain/hold.ts";
import type { RememberedKey } from "../domain/idempotency.ts";
import type { JournalHead, JournalPlace, JournalRecord, OperationKind, WalletAfter } from "../domain/journal.ts";
import type { Changes, CurrencyTotals, LoadedState } from "../domain/loaded-state.ts";
import type { CurrencyCode, UserId, Wallet, WalletName } from "../domain/wallet.ts";

/** The writing side of a ledger's database. */
export interface Store {
  /** How many partitions the ledger has. */
  readonly partitionCount: number;
  /**
   * One database transaction on some partitions, in ascending order and each at most once: locks their journals' heads, loads what `touched` names, lets `plan` decide,
   * writes its changes, which are of these partitions only, and commits. Resolves only after the commit is durable. `plan` is pure and may run several times: again after a conflict, and on PostgreSQL once before anything is locked, on what there will probably be; what it throws there is forgotten, since it runs again.
   * Throws StoreFault where the database fails; what `plan` throws behind the locks is thrown on, with nothing written.
   */
  transact<T>(touched: readonly Touched[], plan: (state: LoadedState) => { changes: readonly Changes[]; result: T }): Promise<T>;
  close(): Promise<void>;
}

/** What whoever has opened an engine's store hands to those who open its reads, in whatever thread. Plain data, of which only the engine knows what it is. */
export type ForReaders = object;

/** Snapshot reads. Each sees everything that was acknowledged before it began. Throws StoreFault where the database fails. */
export interface Reads {
  /** How many partitions the ledger has. */
  readonly partitionCount: number;
  /** The user's wallets in the order of their opening, or the one in this currency. */
  wallets(userId: UserId, currency: CurrencyCode | undefined): Promise<readonly Wallet[]>;
  /** A hold and its wallet, which belong to this user or to somebody else of the same partition. */
  hold(userId: UserId, holdId: bigint): Promise<{ readonly hold: Hold; readonly wallet: Wallet } | undefined>;
  operation(operationId: bigint): Promise<RecordedOperation | undefined>;
  /** The end of the partition's journal. */
  head(partition: number): Promise<JournalHead>;
  /** The same of several, in their order, as one moment has them. */
  heads(partitions: readonly number[]): Promise<readonly JournalHead[]>;
  /** Its beginning: before its first record. */
  start(partition: number): Promise<JournalPlace>;
  /** The operations after this one in the partition's journal, in its order: at most `limit`, and fewer only where it ends. */
  operationsAfter(partition: number, sequence: bigint, limit: number): Promise<readonly RecordedOperation[]>;
  /** What is remembered under a key, however old, with the operation it points at. */
  key(userId: UserId, keyHash: string): Promise<{ readonly key: RememberedKey; readonly operation: RecordedOperation | undefined } | undefined>;
  /** The kept counters per currency, of one user or, partition after partition, of all. */
  totals(filter: { userId: UserId | undefined; currency: CurrencyCode | undefined }): Promise<readonly CurrencyTotals[]>;
  /** Whether any of these holds is active and eligible for release by now. */
  hasOverdue(filter: HoldFilter): Promise<boolean>;
  /** The wallet directly after everything up to this point, inclusive; undefined before it was opened. O(log n) lookups. */
  walletAsOf(wallet: WalletKey, point: JournalPoint): Promise<WalletAfter | undefined>;
  /** A page of the wallet's operations, newest first; undefined where `continueAt` is no place that a page of this query could end at. */
  operations(query: HistoryQuery): Promise<HistoryPage | undefined>;
  /** Where a period begins and ends in the wallet's history, in one snapshot. */
  period(wallet: WalletKey, period: Period): Promise<PeriodOfWallet>;
  /** The wallet's next operations after one place of its history up to another, oldest first: at most 64, and none only where there is no more. */
  operationsForward(wallet: WalletKey, between: { after: bigint; upTo: bigint }): Promise<readonly RecordedOperation[]>;
  /**
   * A page of holds. Active ones: soonest to become eligible first; a user's: wallet after wallet in the order of their opening, newest first; everybody's:
   * partition after partition, newest first. Undefined where `continueAt` is no place that a page of this query could end at.
   */
  holds(query: HoldQuery): Promise<HoldPage | undefined>;
  /** The clock that the user's commands are decided by: the machine's, but never behind the last change of the user's partition; for everybody, of any. Milliseconds since 1970. */
  nowMs(userId: UserId | undefined): Promise<number>;
  close(): Promise<void>;
}

/** Enough of a wallet to find it: its owner leads to its partition. */
export type WalletKey = Pick<WalletName, "walletId" | "userId">;

/** A point of the journal of a wallet's partition: after the last record at this time or before it, or directly after the record in this place. */
export type JournalPoint = { readonly timeMs: number } | { readonly sequence: bigint };

/** From a time on until before another, in milliseconds since 1970; undefined is from the beginning, until now. */
export interface Period {
  readonly startTimeMs: number | undefined;
  readonly endTimeMs: number | undefined;
}

/** A period's ends in one wallet's history. */
export interface PeriodOfWallet {
  /** The wallet's last record before the period and the last in it, which is the same where the period has none; 0 where there is none. */
  readonly after: bigint;
  readonly upTo: bigint;
  /** The wallet directly after these records; undefined before it was opened. */
  readonly opening: WalletAfter | undefined;
  readonly closing: WalletAfter | undefined;
}

/** What bounds a page. It may be shorter than `max`, even empty, while more follow. */
export interface PageBounds {
  readonly max: number;
  /** How many rows are looked at, at most, where the filter has no index. */
  readonly lookedAtMax: number;
}

/** Which of a wallet's operations, and how many. Undefined filters permit everything. */
export interface HistoryQuery extends Period, PageBounds {
  readonly wallet: WalletKey;
  readonly kind: OperationKind | undefined;
  readonly reference: string | undefined;
  /** Where the page before ended; undefined for the first. */
  readonly continueAt: bigint | undefined;
  /** The page ends once the references and metadata in it are larger than this, in bytes of JSON. */
  readonly notesMaxBytes: number;
}

/** Operations of a wallet, newest first. */
export interface HistoryPage {
  readonly operations: readonly RecordedOperation[];
  /** Where the next page begins; undefined where this is the last. */
  readonly continueAt: bigint | undefined;
}

/** Which holds, and how many. Undefined filters permit everything. */
export interface HoldQuery extends PageBounds {
  readonly userId: UserId | undefined;
  readonly currency: CurrencyCode | undefined;
  readonly status: HoldStatus | undefined;
  /** Of active ones, only those that are eligible at this time. */
  readonly eligibleAtMs: number | undefined;
  readonly continueAt: HoldPlace | undefined;
}

/** A place in a list of holds; the time only in a list of active ones, whose order it is, the partition only in one of everybody's. */
export interface HoldPlace {
  readonly partition?: bigint;
  readonly holdId: bigint;
  readonly eligibleTimeMs?: bigint;
}

/** Holds with their wallets, in the order of the list. */
export interface HoldPage {
  readonly holds: readonly { readonly hold: Hold; readonly wallet: Wallet }[];
  readonly continueAt: HoldPlace | undefined;
}

/** An operation with what never changes about the wallets and the hold that it is about. */
export interface RecordedOperation {
  readonly record: JournalRecord;
  readonly wallet: WalletName;
  readonly receiver: WalletName | undefined;
  readonly hold: HoldOrigin | undefined;
}

/**
 * The database failed. `unavailable`: surely nothing was done, later may work. `unknown`: the commit may or may not have happened; a SQLite
 * file is not to be trusted after it before it has been opened anew, a PostgreSQL server goes on.
 */
export class StoreFault extends Error {
  readonly kind: "unavailable" | "unknown";
  /** Where it is a matter of some partitions: those among which they are. What touches none of them may be done all the same. Undefined where it is everybody's. */
  readonly partitions: readonly number[] | undefined;

  constructor(kind: "unavailable" | "unknown", message: string, { partitions, ...options }: ErrorOptions & { readonly partitions?: readonly number[] } = {}) {
    super(message, options);
    this.name = "StoreFault";
    this.kind = kind;
    this.partitions = partitions;
  }
}
