// What an error of PostgreSQL's, or the lack of an answer, says about the transaction that it interrupted.

import { DatabaseError } from "pg";
import { StoreFault } from "../store.ts";
import { ConnectionLost } from "./session.ts";

/**
 * `undone`: surely nothing was committed, and another try may succeed. `unknown`: it may have been committed. `defect`: nothing was committed and
 * no other try will do better, as with a broken constraint.
 */
export type Verdict = "undone" | "unknown" | "defect";

/**
 * SQLSTATEs, or their first two digits, of what passes (https://www.postgresql.org/docs/current/errcodes-appendix.html): conflicts and deadlocks; a lock that
 * was not granted in time, or a statement that was not done; a privilege that the role has lost, which may be granted again; a prepared statement whose table a newer version has migrated meanwhile, which another connection prepares anew; connections refused or ended; too few connections, too little memory or disk; a server that is starting, stopping, broken, or a standby.
 */
const passing = ["40", "55P03", "42501", "0A000", "57", "53", "08", "58", "XX", "25006", "25P03"];

/** Of these what a lock says that was not granted in time. */
const lockTimeout = ["55P03"];

/** Of these what a statement says that was not done in time; or whose backend an administrator has told to leave it. */
const statementTimeout = "57014";

/** Of these the ones that say nothing against the connection: somebody else was in the way. */
const conflicts = ["40", ...lockTimeout];

/** Of these the ones that everybody gets for as long as they last: a server that is starting or stopping, no connection left, a full disk, a standby, a role that may not. */
const everybodys = ["08P", "57P", "53300", "53100", "25006", "42501"];

/** Of these the ones that a server says which does answer: what it cannot reach is a node behind it, as where Citus' coordinator has lost a worker. */
const ofOneNode = ["0800"];

/** Errors of COMMIT that say that it did not happen: the transaction was the victim of a conflict, or a constraint was left until the end. */
const refusedByCommit = ["40001", "40P01", "23"];

/**
 * What the error says. Before COMMIT was sent nothing can have happened, whoever died; from then on only few errors settle it. What is an error of
 * nobody's database, such as one that a plan has thrown, is a defect.
 */
export function verdictOf(error: unknown, { hasSentCommit }: { readonly hasSentCommit: boolean }): Verdict {
  if (error instanceof ConnectionLost) return hasSentCommit ? "unknown" : "undone";
  if (error instanceof StoreFault) return error.kind === "unavailable" ? "undone" : "unknown";
  if (!(error instanceof DatabaseError)) return "defect";
  if (hasSentCommit && !hasCode(error, refusedByCommit)) return "unknown";
  return hasCode(error, passing) ? "undone" : "defect";
}

/** Whether the connection that told the error may be used again once its transaction is rolled back. */
export function leavesConnection(error: unknown): boolean {
  if (error instanceof ConnectionLost) return false;
  return !(error instanceof DatabaseError) || hasCode(error, conflicts) || !hasCode(error, passing);
}

/** Whether it is a node behind the server that cannot be reached, and with it the partitions that lie there; the others may be asked. */
export function isOfOneNode(error: unknown): boolean {
  return error instanceof DatabaseError && hasCode(error, ofOneNode);
}

/** Whether a statement has waited for as long as one may: for a lock, or for its answer, which is where a lock of a Citus worker's is waited for, since the coordinator's limit for locks is not the worker's. */
export function isWaitedInVain(error: unknown): boolean {
  return error instanceof DatabaseError && hasCode(error, [...lockTimeout, statementTimeout]);
}

/** Whether somebody else keeps what was to be locked, and has kept it for as long as one waits. */
export function isLockTimeout(error: unknown): boolean {
  return error instanceof DatabaseError && hasCode(error, lockTimeout);
}

/** Whether the error is everybody's for as long as it lasts, such as that the server does not answer; not what one batch has come upon, such as a conflict or a statement that took too long. */
export function isOutage(error: unknown): boolean {
  if (error instanceof StoreFault) return error.partitions === undefined;
  return error instanceof ConnectionLost || (error instanceof DatabaseError && hasCode(error, everybodys));
}

function hasCode(error: DatabaseError, codes: readonly string[]): boolean {
  return codes.some((code) => error.code?.startsWith(code) === true);
}

/** The error of what only reads, or of what was not committed: StoreFault "unavailable" where it passes, and itself where it is a defect. */
export function faultOf(error: unknown): unknown {
  if (error instanceof StoreFault || verdictOf(error, { hasSentCommit: false }) === "defect") return error;
  return new StoreFault("unavailable", faultText(error), { cause: error });
}

/** For the log: never for a caller. */
export function faultText(error: unknown): string {
  if (error instanceof DatabaseError) return `${error.code ?? "no code"}: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}

/** The server is a standby. */
export function inRecovery(): StoreFault {
  return new StoreFault("unavailable", "the server is in recovery: it is a standby, which takes no writes and may be behind");
}
