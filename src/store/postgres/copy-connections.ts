// Connections for a copy: nobody waits for their statements, and one transaction lasts as long as the copy.

import { openWritingConnections, type Connections, type PoolOptions } from "./connection.ts";

/** How long one statement may take, in milliseconds: a chunk of rows takes some 100, a server that is busy with everything else may take its time. */
const statementMaxMs = 60_000;

/** How long no answer may come at all, in milliseconds: a little longer than a statement may take. */
const answerMaxMs = 70_000;

export function openCopyConnections(url: string, options: PoolOptions = {}): Connections {
  // The transaction that keeps others from writing is silent while what it read is written elsewhere.
  const settings = { statement_timeout: `${statementMaxMs}`, idle_in_transaction_session_timeout: "0", ...options.settings };
  return openWritingConnections(url, { answerMaxMs, ...options, settings });
}
