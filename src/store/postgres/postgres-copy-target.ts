// A PostgreSQL database as the target of a copy: empty at first, with a note of the copy until it is a ledger.

import { Kysely, PostgresDialect, sql, type Selectable, type Transaction } from "kysely";
import { StartError } from "../../start-error.ts";
import type { CopiedRow, CopiedRows } from "../copy/copied-tables.ts";
import { alreadyLedgerSentence, noteTable, type CopyNote } from "../copy/copy-note.ts";
import type { CopyTarget } from "../copy/copy-target.ts";
import type { LedgerHeadTable, Tables } from "../tables.ts";
import type { Connections } from "./connection.ts";
import { copiedTableStatements } from "./copied-rows.ts";
import { openCopyConnections } from "./copy-connections.ts";
import { durabilityOf, type Durability } from "./durability.ts";
import { faultOf } from "./fault.ts";
import { assertOurs, lockSchema, makeTables } from "./migrate.ts";
import { startFailure } from "./open-postgres.ts";
import { assertMayMakeTables } from "./privileges.ts";
import { headsInOrder } from "./postgres-copy-source.ts";
import { rowInsert } from "./row-insert.ts";
import type { Session } from "./session.ts";
import { bind, statement, type Bound } from "./statement.ts";

/** Whoever copies into this database has this advisory lock: "WALC" in ASCII. */
const copyLock = 0x57414c43;

/** Throws StartError where the database is a ledger already or another program's, another copy goes into it, or it cannot be reached. */
export async function openPostgresCopyTarget(url: string): Promise<CopyTarget> {
  const connections = openCopyConnections(url);
  let session: Session | undefined;
  try {
    session = await connections.take();
    const { rows } = await session.send(`select pg_try_advisory_lock(${copyLock})::text as granted`);
    if ((rows[0] as { granted: string }).granted !== "true") throw new StartError("Another copy into the same database is under way. Wait for it, or end it.");
    const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: connections.pool }) });
    await assertFree(db);
    await assertMayMakeTables(db);
    return new PostgresCopyTarget({ connections, db, session, durability: await durabilityOf(db) });
  } catch (error) {
    session?.release({ isBroken: true });
    await connections.close();
    throw startFailure(error);
  }
}

async function assertFree(db: Kysely<Tables> | Transaction<Tables>): Promise<void> {
  await assertOurs(db);
  const isMade = await sql`select 1 from pg_tables where schemaname = current_schema() and tablename = 'ledger'`.execute(db);
  if (isMade.rows.length > 0 && (await db.selectFrom("ledger").select("id").execute()).length > 0) throw new StartError(alreadyLedgerSentence("The database"));
}

const insertHead = rowInsert("ledger_head");

const insertLedger = statement<{ id: bigint; partitions: bigint; create_time_ms: bigint }>("copy ledger", (db, arg) =>
  db.insertInto("ledger").values({ id: arg("id", "bigint"), partitions: arg("partitions", "bigint"), create_time_ms: arg("create_time_ms", "bigint") }),
);

class PostgresCopyTarget implements CopyTarget {
  readonly #connections: Connections;
  readonly #db: Kysely<Tables>;
  /** The one that has the lock, and writes. */
  readonly #session: Session;
  readonly durability: Durability;

  constructor({ connections, db, session, durability }: { readonly connections: Connections; readonly db: Kysely<Tables>; readonly session: Session; readonly durability: Durability }) {
    this.durability = durability;
    this.#connections = connections;
    this.#db = db;
    this.#session = session;
  }

  async begin(note: CopyNote): Promise<CopyNote> {
    return this.#db.transaction().execute(async (transaction) => {
      await lockSchema(transaction);
      // A service may have been started on it meanwhile.
      await assertFree(transaction);
      await makeTables(transaction);
      await sql`create table if not exists ${sql.table(noteTable)} (heads text not null, partitions bigint not null)`.execute(transaction);
      const noted = async (): Promise<CopyNote | undefined> => (await sql<CopyNote>`select heads, partitions from ${sql.table(noteTable)}`.execute(transaction)).rows[0];
      const before = await noted();
      if (before !== undefined) return before;
      await sql`insert into ${sql.table(noteTable)} (heads, partitions) values (${note.heads}, ${note.partitions})`.execute(transaction);
      return (await noted())!;
    });
  }

  async lastRow<Table extends CopiedRows["table"]>(table: Table, partition: bigint): Promise<CopiedRow<Table> | undefined> {
    try {
      return (await this.#session.send(copiedTableStatements(table).last(partition))).rows[0] as CopiedRow<Table> | undefined;
    } catch (error) {
      throw faultOf(error);
    }
  }

  write(chunk: readonly CopiedRows[]): Promise<void> {
    return this.#transaction(chunk.map(({ table, partition, rows }) => copiedTableStatements(table).insert(partition, rows as never)));
  }

  finish(ledger: Selectable<Tables["ledger"]>, heads: readonly Selectable<LedgerHeadTable>[]): Promise<void> {
    return this.#transaction([...heads.map((head) => insertHead(Number(head.partition), [head])), bind(insertLedger, ledger), `drop table ${noteTable}`]);
  }

  async heads(): Promise<readonly Selectable<LedgerHeadTable>[]> {
    return this.#session.all(headsInOrder, {});
  }

  async close(): Promise<void> {
    // With the connection the lock goes.
    this.#session.release({ isBroken: true });
    await this.#connections.close();
  }

  /** All of the statements or none. Whatever becomes of its COMMIT, the next copy looks where this one came to. */
  async #transaction(statements: readonly (Bound | string | undefined)[]): Promise<void> {
    try {
      // Awaited: behind a BEGIN that failed each statement would commit itself.
      await this.#session.send("BEGIN");
      const sent = [...statements, "COMMIT"].flatMap((each) => (each === undefined ? [] : [this.#session.send(each)]));
      const settled = await Promise.allSettled(sent);
      const refused = settled.find((each) => each.status === "rejected");
      if (refused !== undefined) throw refused.reason;
    } catch (error) {
      throw faultOf(error);
    }
  }
}
