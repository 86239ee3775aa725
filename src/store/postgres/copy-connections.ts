// Connections for a copy: nobody waits for their statements, and one transaction lasts as long as the copy.

import { openWritingConnections, type Connections, type PoolOptions } from "./connection.ts";
import type { Session } from "./session.ts";

/** How long one statement may take, in milliseconds: a chunk of rows takes some 100, a server that is busy with everything else may take its time. */
const statementMaxMs = 60_000;

/** How long no answer may come at all, in milliseconds: a little longer than a statement may take. */
const answerMaxMs = 70_000;

/** How long a connection may be silent before the server's system asks whether the client is there, in seconds: routers that translate addresses forget silent ones after some minutes. */
const keepAliveIdleS = 60;

/**
 * What a server, a database or a role may end a session with that waits for the other end. Only what this server knows can be set: transaction_timeout came with PostgreSQL 17, idle_session_timeout with 14
 * (https://www.postgresql.org/docs/current/runtime-config-client.html).
 */
const endless = "select set_config(name, '0', false) from pg_settings where name in ('transaction_timeout', 'idle_session_timeout')";

/** What is taken from them lasts as long as a copy. */
export function openCopyConnections(url: string, options: PoolOptions = {}): Connections {
  // The transaction that keeps others from writing is silent while what it read is written elsewhere, and verified.
  const settings = { statement_timeout: `${statementMaxMs}`, idle_in_transaction_session_timeout: "0", tcp_keepalives_idle: `${keepAliveIdleS}`, ...options.settings };
  const connections = openWritingConnections(url, { answerMaxMs, ...options, settings });
  return { ...connections, take: async () => withoutEnd(await connections.take()) };
}

async function withoutEnd(session: Session): Promise<Session> {
  try {
    await session.send(endless);
    return session;
  } catch (error) {
    session.release({ isBroken: true });
    throw error;
  }
}
