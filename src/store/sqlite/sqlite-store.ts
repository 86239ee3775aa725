// The SQLite engine's writing side: one connection, one transaction at a time, every commit synced to disk before it is acknowledged.

import { chmodSync, existsSync, mkdirSync, realpathSync, statSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import type { Touched } from "../../domain/command.ts";
import type { Changes, LoadedState } from "../../domain/ledger-state.ts";
import { StartError } from "../../start-error.ts";
import { StoreFault, type Store } from "../store.ts";
import { openForWriting } from "./connection.ts";
import { lockFile } from "./file-lock.ts";
import { prepareLoad } from "./load.ts";
import { makeFile } from "./make-file.ts";
import { assertServable, migrate } from "./migrate.ts";
import { prepareQueries } from "./queries.ts";
import { prepareWrite } from "./write.ts";

/** Makes the file and its folder where they are not there yet, readable by their owner only, and answers the file's one true path. */
function prepareFile(path: string): string {
  const folder = dirname(path);
  if (!existsSync(folder)) mkdirSync(folder, { recursive: true, mode: 0o700 });
  makeFile(path);
  const truePath = realpathSync(path);
  if (!statSync(truePath).isFile()) throw new StartError(`${path} is not a file. Give WALLET_DATABASE_URL the path of a ledger, or of a file that can be made.`);
  return truePath;
}

/**
 * Opens the ledger in this file, creating or migrating it first. `clock` is the machine's time in milliseconds since 1970.
 * Throws StartError where another process has it, it is not a ledger that this version can serve, or the file cannot be opened.
 */
export async function openSqliteStore(path: string, clock: () => number): Promise<Store> {
  let lock: ReturnType<typeof lockFile> | undefined;
  let connection: Database.Database | undefined;
  try {
    const truePath = prepareFile(path);
    assertServable(truePath);
    lock = lockFile(truePath);
    // A ledger that was left open to others is closed to them.
    chmodSync(truePath, 0o600);
    connection = openForWriting(truePath);
    await migrate(connection, clock());
    connection.defaultSafeIntegers(true);
    return new SqliteStore(connection, lock, clock);
  } catch (error) {
    connection?.close();
    lock?.release();
    throw startFailure(error, path);
  }
}

/** What the file system and SQLite say against a file is for whoever gave it; everything else is a defect. */
function startFailure(error: unknown, path: string): unknown {
  const isOfTheFile = error instanceof Database.SqliteError || (error instanceof Error && "syscall" in error);
  if (!isOfTheFile) return error;
  return new StartError(`The ledger ${path} cannot be opened: ${error.message}. Give WALLET_DATABASE_URL the path of a ledger, or of a file that can be made.`, { cause: error });
}

class SqliteStore implements Store {
  readonly #connection: Database.Database;
  readonly #lock: { release(): void };
  readonly #clock: () => number;
  readonly #queries: ReturnType<typeof prepareQueries>;
  readonly #load: ReturnType<typeof prepareLoad>;
  readonly #write: ReturnType<typeof prepareWrite>;
  readonly #begin: Database.Statement;
  readonly #commit: Database.Statement;
  readonly #rollback: Database.Statement;

  constructor(connection: Database.Database, lock: { release(): void }, clock: () => number) {
    this.#connection = connection;
    this.#lock = lock;
    this.#clock = clock;
    this.#queries = prepareQueries(connection);
    this.#load = prepareLoad(connection, this.#queries);
    this.#write = prepareWrite(connection);
    this.#begin = connection.prepare("BEGIN IMMEDIATE");
    this.#commit = connection.prepare("COMMIT");
    this.#rollback = connection.prepare("ROLLBACK");
  }

  async transact<T>(partition: number, touched: Touched, plan: (state: LoadedState) => { changes: Changes | undefined; result: T }): Promise<T> {
    let isCommitting = false;
    try {
      this.#begin.run();
      const { changes, result } = plan(this.#load(partition, touched, this.#clock()));
      if (changes === undefined) {
        this.#rollback.run();
        return result;
      }
      this.#write(changes, this.#queries.head.get({ partition: BigInt(partition) })!.key_ordinal);
      isCommitting = true;
      this.#commit.run();
      return result;
    } catch (error) {
      this.#abandon();
      throw fault(error, isCommitting);
    }
  }

  async close(): Promise<void> {
    this.#connection.close();
    this.#lock.release();
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

/**
 * What an error says about the transaction. Before COMMIT nothing was done. During it, a full disk or a lock leaves nothing done either, while
 * an I/O error may have come from the sync after the last byte was written: the commit may be found after a restart.
 */
function fault(error: unknown, isCommitting: boolean): unknown {
  if (!(error instanceof Database.SqliteError)) return error;
  const isIoError = error.code.startsWith("SQLITE_IOERR");
  const kind = isCommitting && isIoError ? "unknown" : "unavailable";
  return new StoreFault(kind, `${error.code}: ${error.message}`, { cause: error });
}
