// What an error of SQLite's says about the work that it interrupted.

import Database from "better-sqlite3";
import { StoreFault } from "../store.ts";

/** The database cannot just now; the file is not in doubt. Extended codes such as SQLITE_IOERR_READ begin with these. */
const passing = ["SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_FULL", "SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_NOMEM", "SQLITE_PERM"];

/** Errors of COMMIT after which it surely did not happen: the lock or the space was missing before anything was written. */
const beforeCommit = ["SQLITE_BUSY", "SQLITE_FULL"];

/** The file is not what it was: nothing read from it or written to it is to be trusted. */
const broken = ["SQLITE_CORRUPT", "SQLITE_NOTADB"];

/**
 * The error of a transaction, as what it means. Before COMMIT nothing was done. From COMMIT on nobody knows, unless the code says otherwise: an I/O error may
 * have come from the sync after the last byte was written, and the commit may be found after a restart. What is no trouble of the database's, such as a
 * broken constraint, is a defect and stays as it is.
 */
export function faultOf(error: unknown, phase: "reading" | "writing" | "committing"): unknown {
  if (!(error instanceof Database.SqliteError)) return error;
  const isOneOf = (codes: readonly string[]): boolean => codes.some((code) => error.code.startsWith(code));
  const fault = (kind: StoreFault["kind"]): StoreFault => new StoreFault(kind, `${error.code}: ${error.message}`, { cause: error });
  if (phase === "committing" && !isOneOf(beforeCommit)) return fault("unknown");
  if (phase !== "reading" && isOneOf(broken)) return fault("unknown");
  return isOneOf([...passing, ...broken]) ? fault("unavailable") : error;
}
