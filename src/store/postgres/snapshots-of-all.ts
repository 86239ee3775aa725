// Snapshots for what is read of several partitions and has to fit together.
//
// PostgreSQL has one for all. Citus places partitions on machines that commit one after the other and each have a snapshot of their own, in which a transfer may be seen half. There all heads are kept from
// their writers for as long as it takes to have a snapshot of each machine: nobody is in the middle of a commit then. It takes a Citus that begins its workers' transactions as the coordinator's was begun: 11.2 or newer
// (https://github.com/citusdata/citus/blob/main/CHANGELOG.md).

import { partitionsMax } from "../../domain/partitions.ts";
import { StoreFault } from "../store.ts";
import { hasCitus } from "./citus.ts";
import { withSession, type Connections } from "./connection.ts";
import { queries } from "./queries.ts";
import type { Session } from "./session.ts";
import { beginSnapshot, endSnapshot, inSnapshot } from "./snapshot.ts";
import { statement } from "./statement.ts";

const citusIn = statement<object, { readonly is_there: string }>("citus in", (db) => db.selectNoFrom([hasCitus.as("is_there")]));

const keepHead = statement<{ readonly partition: bigint }>("keep head", (db, arg) =>
  db.selectFrom("ledger_head").select("partition").where("partition", "=", arg("partition", "bigint")).forShare(),
);

export class SnapshotsOfAll {
  readonly #connections: Connections;
  readonly #keptPartitions: readonly { readonly partition: bigint }[];
  /** One begins after the other: each needs two connections for that, and those who wait for a second would have all the first ones. */
  #begun: Promise<unknown> = Promise.resolve();

  /** `keptCount`: how many partitions are kept from their writers while a snapshot begins; none where the database has one snapshot for all. */
  constructor(connections: Connections, keptCount: number) {
    this.#connections = connections;
    this.#keptPartitions = Array.from({ length: keptCount }, (_, partition) => ({ partition: BigInt(partition) }));
  }

  /** Looks where the ledger is. Throws StoreFault where the database fails. */
  static of(connections: Connections): Promise<SnapshotsOfAll> {
    return withSession(connections, async (session) => {
      const [citus, ledger] = await Promise.all([session.get(citusIn, {}), session.get(queries.ledger, {})]);
      const partitions = citus?.is_there === "true" ? Number(ledger?.partitions ?? 0) : 0;
      // Who verifies a ledger that somebody has altered may find any number there.
      return new SnapshotsOfAll(connections, partitions >= 1 && partitions <= partitionsMax ? partitions : 0);
    });
  }

  /** As `inSnapshot`, of all partitions. */
  read<T>(read: (session: Session) => Promise<T>): Promise<T> {
    if (this.#keptPartitions.length === 0) return inSnapshot(this.#connections, read);
    return withSession({ take: () => this.#inTurn() }, async (session) => {
      const result = await read(session);
      endSnapshot(session);
      return result;
    });
  }

  /** What fails one fails those who wait behind it: it is the database's failure, and nobody is to find it out one after the other. */
  #inTurn(): Promise<Session> {
    const begun = this.#begun.then(() => this.#begin());
    this.#begun = begun;
    begun.catch(() => {
      if (this.#begun === begun) this.#begun = Promise.resolve();
    });
    return begun;
  }

  /** A session that has a snapshot on every machine. It is there before anybody is kept waiting for it. */
  async #begin(): Promise<Session> {
    const session = await this.#connections.take();
    try {
      await this.#whileKept(() => Promise.all([session.send(beginSnapshot), ...this.#keptPartitions.map((each) => session.all(queries.head, each))]));
      return session;
    } catch (error) {
      session.release({ isBroken: true });
      throw error;
    }
  }

  #whileKept(work: () => Promise<unknown>): Promise<void> {
    return withSession(this.#connections, async (keeper) => {
      // It writes nothing, but to lock a row is nothing for a transaction that only reads.
      await Promise.all([keeper.send("BEGIN READ WRITE"), ...this.#keptPartitions.map((each) => keeper.all(keepHead, each))]);
      await work();
      try {
        await keeper.commit();
      } catch (error) {
        // With a warning: a machine has ended its part before, and let go of the heads.
        throw error instanceof StoreFault ? new StoreFault("unavailable", error.message, { cause: error }) : error;
      }
    });
  }
}
