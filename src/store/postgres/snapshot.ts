// Several statements that see the same commit, on a connection that cannot write.

import { withSession, type Connections } from "./connection.ts";
import type { Session } from "./session.ts";

export const beginSnapshot = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/** Everything that `read` reads is of one commit, which is no older than the last that was acknowledged when it began. Throws StoreFault where the database fails. */
export function inSnapshot<T>(connections: Connections, read: (session: Session) => Promise<T>): Promise<T> {
  return withSession(connections, async (session) => {
    const [, result] = await Promise.all([session.send(beginSnapshot), read(session)]);
    endSnapshot(session);
    return result;
  });
}

/** Nobody waits for it: the connection's next statements stand behind it, and with a connection that is lost nothing else is. */
export function endSnapshot(session: Session): void {
  session.send("COMMIT").catch(() => {});
}
