// How a database is defined, and how a new ledger of this version is.

import Database from "better-sqlite3";
import type { Schema } from "../audit/audit.ts";
import { migrate } from "./migrate.ts";

/** Of these only the name is told: SQLite's statistics, which anybody's ANALYZE adds to, and what the Kysely of its time made to remember migrations. */
const namesOnly = /^table (sqlite_stat\d|kysely_migration|kysely_migration_lock)$/;

/** Everything in the schema that the connection reads: tables, indexes, triggers and views. */
export function schemaOf(connection: Database.Database): Schema {
  const objects = connection.prepare<[], Record<"type" | "name" | "table" | "sql", unknown>>('select type, name, tbl_name as "table", sql from sqlite_schema order by rowid').all();
  return new Map(
    objects.flatMap(({ type, name, table, sql }) => {
      const object = `${String(type)} ${String(name)}`;
      // SQLite makes the table of ANALYZE's larger samples only where it was built to take them.
      if (object === "table sqlite_stat4") return [];
      return [[object, namesOnly.test(object) ? "there" : `${type === "table" ? "" : `on ${String(table)}: `}${normalized(sql)}`] as const];
    }),
  );
}

/** The schema of a ledger that this version makes. */
export async function newSchema(): Promise<Schema> {
  const connection = new Database(":memory:");
  try {
    await migrate(connection, 0);
    return schemaOf(connection);
  } finally {
    connection.close();
  }
}

/** Without what a later Kysely or SQLite may write otherwise: spaces, quotes around names, and capitals. No definition of the ledger's has text in it. */
function normalized(sql: unknown): string {
  if (typeof sql !== "string") return "made by SQLite";
  return sql.replace(/"(\w+)"/g, "$1").replace(/\s+/g, " ").replace(/ ?([(),]) ?/g, "$1").toLowerCase();
}
