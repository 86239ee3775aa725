// Several statements that see the same commit, on connections that cannot write.

import { sql } from "kysely";
import { partitionsMax } from "../../domain/partitions.ts";
import { withSession, type Connections } from "./connection.ts";
import { queries } from "./queries.ts";
import type { Session } from "./session.ts";
import { statement } from "./statement.ts";

const begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/** Everything that `read` reads is of one commit, which is no older than the last that was acknowledged when it began. Throws StoreFault where the database fails. */
export function inSnapshot<T>(connections: Connections, read: (session: Session) => Promise<T>): Promise<T> {
  return withSession(connections, async (session) => {
    const [, result] = await Promise.all([session.send(begin), read(session)]);
    end(session);
    return result;
  });
}

/** Nobody waits for it: the connection's next statements stand behind it, and with a connection that is lost nothing else is. */
function end(session: Session): void {
  session.send("COMMIT").catch(() => {});
}

const hasCitus = statement<object, { readonly is_there: string }>("has citus", (db) =>
  db.selectNoFrom([sql<string>`exists (select from pg_catalog.pg_extension where extname = 'citus')::text`.as("is_there")]),
);

const keepHead = statement<{ readonly partition: bigint }>("keep head", (db, arg) =>
  db.selectFrom("ledger_head").select("partition").where("partition", "=", arg("partition", "bigint")).forShare(),
);

/**
 * Snapshots for what is read of several partitions and has to fit together. Citus places them on machines that commit one after the other and each have a snapshot of their own, in which a transfer may be seen half. There
 * all heads are kept from their writers for as long as it takes to have a snapshot of each machine: nobody is in the middle of a commit then.
 */
export class SnapshotsOfAll {
  readonly #connections: Connections;
  /** All of the ledger's where they lie on several machines, else none. */
  readonly #keptPartitions: readonly bigint[];
  /** One begins after the other: each needs two connections for that, and those who wait for a second would have all the first ones. */
  #begun: Promise<unknown> = Promise.resolve();

  private constructor(connections: Connections, keptPartitions: readonly bigint[]) {
    this.#connections = connections;
    this.#keptPartitions = keptPartitions;
  }

  /** Looks where the ledger is. Throws StoreFault where the database fails. */
  static of(connections: Connections): Promise<SnapshotsOfAll> {
    return withSession(connections, async (session) => {
      const [citus, ledger] = await Promise.all([session.get(hasCitus, {}), session.get(queries.ledger, {})]);
      const count = ledger === undefined || citus?.is_there !== "true" ? 0 : Math.min(Number(ledger.partitions), partitionsMax);
      return new SnapshotsOfAll(connections, Array.from({ length: Math.max(0, count) }, (_, partition) => BigInt(partition)));
    });
  }

  /** As `inSnapshot`. */
  read<T>(read: (session: Session) => Promise<T>): Promise<T> {
    if (this.#keptPartitions.length === 0) return inSnapshot(this.#connections, read);
    const take = (): Promise<Session> => {
      const begun = this.#begun.then(() => this.#begin());
      this.#begun = begun.catch(() => {});
      return begun;
    };
    return withSession({ take }, async (session) => {
      const result = await read(session);
      end(session);
      return result;
    });
  }

  /** A session that has a snapshot on every machine. */
  #begin(): Promise<Session> {
    return withSession(this.#connections, async (keeper) => {
      const each = this.#keptPartitions.map((partition) => ({ partition }));
      await Promise.all([keeper.send("BEGIN READ WRITE"), ...each.map((partition) => keeper.all(keepHead, partition))]);
      const session = await this.#connections.take();
      try {
        await Promise.all([session.send(begin), ...each.map((partition) => session.all(queries.head, partition))]);
        await keeper.send("COMMIT");
        return session;
      } catch (error) {
        session.release({ isBroken: true });
        throw error;
      }
    });
  }
}
