// The SQLite engine's writing side: one connection, one transaction at a time, every commit synced to disk before it is acknowledged.

import { chmodSync, existsSync, mkdirSync, openSync, closeSync, realpathSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import type { Touched } from "../../domain/command.ts";
import type { Changes, LoadedState } from "../../domain/ledger-state.ts";
import { StoreFault, type Store } from "../store.ts";
import { openForWriting } from "./connection.ts";
import { lockFile } from "./file-lock.ts";
import { prepareLoad } from "./load.ts";
import { migrate } from "./migrate.ts";
import { prepareQueries } from "./queries.ts";
import { prepareWrite } from "./write.ts";

/** Makes the file and its folder where they are not there yet, readable by their owner only, and answers the file's one true path. */
function prepareFile(path: string): string {
  const folder = dirname(path);
  if (!existsSync(folder)) mkdirSync(folder, { recursive: true, mode: 0o700 });
  closeSync(openSync(path, "a", 0o600));
  chmodSync(path, 0o600);
  return realpathSync(path);
}

/**
 * Opens the ledger in this file, creating or migrating it first. `clock` is the machine's time in milliseconds since 1970.
 * Throws StartError where another process has it, or it is not a ledger that this version can serve.
 */
export async function openSqliteStore(path: string, clock: () => number): Promise<Store> {
  const truePath = prepareFile(path);
  const lock = lockFile(truePath);
  try {
    const connection = openForWriting(truePath);
    await migrate(connection, truePath, clock());
    connection.defaultSafeIntegers(true);
    return new SqliteStore(connection, lock, clock);
  } catch (error) {
    lock.release();
    throw error;
  }
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
