// The end of a transaction whose statements are under way: what is known of it once COMMIT was sent.

import { DatabaseError } from "pg";
import { StoreFault } from "../store.ts";
import { faultText, verdictOf } from "./fault.ts";
import type { Session } from "./session.ts";

/**
 * Sends COMMIT behind what is being written. Answers what was heard instead of an answer, after which nobody knows; undefined where it is committed. Throws
 * where it surely is not: PostgreSQL answers COMMIT with ROLLBACK once a statement was refused. Throws StoreFault "unknown" where it is committed without one of them.
 */
export async function commit(session: Session, writes: readonly Promise<unknown>[]): Promise<unknown> {
  const [committed, ...written] = await Promise.allSettled([session.commit(), ...writes]);
  const refused = written.find((write) => write.status === "rejected" && write.reason instanceof DatabaseError);
  if (refused?.status === "rejected") throw refused.reason;
  if (committed.status === "fulfilled") {
    if (committed.value.command !== "COMMIT") throw new Error(`COMMIT was answered with ${committed.value.command}, and nothing had been refused`);
    // Of what the server never said that it did, nobody is told that it is done.
    const unheard = written.find((write) => write.status === "rejected");
    if (unheard?.status === "rejected") throw new StoreFault("unknown", `COMMIT was answered, and a statement before it was not: ${faultText(unheard.reason)}`, { cause: unheard.reason });
    return undefined;
  }
  if (verdictOf(committed.reason, { hasSentCommit: true }) !== "unknown") throw committed.reason;
  return committed.reason as unknown;
}
