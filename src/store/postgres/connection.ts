// Pools of connections to the ledger's database, with every setting that safety and time limits depend on stated for each session.

import { setTimeout as delay } from "node:timers/promises";
import { DatabaseError, Pool, type ClientBase, type PoolClient } from "pg";
import { StoreFault } from "../store.ts";
import { faultOf, faultText, inRecovery } from "./fault.ts";
import { ConnectionLost, Session } from "./session.ts";
import { fromStoredText } from "./stored-text.ts";

/** How long a server may take to accept a connection, in milliseconds; the same again for a free connection of the pool. A server that is there takes some 10. */
const connectMaxMs = 2_000;

/**
 * How long one statement may take, in milliseconds. The largest batch, 10,000 operations, takes some hundreds in all; a call that waits for more is to be
 * answered, and a process that goes down has 8 s for that.
 */
const statementMaxMs = 4_000;

/** How long a transaction waits for a partition's head, in milliseconds: another server's batches take a hundredth of it. */
const lockMaxMs = 3_000;

/** How long the server lets a transaction be silent, in milliseconds. */
const silentMaxMs = 5_000;

/** The same for one that writes: a process that stands still in the middle of one keeps its partitions from the others, and they wait a little longer than that. */
const silentWriterMaxMs = 2_000;

/**
 * How long no answer may come at all, in milliseconds: a little longer than the server would let a statement run, so that it is the network or the machine that is gone; and short enough that there is time to look after
 * a lost COMMIT (settle.ts), even where a first connection cannot be made.
 */
const answerMaxDefaultMs = 4_300;

/**
 * Connections that write. At a time up to four batches, four behind them, four apart and a release of everybody: 13 (ledger/partition-lanes.ts). After a lost COMMIT each looks on one more, its own having been given back. The rest is room.
 * PostgreSQL's own default is 100 for everybody.
 */
const writersMax = 16;

/** Connections that read. Each read takes one for a few milliseconds. */
const readersMax = 8;

/** An unused connection is closed after so many milliseconds. */
const idleMaxMs = 60_000;

/** How long connections that are still in use are waited for at the end, in milliseconds: who asked has been answered by then, and a server that does not answer ends with the process. */
const closeMaxMs = 1_000;

/** Type numbers (https://www.postgresql.org/docs/current/catalog-pg-type.html) of what the tables have. Everything else is text as it comes. */
const parsers: ReadonlyMap<number, (value: string) => unknown> = new Map<number, (value: string) => unknown>([
  [20, BigInt],
  // "\x" and hex digits.
  [17, (value) => Buffer.from(value.slice(2), "hex")],
  [25, fromStoredText],
]);

/**
 * Stated for each session, whatever the URL, the role and the database say of them. Those of `enable_…` keep the planner to the indexes, in a new ledger as in a large one: its statistics are
 * behind for as long as a table is young, and there is nothing in this engine that reads a whole table by intent, or sorts what an index has in order. Plans are kept, and compiling them costs more than they run.
 */
const sessionSettings: Readonly<Record<string, string>> = {
  statement_timeout: `${statementMaxMs}`,
  lock_timeout: `${lockMaxMs}`,
  idle_in_transaction_session_timeout: `${silentMaxMs}`,
  // https://www.postgresql.org/docs/current/transaction-iso.html: what is read after the head's lock was granted sees the commit that it was waited for.
  default_transaction_isolation: "read committed",
  bytea_output: "hex",
};

/** The same for what a server may not know, being of another make: there it is left out. How plans are made, and Citus' own. */
const settingsWhereKnown: Readonly<Record<string, string>> = {
  enable_seqscan: "off",
  enable_bitmapscan: "off",
  enable_sort: "off",
  plan_cache_mode: "auto",
  jit: "off",
  // One connection to each worker, so that whatever a transaction reads there is of one snapshot (snapshots-of-all.ts).
  "citus.max_adaptive_executor_pool_size": "1",
};

export interface PoolOptions {
  /** Stated in place of the engine's own: for tests and copies. */
  readonly settings?: Readonly<Record<string, string>>;
  /** How long no answer may come at all, in milliseconds, in place of the engine's own: for what is not asked by a caller who waits. */
  readonly answerMaxMs?: number;
}

