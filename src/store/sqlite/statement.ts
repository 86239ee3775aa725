// A query that Kysely writes and types once, and a prepared statement that runs it ever after: compiling costs more than running.

import type Database from "better-sqlite3";
import { DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler, sql, type Compilable, type RawBuilder } from "kysely";
import type { Tables } from "../tables.ts";

/** Writes queries and never runs them. */
const queries = new Kysely<Tables>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
});

/** Stands in a compiled query where an argument goes. */
class Placeholder {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** Names the arguments inside a query: `arg("walletId")`. */
export type Arguments<Args> = <Name extends keyof Args & string>(name: Name) => RawBuilder<Args[Name]>;

export interface Statement<Args, Row> {
  /** The first row, or undefined. */
  get(args: Args): Row | undefined;
  all(args: Args): Row[];
  /** Runs it and answers how many rows it changed. */
  run(args: Args): number;
}

/** Compiles the query and prepares it on this connection. */
export function statement<Args extends object, Row = unknown>(
  connection: Database.Database,
  write: (queries: Kysely<Tables>, arg: Arguments<Args>) => Compilable<Row>,
): Statement<Args, Row> {
  const compiled = write(queries, (name) => sql`${new Placeholder(name)}`).compile();
  const prepared = connection.prepare<unknown[], Row>(compiled.sql);
  const { parameters } = compiled;
  const names = parameters.map((parameter) => (parameter instanceof Placeholder ? (parameter.name as keyof Args) : undefined));
  // A loop: this runs for every row that is read or written.
  const values = (args: Args): unknown[] => {
    const found: unknown[] = [];
    for (let index = 0; index < names.length; index++) {
      const name = names[index];
      found.push(name === undefined ? parameters[index] : args[name]);
    }
    return found;
  };
  return {
    get: (args) => prepared.get(...values(args)),
    all: (args) => prepared.all(...values(args)),
    run: (args) => prepared.run(...values(args)).changes,
  };
}

/** Every column of a row as an argument of the same name, to be given to `values()`. A column that is left out does not compile. */
export function rowArguments<Row extends object, const Column extends keyof Row & string>(
  arg: Arguments<Row>,
  columns: [keyof Row] extends [Column] ? readonly Column[] : never,
): { [Name in keyof Row]: RawBuilder<Row[Name]> } {
  return Object.fromEntries((columns as readonly Column[]).map((column) => [column, arg(column)])) as unknown as { [Name in keyof Row]: RawBuilder<Row[Name]> };
}
