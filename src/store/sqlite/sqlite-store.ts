// The SQLite engine's writing side: one connection, one transaction at a time, every commit synced to disk before it is acknowledged.

import { setImmediate } from "node:timers/promises";
import Database from "better-sqlite3";
import type { Touched } from "../../domain/command.ts";
import type { Changes, LoadedState } from "../../domain/loaded-state.ts";
import { StartError } from "../../start-error.ts";
import { StoreFault, type Store } from "../store.ts";
import type { Checkpointer } from "./checkpointer.ts";
import { openForWriting } from "./connection.ts";
import { faultOf } from "./fault.ts";
import { lockFile } from "./file-lock.ts";
import { closeToOthers, isMade, makeLedgerFile, truePathOf } from "./ledger-file.ts";
import { KeyIndexes } from "./keys/key-index.ts";
import { keyIndexSizes, type KeyIndexSizes } from "./keys/key-index-sizes.ts";
import { prepareLoad, type Heads } from "./load.ts";
import { assertServable, migrate } from "./migrate.ts";
import { DamagedStates } from "./newer-wallets/newer-wallets.ts";
import { LateRows, lateRowSizes, type LateRowSizes } from "./newer-wallets/late-rows.ts";
import { partitionCountOf, withNewest, type Queries } from "./queries.ts";
import { prepareAll } from "./statement.ts";
import { prepareWrite } from "./write.ts";
import { WriteAheadLog } from "./write-ahead-log.ts";
import { writtenQueries } from "./written-queries.ts";

/** How much finds its way into the rows in one transaction when the store is closed (see late-rows.ts), and how long that goes on, in milliseconds: what is left of a stop's time when calls have been waited for. */
const creditPerFinish = 4_096;
const finishMs = 700;

export interface SqliteOptions {
  /** Moves the write-ahead log of the file with this path beside the writing; without one it is moved between batches. */
  readonly checkpointer?: (truePath: string) => Checkpointer;
  /** Called when the file is no longer to be trusted although no transaction says so: moving the log has failed. */
  readonly onFault?: (fault: StoreFault) => void;
  /** Partitions of a ledger that is made now; one that is there keeps its own. */
  readonly partitions?: number;
  /** For tests. */
  readonly keySizes?: KeyIndexSizes;
  /** For tests. */
  readonly lateSizes?: LateRowSizes;
  /** For tests. */
  readonly finishMaxMs?: number;
}

/**
 * Opens the ledger in this file, creating or migrating it first. `clock` is the machine's time in milliseconds since 1970.
 * Throws StartError where another process has it, it is not a ledger that this version can serve, or the file cannot be opened.
 */
export async function openSqliteStore(path: string, clock: () => number, { checkpointer, onFault = () => {}, partitions = 1, keySizes = keyIndexSizes, lateSizes = lateRowSizes, finishMaxMs = finishMs }: SqliteOptions = {}): Promise<Store> {
  let lock: ReturnType<typeof lockFile> | undefined;
  let connection: Database.Database | undefined;
  try {
    const truePath = truePathOf(path);
    if (isMade(truePath)) assertServable(truePath);
    lock = lockFile(truePath);
    if (!isMade(truePath)) makeLedgerFile(truePath);
    closeToOthers(truePath);
    connection = openForWriting(truePath);
    foldLog(connection, path);
    await migrate(connection, clock(), partitions);
    connection.defaultSafeIntegers(true);
    return new SqliteStore(connection, lock, clock, { log: new WriteAheadLog(connection, checkpointer?.(truePath), onFault), keySizes, lateSizes, finishMaxMs });
  } catch (error) {
    connection?.close();
    lock?.release();
    throw startFailure(error, path);
  }
}

/**
 * Moves what the last process left in the write-ahead log into the file, synced. After a failed sync the log's pages may be readable without being on
 * disk; new commits behind such pages would be lost with them (Rebello et al., "Can Applications Recover from fsync Failures?", USENIX ATC 2020).
 */
function foldLog(connection: Database.Database, path: string): void {
  const [outcome] = connection.pragma("wal_checkpoint(TRUNCATE)") as { busy: number }[];
  if (outcome?.busy !== 0) throw new StartError(`The ledger ${path} is being read by another program. End it, then start again.`);
}

/** What the file system and SQLite say against a file is for whoever gave it; everything else is a defect. */
export function startFailure(error: unknown, path: string): unknown {
  const isOfTheFile = error instanceof Database.SqliteError || error instanceof DamagedStates || (error instanceof Error && "syscall" in error);
  if (!isOfTheFile) return error;
  return new StartError(`The ledger ${path} cannot be opened: ${error.message}. Give WALLET_DATABASE_URL the path of a ledger, or of a file that can be made.`, { cause: error });
}

class SqliteStore implements Store {
  readonly partitionCount: number;
  readonly #partitions: readonly bigint[];
  readonly #connection: Database.Database;
  readonly #lock: { release(): void };
  readonly #clock: () => number;
  readonly #queries: Queries;
  readonly #keyIndexes: KeyIndexes;
  readonly #lateRows: LateRows;
  readonly #load: ReturnType<typeof prepareLoad>;
  readonly #write: ReturnType<typeof prepareWrite>;
  readonly #log: WriteAheadLog;
  readonly #finishMaxMs: number;
  readonly #begin: Database.Statement;
  readonly #commit: Database.Statement;
  readonly #rollback: Database.Statement;

