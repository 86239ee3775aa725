// Brings a database to this version's tables, all or nothing, and refuses one that is not a ledger or is newer than this version.

import { setTimeout as delay } from "node:timers/promises";
import { Kysely, PostgresAdapter, PostgresDialect, sql, type Transaction } from "kysely";
import { Migrator } from "kysely/migration";
import { genesisHash } from "../../domain/journal.ts";
import { StartError } from "../../start-error.ts";
import { noteTable, unfinishedSentence } from "../copy/copy-note.ts";
import type { Tables } from "../tables.ts";
import type { Connections } from "./connection.ts";
import { isLockTimeout } from "./fault.ts";
import { postgresMigrations } from "./postgres-migrations.ts";
import { assertMayMakeTables, assertMayWrite } from "./privileges.ts";
import { tablesIn } from "./tables-in.ts";

/** Whoever migrates a ledger in this database has this advisory lock: "WALT" in ASCII. */
const migrationLock = 0x57414c54;

/** How long a start waits for another's migration, and a migration may take, in milliseconds: of a ledger with some million operations each takes minutes at most. */
export const migrationMaxMs = 15 * 60_000;

/** How long a migration waits for a table that others read or write, in milliseconds: whoever comes behind it waits as long. Then it lets them all pass, and tries again after a pause. */
const tableLockMaxMs = 1_000;
const tableLockPauseMs = 3_000;

/** How long a migration may be silent between two statements, in milliseconds: longer than a batch, since on a busy machine a start is slow, and nothing of it is to be done again for that. */
const silentMigrationMaxMs = 30_000;

/** Kysely's own lock is taken and let go of inside the transaction: after a failure there is no letting go, and what failed would not be told. This one's holder has a lock already. */
class LockedDialect extends PostgresDialect {
  override createAdapter(): PostgresAdapter {
    return new (class extends PostgresAdapter {
      override async acquireMigrationLock(): Promise<void> {}
      override async releaseMigrationLock(): Promise<void> {}
    })();
  }
}

/** What a new ledger is made with. */
export interface NewLedger {
  readonly partitions: number;
  readonly nowMs: number;
}

/**
 * Makes a ledger in an empty schema or migrates the one that is there, in one transaction; of servers that start at once one does it and the others find it done. Those that serve the ledger meanwhile
 * are kept waiting for moments only, however long somebody reads a table that is to be changed. Throws StartError where the schema is another program's or a newer version's.
 */
export async function migrate({ pool }: Connections, ledger: NewLedger): Promise<void> {
  const db = new Kysely<Tables>({ dialect: new LockedDialect({ pool }) });
  const deadlineMs = performance.now() + migrationMaxMs;
  for (;;) {
    try {
      return await migrateAtOnce(db, ledger);
    } catch (error) {
      if (!isLockTimeout(error) || performance.now() + tableLockPauseMs > deadlineMs) throw error;
      await delay(tableLockPauseMs);
    }
  }
}

/** Throws DatabaseError where a table is kept by others. */
async function migrateAtOnce(db: Kysely<Tables>, { partitions, nowMs }: NewLedger): Promise<void> {
  // Not destroyed: that would end the pool, which has more to do.
  await db.transaction().setIsolationLevel("read committed").execute(async (transaction) => {
    await lockSchema(transaction);
    await sql`select set_config('lock_timeout', ${`${tableLockMaxMs}`}, true), set_config('idle_in_transaction_session_timeout', ${`${silentMigrationMaxMs}`}, true)`.execute(transaction);
    await assertServable(transaction);
    await assertMayMakeTables(transaction);
    await makeTables(transaction);
    await assertMayWrite(transaction);
    await create(transaction, { partitions, nowMs });
  });
}

/** Waits until nobody else changes the schema, and keeps others from it until the transaction ends. */
export async function lockSchema(transaction: Transaction<Tables>): Promise<void> {
  await sql`select set_config('statement_timeout', ${`${migrationMaxMs}`}, true), set_config('lock_timeout', ${`${migrationMaxMs}`}, true)`.execute(transaction);
  await sql`select pg_advisory_xact_lock(${sql.lit(migrationLock)})`.execute(transaction);
}

/** Brings the tables to this version's; there may be none. */
export async function makeTables(transaction: Transaction<Tables>): Promise<void> {
  const { error } = await new Migrator({ db: transaction, provider: { getMigrations: async () => postgresMigrations() } }).migrateToLatest();
  if (error !== undefined) throw error;
}

/** Throws StartError where the schema is not ours, as `assertOurs` does, and where a copy into it is not finished. Changes nothing. */
export async function assertServable(db: Kysely<Tables> | Transaction<Tables>): Promise<void> {
  await assertOurs(db);
  if ((await tablesIn(db)).includes(noteTable)) throw new StartError(unfinishedSentence("The database"));
}

/** Throws StartError where the schema has another program's tables or those of a newer version. Changes nothing. */
export async function assertOurs(db: Kysely<Tables> | Transaction<Tables>): Promise<void> {
  const done = await migrationsIn(db);
  if (done === undefined) throw new StartError("The database has tables of another program and is no ledger. Give WALLET_DATABASE_URL an empty database, or one with a schema of its own in search_path.");
  const known = postgresMigrations();
  const newer = done.filter((name) => !(name in known));
  if (newer.length > 0) {
    throw new StartError(`The database was written by a newer version of the wallet (it has ${newer.join(", ")}). Start that version, or restore a backup.`);
  }
}

/** Throws StartError where the servable database lacks tables of this version: it has yet to be migrated, or to become a ledger. */
export async function assertUpToDate(db: Kysely<Tables>): Promise<void> {
  const done = new Set(await migrationsIn(db));
  if (done.size === 0) throw new StartError("The database is not a ledger yet. Give WALLET_DATABASE_URL one that is.");
  const missing = Object.keys(postgresMigrations()).filter((name) => !done.has(name));
  if (missing.length > 0) throw new StartError(`The database was written by an older version of the wallet (it lacks ${missing.join(", ")}). Start this version's service on it once.`);
}

/** The names of the migrations that were done, none in an empty schema; undefined where the tables are not a ledger's. */
async function migrationsIn(db: Kysely<Tables>): Promise<string[] | undefined> {
  const tables = await tablesIn(db);
  if (tables.length === 0) return [];
  if (!tables.includes("kysely_migration") || !tables.includes("ledger_head")) return undefined;
  const { rows } = await sql<{ name: string }>`select name::text as name from kysely_migration order by name`.execute(db);
  return rows.map(({ name }) => name);
}

/** A new ledger's own row and the empty journals of its partitions; one that is there keeps the partitions that it was created with. */
async function create(db: Transaction<Tables>, { partitions, nowMs }: NewLedger): Promise<void> {
  // Looked for before anything is written: on Citus every worker has to be there for a row that all have, and a server may start while one is not.
  if ((await db.selectFrom("ledger").select("id").executeTakeFirst()) !== undefined) return;
  const createTimeMs = BigInt(nowMs);
  const { numInsertedOrUpdatedRows } = await db
    .insertInto("ledger")
    .values({ id: 1n, partitions: BigInt(partitions), create_time_ms: createTimeMs })
    .onConflict((conflict) => conflict.column("id").doNothing())
    .executeTakeFirst();
  if (numInsertedOrUpdatedRows === 0n) return;
  for (let partition = 0; partition < partitions; partition++) {
    await db.insertInto("ledger_head").values({ partition: BigInt(partition), sequence: 0n, hash: genesisHash, time_ms: createTimeMs, key_ordinal: 0n }).execute();
  }
}
