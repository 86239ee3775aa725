// Inserts any number of rows with one statement: an array a column, side by side.

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

  const insert = statement<Record<string, unknown>>(conflict === undefined ? `insert ${table}` : `put ${table}`, (db, arg) => {
    const untyped = arg as unknown as (name: string, type: string) => RawBuilder<unknown>;
    const arrays = types.map(([column, type]) => untyped(column, `${typeOf(type)}[]`));
    // Set-returning functions that stand in a list go in step and keep nothing; in FROM, PostgreSQL first stores what each of them returns, in a buffer of its own of at least 16 KiB.
    const columnsOfRows = names.map((name, index) => sql`unnest(${arrays[index]}) as ${sql.ref(name)}`);
    const listed = sql`(select ${sql.join(columnsOfRows)})`.as("listed");
    // Which columns a table has is known for one that is named, not for any.
    const into = (db as unknown as Kysely<Record<string, Record<string, unknown>>>).insertInto<string>(table).columns(["partition", ...names]);
    const insertion = into.expression((rows) => rows.selectFrom(listed).select([untyped("partition", "bigint").as("partition"), ...names.map((name) => sql.ref(name).as(name))]));
    if (conflict === undefined) return insertion;
    const replaced = Object.fromEntries(conflict.replaced.map((name) => [name, sql.ref(`excluded.${name}`)]));
    return insertion.onConflict((rows) => rows.columns([...conflict.key]).doUpdateSet(replaced));
  });

  return (partition, rows) => {
    const args: Record<string, unknown> = { partition: BigInt(partition) };
    for (const name of names) {
      const values = rows.map((row) => (row as Record<string, unknown>)[name]);
      // Most columns of a journal have no value in most batches.
      args[name] = values.every((value) => value === null) ? null : values;
    }
    return bind(insert, args);
  };
}