  constructor(
    connection: Database.Database,
    lock: { release(): void },
    clock: () => number,
    { log, keySizes, lateSizes, finishMaxMs }: { readonly log: WriteAheadLog; readonly keySizes: KeyIndexSizes; readonly lateSizes: LateRowSizes; readonly finishMaxMs: number },
  ) {
    this.#connection = connection;
    this.#lock = lock;
    this.#clock = clock;
    const queries = prepareAll(connection, writtenQueries.queries);
    this.partitionCount = partitionCountOf(queries);
    this.#lateRows = new LateRows(connection, { ...lateSizes, roundMin: Math.ceil(lateSizes.roundMin / this.partitionCount), stepMin: Math.min(lateSizes.stepMin, Math.ceil(lateSizes.roundMin / this.partitionCount)) });
    this.#queries = withNewest(queries, this.#lateRows.newerWallets);
    // The filters' memory is for all of them together.
    this.#keyIndexes = new KeyIndexes(connection, { ...keySizes, filtersMaxBytes: Math.floor(keySizes.filtersMaxBytes / this.partitionCount) });
    // Read now, so that no batch waits for it.
    this.#partitions = Array.from({ length: this.partitionCount }, (_, partition) => BigInt(partition));
    for (const partition of this.#partitions) {
      this.#keyIndexes.of(Number(partition));
      this.#lateRows.newerWallets.of(partition);
    }
    this.#load = prepareLoad(connection, this.#queries, this.#keyIndexes, this.partitionCount);
    this.#write = prepareWrite(connection, this.#keyIndexes, this.#lateRows);
    this.#log = log;
    this.#finishMaxMs = finishMaxMs;
    this.#begin = connection.prepare("BEGIN IMMEDIATE");
    this.#commit = connection.prepare("COMMIT");
    this.#rollback = connection.prepare("ROLLBACK");
  }

  async transact<T>(touched: readonly Touched[], plan: (state: LoadedState) => { changes: readonly Changes[]; result: T }): Promise<T> {
    return this.#transaction(() => {
      const heads = touched.map(({ partition }) => this.#head(partition));
      const { changes, result } = plan(this.#load(heads, touched, this.#clock()));
      for (const each of changes) this.#write(each, heads.find(({ partition }) => Number(partition) === each.head.partition)!.key_ordinal);
      return { hasWritten: changes.length > 0, result };
    });
  }

  async close(): Promise<void> {
    if (!this.#connection.open) return;
    let isInDoubt = false;
    try {
      await this.#finishRows();
    } catch (error) {
      if (!(error instanceof StoreFault)) throw error;
      isInDoubt = error.kind === "unknown";
    } finally {
      await this.#log.close();
      // SQLite moves the log when the last connection is closed; where that cannot be, or nobody knows what became of a commit, it is to leave for the next process.
      if (!isInDoubt && !this.#log.hasFailed) {
        this.#connection.close();
        this.#lock.release();
      }
    }
  }

  #head(partition: number): Heads[number] {
    const head = this.#queries.head.get({ partition: BigInt(partition) });
    if (head === undefined) throw new Error(`partition ${partition} has no journal`);
    return head;
  }

  /** So that a ledger at rest says in its rows what wallets have, whoever reads them. What it has no time for, or no space, the next process goes on with. */
  async #finishRows(): Promise<void> {
    const endMs = performance.now() + this.#finishMaxMs;
    const finishSome = (): boolean => this.#partitions.every((partition) => this.#lateRows.finish(partition, creditPerFinish));
    while (performance.now() < endMs && !this.#transaction(() => ({ hasWritten: true, result: finishSome() }))) {
      // Now the log may be moved.
      await setImmediate();
    }
  }

  /** Commits what `work` has written. Throws StoreFault where the database fails; what `work` throws is thrown on, with nothing written. */
  #transaction<T>(work: () => { readonly hasWritten: boolean; readonly result: T }): T {
    let isBegun = false;
    let isCommitting = false;
    this.#log.beforeTransaction();
    try {
      this.#begin.run();
      isBegun = true;
      const { hasWritten, result } = work();
      if (!hasWritten) {
        this.#rollback.run();
        return result;
      }
      isCommitting = true;
      this.#commit.run();
      this.#log.afterCommit();
      return result;
    } catch (error) {
      this.#abandon();
      // What is in memory may be of this transaction, unless there was none: another process has the lock.
      if (isBegun) {
        this.#keyIndexes.forget();
        this.#lateRows.forget();
      }
      if (error instanceof Database.SqliteError && error.code === "SQLITE_FULL") this.#log.afterFull();
      throw faultOf(error, isCommitting ? "committing" : "writing");
    }
  }

  #abandon(): void {
    if (!this.#connection.inTransaction) return;
    try {
      this.#rollback.run();
    } catch {
      // SQLite rolls back by itself after the gravest errors; then there is nothing left to roll back.
    }
  }
}
