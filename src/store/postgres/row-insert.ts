// Inserts any number of rows with one statement: an array a column, side by side, where there are several.

import { sql, type Insertable, type Kysely, type RawBuilder } from "kysely";
import type { Tables } from "../tables.ts";
import { columns, typeOf, type TableName } from "./columns.ts";
import { bind, statement, type Bound } from "./statement.ts";

/** What happens to rows whose key is there: it names the key's columns, and those of the row that get the new values. Without one it is an error. */
export interface Conflict<Column extends string> {
  readonly key: readonly Column[];
  readonly replaced: readonly Column[];
}

/**
 * Answers a function that makes the statement for these rows of one partition, all columns set. The partition stands alone beside the arrays, since
 * an engine that spreads partitions over machines finds the machine by it.
 */
export function rowInsert<Table extends Exclude<TableName, "ledger">>(
  table: Table,
  conflict?: Conflict<keyof Tables[Table] & string>,
): (partition: number, rows: readonly Insertable<Tables[Table]>[]) => Bound {
  const types = Object.entries(columns[table]).filter(([column]) => column !== "partition");
  const names = types.map(([column]) => column);
  const verb = conflict === undefined ? "insert" : "put";
  type Argument = (name: string, type: string) => RawBuilder<unknown>;

  // Which columns a table has is known for one that is named, not for any.
  const into = (db: Kysely<Tables>) => (db as unknown as Kysely<Record<string, Record<string, unknown>>>).insertInto<string>(table).columns(["partition", ...names]);
  const onConflict = (insertion: ReturnType<typeof into>) => {
    if (conflict === undefined) return insertion;
    const replaced = Object.fromEntries(conflict.replaced.map((name) => [name, sql.ref(`excluded.${name}`)]));
    return insertion.onConflict((rows) => rows.columns([...conflict.key]).doUpdateSet(replaced));
  };

  const insertMany = statement<Record<string, unknown>>(`${verb} ${table}`, (db, arg) => {
    const untyped = arg as unknown as Argument;
    const arrays = types.map(([column, type]) => untyped(column, `${typeOf(type)}[]`));
    // Set-returning functions that stand in a list go in step and keep nothing; in FROM, PostgreSQL first stores what each of them returns, in a buffer of its own of at least 16 KiB.
    const columnsOfRows = names.map((name, index) => sql`unnest(${arrays[index]}) as ${sql.ref(name)}`);
    const listed = sql`(select ${sql.join(columnsOfRows)})`.as("listed");
    return onConflict(into(db).expression((rows) => rows.selectFrom(listed).select([untyped("partition", "bigint").as("partition"), ...names.map((name) => sql.ref(name).as(name))])));
  });
  // A row alone needs no arrays, and an engine that spreads partitions over machines hands it on as it is, where it makes rows out of arrays before it looks whose they are.
  const insertOne = statement<Record<string, unknown>>(`${verb} one of ${table}`, (db, arg) => {
    const untyped = arg as unknown as Argument;
    return onConflict(into(db).values({ partition: untyped("partition", "bigint"), ...Object.fromEntries(types.map(([column, type]) => [column, untyped(column, typeOf(type))])) }));
  });

  return (partition, rows) => {
    if (rows.length === 1) return bind(insertOne, { ...(rows[0] as Record<string, unknown>), partition: BigInt(partition) });
    const args: Record<string, unknown> = { partition: BigInt(partition) };
    for (const name of names) {
      const values = rows.map((row) => (row as Record<string, unknown>)[name]);
      // Most columns of a journal have no value in most batches.
      args[name] = values.every((value) => value === null) ? null : values;
    }
    return bind(insertMany, args);
  };
}
