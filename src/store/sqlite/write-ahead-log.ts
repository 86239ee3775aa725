// When the write-ahead log is moved into the database file: in quiet moments, and under load beside the writing.
//
// SQLite would do it inside a commit, every thousand pages, and everybody would wait; and it would say nothing of a failure. Moved less often, a page that
// was written many times is moved once. Each page in the log is also looked up by readers, so it does not grow without bound either.

import Database from "better-sqlite3";
import { StoreFault } from "../store.ts";
import { checkpointFault, type Checkpointer } from "./checkpointer.ts";

/** Pages that gather in the log before it is moved, under load: 24 MiB. */
const pagesMax = 6_144;

/** Pages written while the checkpointer was at it that the writer may move by itself, between two batches: some milliseconds. More of them take another round. */
const lastPagesMax = 256;

/** Rounds after which the writer finishes whatever is left. */
const roundsMax = 6;

/**
 * Pages of the log, 64 MiB, from which on it is not left to chance that no reader stands in it when all of it has been moved. A verification is in one snapshot after
 * the other: between two of them there is hardly ever a commit.
 */
const longLogPages = 16_384;

/** How long the writer then waits for readers to be through, in milliseconds: their snapshots take some 100. */
const readersWaitMs = 500;

/** Without a commit for so long, in milliseconds, the log is moved as it is: the next start has less to read, and a burst more room. */
const quietMs = 1_000;

/** Keeps the log of one connection short. Everything is called between transactions, by the one who makes them. */
export class WriteAheadLog {
  readonly #connection: Database.Database;
  readonly #checkpointer: Checkpointer | undefined;
  readonly #onFault: (fault: StoreFault) => void;
  readonly #length: Database.Statement<[], [busy: bigint, log: bigint, moved: bigint]>;
  /** Pages of the log after the last commit. */
  #lastLength = 0;
  /** Pages written since the log was last moved. */
  #pages = 0;
  #isMovedBeside = false;
  #isToBeFinished = false;
  #isClosing = false;
  #fault: StoreFault | undefined;
  #quiet: NodeJS.Timeout | undefined;

  /** Without a checkpointer the writer moves everything by itself. `onFault` hears at once of what `beforeTransaction` will throw. */
  constructor(connection: Database.Database, checkpointer: Checkpointer | undefined, onFault: (fault: StoreFault) => void) {
    this.#connection = connection;
    // It moves nothing, and takes some microseconds.
    this.#length = connection.prepare<[], [bigint, bigint, bigint]>("pragma wal_checkpoint(NOOP)").raw();
    this.#checkpointer = checkpointer;
    this.#onFault = onFault;
  }

  /** Before a transaction. Throws StoreFault "unknown" once moving the log has failed in a way after which nothing more may be written. */
  beforeTransaction(): void {
    if (this.#isToBeFinished) this.#moveHere();
    if (this.#fault !== undefined) throw this.#fault;
  }

  afterCommit(): void {
    const length = Number(this.#length.get()![1]);
    // A shorter log was begun anew by this commit.
    this.#pages += length < this.#lastLength ? length : length - this.#lastLength;
    this.#lastLength = length;
    if (this.#pages >= pagesMax && !this.#isMovedBeside) {
      if (this.#checkpointer === undefined) this.#isToBeFinished = true;
      else void this.#moveBeside(this.#checkpointer);
    }
    if (this.#quiet === undefined) this.#quiet = setTimeout(() => this.#moveHere(), quietMs).unref();
    else this.#quiet.refresh();
  }

  /** After a transaction for which there was no space: what has been moved makes room in the log. */
  afterFull(): void {
    this.#moveHere();
  }

  /** Whether moving the log has failed in a way after which nothing may touch it any more. */
  get hasFailed(): boolean {
    return this.#fault !== undefined;
  }

  async close(): Promise<void> {
    clearTimeout(this.#quiet);
    // No further round: its thread would be ended in the middle of it.
    this.#isClosing = true;
    await this.#checkpointer?.close();
  }

  /** Until what is written meanwhile is little. SQLite uses the log anew only when all of it has been moved, which the writer alone can see to. */
  async #moveBeside(checkpointer: Checkpointer): Promise<void> {
    this.#isMovedBeside = true;
    try {
      for (let round = 0; round < roundsMax && this.#pages > lastPagesMax && !this.#isClosing; round++) {
        const before = this.#pages;
        await checkpointer.checkpoint();
        this.#pages -= before;
      }
    } catch (error) {
      this.#note(error);
    } finally {
      this.#isMovedBeside = false;
      // Also where the checkpointer could not: otherwise the log would grow for as long as it cannot begin.
      this.#isToBeFinished = true;
    }
  }

  #moveHere(): void {
    // After a failure another try would seem to succeed: see `checkpointFault`.
    if (this.#isMovedBeside || this.#fault !== undefined) return;
    this.#isToBeFinished = false;
    this.#pages = 0;
    try {
      if (moveLog(this.#connection) >= longLogPages) beginAnew(this.#connection);
    } catch (error) {
      this.#note(error instanceof Database.SqliteError ? checkpointFault(error.code, error.message) : error);
    }
  }

  /** What passes is tried again when as many pages have gathered once more. */
  #note(error: unknown): void {
    this.#pages = 0;
    if (error instanceof StoreFault && error.kind === "unavailable") return;
    this.#fault = new StoreFault("unknown", String(error), { cause: error });
    this.#onFault(this.#fault);
  }
}

/** Moves as much of the log into the file as no reader still needs, synced, without waiting for anybody. Answers the log's length in pages. Throws SqliteError. */
export function moveLog(connection: Database.Database): number {
  const [{ log }] = connection.pragma("wal_checkpoint(PASSIVE)") as [{ log: number | bigint }];
  return Number(log);
}

/** Moves all of it and waits a little until no reader is in it, so that it is used from its beginning; whoever begins to read meanwhile reads the file. Throws SqliteError. */
function beginAnew(connection: Database.Database): void {
  const waitMs = Number(connection.pragma("busy_timeout", { simple: true }));
  connection.pragma(`busy_timeout = ${readersWaitMs}`);
  try {
    connection.pragma("wal_checkpoint(RESTART)");
  } finally {
    connection.pragma(`busy_timeout = ${waitMs}`);
  }
}
