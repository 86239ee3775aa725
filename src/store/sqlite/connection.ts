// Opens connections to the ledger's file, with every setting that durability and exactness depend on stated and read back.

import Database from "better-sqlite3";
import { StartError } from "../../start-error.ts";

/**
 * How long a connection waits for a lock, in milliseconds. Only a person's shell can hold one. Two batches wait so long
 * before they are answered STORE_UNAVAILABLE, and once more who closes, which must fit into the drain.
 */
const busyTimeoutMs = 3_000;

/** Page cache of the writing connection, in KiB. Wallets' rows are written in their order, and the states that are late take what the pages between them would (docs/decisions/0024). */
const writerCacheKib = 28 * 1024;

/** Page cache of a reading connection, in KiB. */
const readerCacheKib = 16 * 1024;

/** The WAL is cut back to this many bytes after a checkpoint that emptied it, so that one burst does not keep the disk forever. */
const walKeptMaxBytes = 64 * 1024 * 1024;

/** The one connection that writes. Throws StartError where the file cannot give what the ledger promises. */
export function openForWriting(path: string): Database.Database {
  const connection = new Database(path, { timeout: busyTimeoutMs });
  // https://sqlite.org/pragma.html#pragma_synchronous: in WAL mode NORMAL may lose the last commits on power loss; FULL syncs every one.
  setting(connection, path, "journal_mode", "WAL", "wal");
  setting(connection, path, "synchronous", "FULL", 2);
  // https://sqlite.org/pragma.html#pragma_fullfsync: without it macOS acknowledges before the drive has it. Nothing elsewhere.
  setting(connection, path, "fullfsync", "ON", 1);
  setting(connection, path, "checkpoint_fullfsync", "ON", 1);
  // https://sqlite.org/pragma.html#pragma_wal_autocheckpoint: when the log is moved is for write-ahead-log.ts to say, and whether it could be.
  setting(connection, path, "wal_autocheckpoint", "0", 0);
  setting(connection, path, "trusted_schema", "OFF", 0);
  setting(connection, path, "cache_size", `-${writerCacheKib}`, -writerCacheKib);
  setting(connection, path, "journal_size_limit", `${walKeptMaxBytes}`, walKeptMaxBytes);
  return connection;
}

/** A connection that reads snapshots and cannot write. */
export function openForReading(path: string): Database.Database {
  const connection = new Database(path, { readonly: true, fileMustExist: true, timeout: busyTimeoutMs });
  setting(connection, path, "query_only", "ON", 1);
  setting(connection, path, "trusted_schema", "OFF", 0);
  setting(connection, path, "cache_size", `-${readerCacheKib}`, -readerCacheKib);
  connection.defaultSafeIntegers(true);
  return connection;
}

function setting(connection: Database.Database, path: string, name: string, value: string, expected: string | number): void {
  connection.pragma(`${name} = ${value}`);
  const actual: unknown = connection.pragma(name, { simple: true });
  if (actual !== expected) {
    throw new StartError(`The database ${path} cannot be used safely: SQLite keeps ${name} at ${String(actual)} and the ledger needs ${value}.`);
  }
}
