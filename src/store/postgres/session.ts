// A connection's client as the engine uses it: runs compiled statements, one behind the other without waiting for answers, and tells a lost connection from an answer.

import { DatabaseError, type PoolClient, type QueryResult } from "pg";
import { StoreFault } from "../store.ts";
import { bind, type Bound, type Statement } from "./statement.ts";

/** No answer came, whatever became of what was sent. */
export class ConnectionLost extends Error {
  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.name = "ConnectionLost";
  }
}

/**
 * The SQLSTATE of a warning. In COMMIT there is one where whoever administers the server has ended the wait for a standby, so that what is committed is on one
 * machine only (https://www.postgresql.org/docs/current/warm-standby.html#SYNCHRONOUS-REPLICATION-HA); and Citus tells with one that a worker has not answered the commit.
 */
const warning = "01000";

/** What the driver says where no answer has come for as long as one may take. */
const nothingHeard = "Query read timeout";

/** What every statement of a transaction is told after one of them has failed. */
const isAborted = "25P02";

/** One connection, borrowed from a pool for one transaction. What it is given to run goes out at once and is answered in the same order. */
export class Session {
  readonly #client: PoolClient;
  readonly #onSilence: () => void;
  readonly #isYoung: () => boolean;
  #hasEnded = false;
  #failure: DatabaseError | undefined;
  #warned: string | undefined;
  readonly #hear = ({ code, message }: { readonly code?: string | undefined; readonly message?: string | undefined }): void => {
    if (code === warning) this.#warned = message;
  };

  readonly #end = (): void => {
    this.#hasEnded = true;
  };

  /** `onSilence` is called when no answer has come for as long as one may take; `isYoung` says whether the connection is younger than the last such silence. */
  constructor(client: PoolClient, { onSilence, isYoung }: { readonly onSilence: () => void; readonly isYoung: () => boolean }) {
    this.#client = client;
    this.#onSilence = onSilence;
    this.#isYoung = isYoung;
    client.on("notice", this.#hear);
    client.on("end", this.#end);
  }

  /** Whether it may be used after it was kept for a while: not where it has ended, and not where a machine or a cable was found silent meanwhile, since then it may be dead without a word. */
  get isUsable(): boolean {
    return !this.#hasEnded && this.#isYoung();
  }

  async all<Args, Row>(statement: Statement<Args, Row>, args: Args): Promise<Row[]> {
    return (await this.send(bind(statement, args))).rows as Row[];
  }

  async get<Args, Row>(statement: Statement<Args, Row>, args: Args): Promise<Row | undefined> {
    return (await this.all(statement, args))[0];
  }

  /** Rejects with pg's DatabaseError where the server answers with an error, the first of the transaction's in any case, and with ConnectionLost where it does not answer. */
  send(query: Bound | string): Promise<QueryResult> {
    return this.#client.query(query as string).catch((error: unknown) => {
      if (!(error instanceof DatabaseError)) {
        if (error instanceof Error && error.message === nothingHeard) this.#onSilence();
        throw new ConnectionLost(error);
      }
      // Whoever waits for several answers may come upon any of them first.
      this.#failure ??= error;
      throw error.code === isAborted ? this.#failure : error;
    });
  }

  /** Commits what was sent before. Rejects as `send` does, and with StoreFault "unknown" where it is committed on this server and perhaps not on the standby that it waits for, or on each of its workers. */
  async commit(): Promise<QueryResult> {
    const answer = await this.send("COMMIT");
    if (this.#warned !== undefined) throw new StoreFault("unknown", `COMMIT was answered with a warning: ${this.#warned}`);
    return answer;
  }

  /** Gives the connection back; one that has failed is closed. */
  release({ isBroken }: { readonly isBroken: boolean }): void {
    this.#client.off("notice", this.#hear);
    this.#client.off("end", this.#end);
    this.#client.release(isBroken);
  }
}
