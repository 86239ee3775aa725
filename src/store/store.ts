// What a transaction is: the interface between the ledger and whatever keeps its rows.

import type { Touched } from "../domain/command.ts";
import type { Hold, HoldOrigin } from "../domain/hold.ts";
import type { RememberedKey } from "../domain/idempotency.ts";
import type { JournalHead, JournalRecord } from "../domain/journal.ts";
import type { Changes, CurrencyTotals, LoadedState } from "../domain/ledger-state.ts";
import type { CurrencyCode, UserId, Wallet, WalletIdentity } from "../domain/wallet.ts";

/** The writing side of a ledger's database. */
export interface Store {
  /**
   * One database transaction on one partition: locks its journal's head, loads what `touched` names, lets `plan` decide, writes its changes and
   * commits. Resolves only after the commit is durable. `plan` is pure and may run again after a conflict.
   * Throws StoreFault where the database fails; what `plan` throws is thrown on, with nothing written.
   */
  transact<T>(partition: number, touched: Touched, plan: (state: LoadedState) => { changes: Changes | undefined; result: T }): Promise<T>;
  close(): Promise<void>;
}

/** Snapshot reads. Each sees everything that was acknowledged before it began. Throws StoreFault where the database fails. */
export interface Reads {
  /** The user's wallets in the order of their opening, or the one in this currency. */
  wallets(userId: UserId, currency: CurrencyCode | undefined): Promise<readonly Wallet[]>;
  /** A hold and its wallet, whoever owns it. */
  hold(holdId: bigint): Promise<{ readonly hold: Hold; readonly wallet: Wallet } | undefined>;
  operation(operationId: bigint): Promise<RecordedOperation | undefined>;
  /** The end of the partition's journal. */
  head(partition: number): Promise<JournalHead>;
  /** The operations after this one in the partition's journal, in its order: at most `limit`, and fewer only where it ends. */
  operationsAfter(partition: number, sequence: bigint, limit: number): Promise<readonly JournaledOperation[]>;
  /** What is remembered under a key, however old, with the operation it points at. */
  key(userId: UserId, keyHash: string): Promise<{ readonly key: RememberedKey; readonly operation: RecordedOperation | undefined } | undefined>;
  /** The kept counters per currency, of one user or of all. */
  totals(filter: { userId: UserId | undefined; currency: CurrencyCode | undefined }): Promise<readonly CurrencyTotals[]>;
  /** The ledger's clock: the machine's, but never behind the last change. Milliseconds since 1970. */
  nowMs(): Promise<number>;
  close(): Promise<void>;
}

/** An operation with what never changes about the wallets and the hold that it is about. */
export interface JournaledOperation {
  readonly record: JournalRecord;
  readonly wallet: WalletIdentity;
  readonly receiver: WalletIdentity | undefined;
  readonly hold: HoldOrigin | undefined;
}

/** An operation with the wallets and the hold that it is about, as they are now. */
export interface RecordedOperation {
  readonly record: JournalRecord;
  readonly wallet: Wallet;
  readonly receiver: Wallet | undefined;
  readonly hold: Hold | undefined;
}

/**
 * The database failed. `unavailable`: surely nothing was done, later may work. `unknown`: the commit may or may not have happened, and the
 * database is not to be trusted before it has been opened anew.
 */
export class StoreFault extends Error {
  readonly kind: "unavailable" | "unknown";

  constructor(kind: "unavailable" | "unknown", message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StoreFault";
    this.kind = kind;
  }
}