/** Connections for one kind of work. */
export interface Connections {
  /**
   * A free one, younger than the last silence: where a machine or a cable is gone, connections that lie idle are as dead as the one that was waited for, and say nothing of it. Throws ConnectionLost, or
   * StoreFault "unavailable" where the server takes nobody: nothing was asked of it yet.
   */
  take(): Promise<Session>;
  /** The pool itself, for the migrations. */
  readonly pool: Pool;
  /** Closes them once they have been given back. */
  close(): Promise<void>;
}

export function openWritingConnections(url: string, options: PoolOptions = {}): Connections {
  return openConnections(url, writersMax, { ...options, settings: { idle_in_transaction_session_timeout: `${silentWriterMaxMs}`, ...options.settings } });
}

export function openReadingConnections(url: string, options: PoolOptions = {}): Connections {
  return openConnections(url, readersMax, { ...options, settings: { default_transaction_read_only: "on", ...options.settings } });
}

function openConnections(url: string, max: number, { settings = {}, answerMaxMs = answerMaxDefaultMs }: PoolOptions): Connections {
  const pool = new Pool({
    connectionString: url,
    application_name: "wallet",
    max,
    connectionTimeoutMillis: connectMaxMs,
    query_timeout: answerMaxMs,
    idleTimeoutMillis: idleMaxMs,
    keepAlive: true,
    // Statements go out behind each other; one that fails lets none behind it pass, since all are in a transaction.
    pipeline: true,
    types: { getTypeParser: (oid: number) => parsers.get(oid) ?? ((value: string) => value) },
    // oxlint-disable-next-line typescript/no-misused-promises -- the pool waits for it, whatever its types say.
    onConnect: (client) => prepareSession(client, { ...sessionSettings, ...settings }),
  });
  const madeMs = new WeakMap<PoolClient, number>();
  let silenceMs = -Infinity;
  // A connection that is lost while nobody uses it is replaced when it is needed; without a handler the event would end the process.
  pool.on("error", () => {});
  pool.on("connect", (client) => {
    madeMs.set(client, performance.now());
    // One that is lost while it is used fails what it was given to run; the event says nothing more.
    client.on("error", () => {});
  });
  return {
    pool,
    async take() {
      for (;;) {
        const client = await connected(pool);
        const isYoung = (): boolean => madeMs.get(client)! > silenceMs;
        if (isYoung()) return new Session(client, { onSilence: () => (silenceMs = performance.now()), isYoung });
        client.release(true);
      }
    },
    close: () => Promise.race([pool.end(), delay(closeMaxMs, undefined, { ref: false })]),
  };
}

async function connected(pool: Pool): Promise<PoolClient> {
  try {
    return await pool.connect();
  } catch (error) {
    if (error instanceof StoreFault) throw error;
    throw error instanceof DatabaseError ? new StoreFault("unavailable", faultText(error), { cause: error }) : new ConnectionLost(error);
  }
}

/**
 * Throws where the server is a standby: what it reads may be behind what was acknowledged. A server that becomes one is restarted for it, which ends
 * its connections, so this is asked of each connection once.
 */
async function prepareSession(client: ClientBase, settings: Readonly<Record<string, string>>): Promise<void> {
  // Until the pool has the client, nobody listens.
  const ignore = (): void => {};
  client.on("error", ignore);
  try {
    const names = Object.keys(settings);
    const set = names.map((_, index) => `set_config($${2 * index + 1}::text, $${2 * index + 2}::text, false)`).join(", ");
    const { rows } = await client.query<{ recovery: string }>(`select pg_is_in_recovery()::text as recovery, ${set}`, names.flatMap((name) => [name, settings[name]]));
    if (rows[0]?.recovery !== "false") throw inRecovery();
    await client.query("select set_config(name, wanted, false) from unnest($1::text[], $2::text[]) as listed(named, wanted) join pg_settings on name = named", [Object.keys(settingsWhereKnown), Object.values(settingsWhereKnown)]);
  } finally {
    client.off("error", ignore);
  }
}

/** Runs it on a connection of its own from the pool. Throws StoreFault where the database fails. */
export async function withSession<T>(connections: Pick<Connections, "take">, work: (session: Session) => Promise<T>): Promise<T> {
  let session: Session | undefined;
  let isBroken = true;
  try {
    session = await connections.take();
    const result = await work(session);
    isBroken = false;
    return result;
  } catch (error) {
    throw faultOf(error);
  } finally {
    session?.release({ isBroken });
  }
}
