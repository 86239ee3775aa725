// Brings a database file to this version's tables, all or nothing, and refuses files that are not a ledger or are newer than this version.

import Database from "better-sqlite3";
import { Kysely, SqliteAdapter, SqliteDialect } from "kysely";
import { Migrator } from "kysely/migration";
import { genesisHash } from "../../domain/journal.ts";
import { StartError } from "../../start-error.ts";
import { noteTable, unfinishedSentence } from "../copy/copy-note.ts";
import type { Tables } from "../tables.ts";
import { statePlannerStatistics } from "./planner-statistics.ts";
import { sqliteMigrations } from "./sqlite-migrations.ts";

/** Marks the file as a ledger, "WALT" in ASCII (https://sqlite.org/pragma.html#pragma_application_id). */
const applicationId = 0x57414c54;

/** SQLite's DDL is transactional; Kysely's own adapter says no because it cannot speak for every user of SQLite. */
class TransactionalSqliteDialect extends SqliteDialect {
  override createAdapter(): SqliteAdapter {
    return new (class extends SqliteAdapter {
      override get supportsTransactionalDdl(): boolean {
        return true;
      }
    })();
  }
}

/** Throws StartError where the file is not ours, as `assertOurs` does, and where a copy into it is not finished. */
export function assertServable(path: string): void {
  assertOurs(path);
  const connection = new Database(path, { readonly: true, fileMustExist: true });
  try {
    const isUnfinished = connection.prepare("select 1 from sqlite_schema where type = 'table' and name = ?").get(noteTable) !== undefined;
    if (isUnfinished) throw new StartError(unfinishedSentence(path));
  } finally {
    connection.close();
  }
}

/**
 * Looks whose file this is, through a connection of its own that cannot change anything of it. Throws StartError where it is another program's or a
 * newer version's. To be called before anything else touches the file: choosing a journal mode is a change already.
 */
export function assertOurs(path: string): void {
  const connection = new Database(path, { readonly: true, fileMustExist: true });
  try {
    const owner = connection.pragma("application_id", { simple: true });
    const tables = connection.prepare<[], { name: string }>("select name from sqlite_schema where type = 'table'").all();
    if (owner !== applicationId && tables.length > 0) {
      throw new StartError(`${path} is a database of another program, not a ledger. Give WALLET_DATABASE_URL another path.`);
    }
    if (!tables.some((table) => table.name === "kysely_migration")) return;
    const known = sqliteMigrations(connection);
    const newer = connection.prepare<[], { name: string }>("select name from kysely_migration order by name").all().filter(({ name }) => !(name in known));
    if (newer.length > 0) {
      throw new StartError(`${path} was written by a newer version of the wallet (it has ${newer.map(({ name }) => name).join(", ")}). Start that version, or restore a backup.`);
    }
  } finally {
    connection.close();
  }
}

/** Throws StartError where the servable file lacks tables of this version: it has yet to be migrated, or to become a ledger. */
export function assertUpToDate(path: string): void {
  const connection = new Database(path, { readonly: true, fileMustExist: true });
  try {
    const names = connection.prepare<[], { name: string }>("select name from sqlite_schema where type = 'table'").all();
    if (!names.some(({ name }) => name === "kysely_migration")) throw new StartError(`${path} is not a ledger yet. Give WALLET_DATABASE_URL the path of one.`);
    const done = new Set(connection.prepare<[], { name: string }>("select name from kysely_migration").all().map(({ name }) => name));
    const missing = Object.keys(sqliteMigrations(connection)).filter((name) => !done.has(name));
    if (missing.length > 0) throw new StartError(`${path} was written by an older version of the wallet (it lacks ${missing.join(", ")}). Start this version's service on it once.`);
  } finally {
    connection.close();
  }
}

/** Migrates the file behind this connection, which must be servable; where it is no ledger yet it becomes one, with so many partitions. */
export async function migrate(connection: Database.Database, nowMs: number, partitions = 1): Promise<void> {
  await makeTables(connection);
  connection.transaction(() => create(connection, nowMs, partitions))();
  statePlannerStatistics(connection);
}

/** Brings the tables to this version's, in a file that is marked as a ledger's; there may be none. */
export async function makeTables(connection: Database.Database): Promise<void> {
  markAsLedger(connection);
  const db = new Kysely<Tables>({ dialect: new TransactionalSqliteDialect({ database: connection }) });
  const { error } = await new Migrator({ db, provider: { getMigrations: async () => sqliteMigrations(connection) } }).migrateToLatest();
  if (error !== undefined) throw error;
}

/** From now on the file is taken for a ledger's, whatever tables it has. */
export function markAsLedger(connection: Database.Database): void {
  connection.pragma(`application_id = ${applicationId}`);
}

/** A new ledger's own row and the empty journals of its partitions. */
function create(connection: Database.Database, nowMs: number, partitions: number): void {
  const { changes } = connection.prepare("insert into ledger (id, partitions, create_time_ms) values (1, ?, ?) on conflict do nothing").run(partitions, nowMs);
  if (changes === 0) return;
  const head = connection.prepare("insert into ledger_head (partition, sequence, hash, time_ms, key_ordinal) values (?, 0, ?, ?, 0)");
  for (let partition = 0; partition < partitions; partition++) head.run(partition, genesisHash, nowMs);
}
