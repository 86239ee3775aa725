// Queries that Kysely writes and types, once: compiling costs more than running.

import { DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler, sql } from "kysely";
import type Database from "better-sqlite3";
import type { Tables } from "../tables.ts";
import { prepare, type Query, type Statement, type WriteQuery, type WrittenBy } from "./statement.ts";

/**
 * Writes each value's place as `+?`, which means the same as `?` and hides the value from SQLite's planner. At a bare question mark in a LIMIT, and in some equalities, it
 * would look, and plan such a query anew in every run: better-sqlite3 sets values anew in each. That takes several times as long as running it.
 */
class UnseenValuesCompiler extends SqliteQueryCompiler {
  protected override getCurrentParameterPlaceholder(): string {
    return "+?";
  }
}

/** Writes queries and never runs them. */
const queries = new Kysely<Tables>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new UnseenValuesCompiler(),
  },
});

/** Stands in a compiled query where an argument goes. */
class Placeholder {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** Has Kysely write this query. */
export const query: WriteQuery = <Args extends object, Row>(write: WrittenBy<Args, Row>): Query<Args, Row> => {
  const { sql: text, parameters } = write(queries, (name) => sql`${new Placeholder(name)}`, sql).compile();
  return { sql: text, values: parameters.map((value) => (value instanceof Placeholder ? { argument: value.name } : { constant: value })) };
};

/** Writes a query that one connection only needs, and prepares it there. */
export function statement<Args extends object, Row = unknown>(connection: Database.Database, write: WrittenBy<Args, Row>): Statement<Args, Row> {
  return prepare(connection, query(write));
}
