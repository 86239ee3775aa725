// A query that Kysely writes and types once, to be run on any connection: compiling costs more than running.

import { DummyDriver, Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler, sql, type Compilable, type RawBuilder } from "kysely";
import type { Tables } from "../tables.ts";
import { toParameter, type ParameterType, type ParameterTypes } from "./parameters.ts";

/** Writes queries and never runs them. */
const queries = new Kysely<Tables>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
});

/** Stands in a compiled query where an argument goes. */
class Placeholder {
  readonly name: string;
  readonly type: ParameterType;
  constructor(name: string, type: ParameterType) {
    this.name = name;
    this.type = type;
  }
}

/** The type of a parameter that has this value. */
type TypeOf<Value> = { [Type in ParameterType]: [Value] extends [ParameterTypes[Type]] ? Type : never }[ParameterType];

/**
 * Names the arguments inside a query and their types: `arg("walletId", "bigint")`. Every parameter is written with its type, since PostgreSQL's guesses go by
 * what surrounds it.
 */
export type Arguments<Args> = <Name extends keyof Args & string>(name: Name, type: TypeOf<Args[Name]>) => RawBuilder<Args[Name]>;

/** A compiled query. `_row` is never there: it carries the type of what the query answers. */
export interface Statement<Args, Row> {
  /** Under which a connection prepares it once. */
  readonly name: string;
  readonly text: string;
  /** The arguments as the driver sends them. Throws RangeError for a number beyond 64 bits. */
  values(args: Args): (string | Buffer | null)[];
  readonly _row?: Row;
}

/** A statement with its arguments, ready to be sent: from here nothing can fail but the database. */
export interface Bound {
  readonly name: string;
  readonly text: string;
  readonly values: (string | Buffer | null)[];
}

/** Compiles the query. Every value in it must come through `arg` or be a literal. */
export function statement<Args extends object, Row = unknown>(name: string, write: (queries: Kysely<Tables>, arg: Arguments<Args>) => Compilable<Row>): Statement<Args, Row> {
  const { sql: text, parameters } = write(queries, (argument, type) => sql`${new Placeholder(argument, type)}::${sql.raw(type)}`).compile();
  const placeholders = parameters.map((parameter) => {
    if (parameter instanceof Placeholder) return parameter;
    throw new Error(`${name} has a parameter without a name: ${String(parameter)}`);
  });
  return {
    name,
    text,
    values: (args) => placeholders.map((placeholder) => toParameter(placeholder.type, args[placeholder.name as keyof Args] as ParameterTypes[ParameterType])),
  };
}

/** Throws RangeError for a number beyond 64 bits. */
export function bind<Args>({ name, text, values }: Statement<Args, unknown>, args: Args): Bound {
  return { name, text, values: values(args) };
}
