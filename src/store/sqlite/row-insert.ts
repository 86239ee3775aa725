// Inserts rows of one table, several with each statement: running one costs as much as giving it a dozen values.
//
// Most columns of a wide table are null. Those are left out where no row of a statement has them, since each value that is given costs something.

import assert from "node:assert/strict";
import type Database from "better-sqlite3";
import type { Insertable } from "kysely";
import type { Tables } from "../tables.ts";
import { query } from "./query.ts";
import { prepareRows, rowArguments, type Arguments, type RowsStatement } from "./statement.ts";

/** Rows of one statement, at most: with more of them a row costs hardly less. A power of two, since fewer rows are cut into powers of two. */
const rowsAtOnceMax = 16;

/** Statements of one table, each of some 10 to 50 KiB. Operations have some twenty choices of columns; what would be one too many is given all columns. */
const statementsMax = 128;

/**
 * Answers a function that inserts rows into this table, in their order: the columns that are `always` there, and those of the ones that are there `sometimes`
 * (at most 30) which are not null in all rows of a statement. A column that stands in neither list does not compile.
 */
export function rowInsert<Table extends keyof Tables, Always extends keyof Row & string, Sometimes extends keyof Row & string, Row extends object = Insertable<Tables[Table]>>(
  connection: Database.Database,
  table: Table,
  { always, sometimes }: [keyof Row] extends [Always | Sometimes] ? { readonly always: readonly Always[]; readonly sometimes: readonly Sometimes[] } : never,
): (rows: readonly Row[]) => void {
  assert(sometimes.length <= 30, "a choice of columns is a number that bit operations can handle");
  const allColumns = 2 ** sometimes.length - 1;
  const statements = new Map<number, RowsStatement<Row>>();

  /** The columns that any of these rows has, each as a binary digit. */
  const choiceOf = (rows: readonly Row[], from: number, end: number): number => {
    let choice = 0;
    for (let at = from; at < end; at++) {
      const row = rows[at]!;
      for (let index = 0; index < sometimes.length; index++) if (row[sometimes[index]!] !== null) choice |= 1 << index;
    }
    return choice;
  };
  const prepared = (choice: number, rowsAtOnce: number): RowsStatement<Row> => {
    const name = choice * rowsAtOnceMax + rowsAtOnce - 1;
    const known = statements.get(name);
    if (known !== undefined) return known;
    if (statements.size >= statementsMax && choice !== allColumns) return prepared(allColumns, rowsAtOnce);
    const columns = [...always, ...sometimes.filter((_, index) => (choice & (1 << index)) !== 0)];
    // OR FAIL: the transaction ends with any error, so SQLite need not keep what each page was before the statement to undo it alone.
    const write = query<Row>((db, arg) => db.insertInto(table).orFail().values(Array.from({ length: rowsAtOnce }, () => rowArguments(arg as Arguments<never>, columns as never))));
    const insert = prepareRows(connection, rowsAtOnce, write);
    statements.set(name, insert);
    return insert;
  };

  return (rows) => {
    let rowsAtOnce = rowsAtOnceMax;
    for (let from = 0; from < rows.length; from += rowsAtOnce) {
      while (rowsAtOnce > rows.length - from) rowsAtOnce /= 2;
      prepared(choiceOf(rows, from, from + rowsAtOnce), rowsAtOnce).run(rows, from);
    }
  };
}
