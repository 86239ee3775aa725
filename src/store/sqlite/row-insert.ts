// Inserts rows of a wide table of which most columns are null: those are left out, since giving each value to a statement costs as much as deciding something.

import type Database from "better-sqlite3";
import type { Insertable } from "kysely";
import type { Tables } from "../tables.ts";
import { rowArguments, statement, type Arguments } from "./statement.ts";

/**
 * Answers a function that inserts a row into this table: the columns that are `always` there, and those of the ones that are there `sometimes` (at most 53) which
 * are not null. Each choice of columns that comes up gets a statement of its own; operations have some twenty. A column that stands in neither list does not compile.
 */
export function rowInsert<Table extends keyof Tables, Always extends keyof Row & string, Sometimes extends keyof Row & string, Row extends object = Insertable<Tables[Table]>>(
  connection: Database.Database,
  table: Table,
  { always, sometimes }: [keyof Row] extends [Always | Sometimes] ? { readonly always: readonly Always[]; readonly sometimes: readonly Sometimes[] } : never,
): (row: Row) => void {
  const statements = new Map<number, (row: Row) => unknown>();
  const prepare = (row: Row): ((row: Row) => unknown) => {
    const columns = [...always, ...sometimes.filter((column) => row[column] !== null)];
    const insert = statement<Row>(connection, (db, arg) => db.insertInto(table).values(rowArguments(arg as Arguments<never>, columns as never)));
    return (each) => insert.run(each);
  };
  return (row) => {
    // Each column is a binary digit, of a number that may be larger than bit operations can handle.
    let choice = 0;
    for (let index = 0, weight = 1; index < sometimes.length; index++, weight *= 2) if (row[sometimes[index]!] !== null) choice += weight;
    let insert = statements.get(choice);
    if (insert === undefined) statements.set(choice, (insert = prepare(row)));
    insert(row);
  };
}
