// A written query, prepared on a connection. Without Kysely: whoever is given a query that another thread has written can run it.

import assert from "node:assert/strict";
import type Database from "better-sqlite3";
import type { Compilable, Kysely, RawBuilder, Sql } from "kysely";
import type { Tables } from "../tables.ts";

/** A query as text, with what goes where its question marks stand: plain data, which one thread can send to another. */
export interface Query<Args, Row> {
  readonly sql: string;
  readonly values: readonly ({ readonly argument: string } | { readonly constant: unknown })[];
  /** Never there: what the query takes and answers is known to the compiler only. */
  readonly types?: (args: Args) => Row;
}

/** Names the arguments inside a query: `arg("walletId")`. */
export type Arguments<Args> = <Name extends keyof Args & string>(name: Name) => RawBuilder<Args[Name]>;

/** Says a query in Kysely's words. */
export type WrittenBy<Args, Row> = (queries: Kysely<Tables>, arg: Arguments<Args>, sql: Sql) => Compilable<Row>;

/** See query.ts. */
export type WriteQuery = <Args extends object, Row = unknown>(write: WrittenBy<Args, Row>) => Query<Args, Row>;

export interface Statement<Args, Row> {
  /** The first row, or undefined. */
  get(args: Args): Row | undefined;
  all(args: Args): Row[];
  /** Runs it and answers how many rows it changed. */
  run(args: Args): number;
}

/** The queries of these statements. */
export type Written<Statements> = { readonly [Name in keyof Statements]: Statements[Name] extends Statement<infer Args, infer Row> ? Query<Args, Row> : never };

/** A statement that is given several rows at once. */
export interface RowsStatement<Row> {
  /** Runs it with as many rows as it is for, from this place on. */
  run(rows: readonly Row[], from: number): void;
}

/** Prepares the query on this connection. */
export function prepare<Args extends object, Row>(connection: Database.Database, { sql, values: places }: Query<Args, Row>): Statement<Args, Row> {
  const prepared = connection.prepare<unknown[], Row>(sql);
  const names = places.map((place) => ("argument" in place ? (place.argument as keyof Args) : undefined));
  const constants = places.map((place) => ("constant" in place ? place.constant : undefined));
  // A loop: this runs for every row that is read or written.
  const values = (args: Args): unknown[] => {
    const found: unknown[] = [];
    for (let index = 0; index < names.length; index++) {
      const name = names[index];
      found.push(name === undefined ? constants[index] : args[name]);
    }
    return found;
  };
  return {
    get: (args) => prepared.get(...values(args)),
    all: (args) => prepared.all(...values(args)),
    run: (args) => prepared.run(...values(args)).changes,
  };
}

/** Prepares all of them on this connection. */
export function prepareAll<Statements>(connection: Database.Database, written: Written<Statements>): Statements {
  const queries = Object.entries(written as Record<string, Query<object, unknown>>);
  return Object.fromEntries(queries.map(([name, query]) => [name, prepare(connection, query)])) as Statements;
}

/** Prepares a query that takes the same arguments again for each of so many rows, and nothing else. */
export function prepareRows<Row extends object>(connection: Database.Database, rowsAtOnce: number, { sql, values: places }: Query<Row, unknown>): RowsStatement<Row> {
  const prepared = connection.prepare(sql);
  const names = places.map((place) => ("argument" in place ? place.argument : undefined));
  const columns = names.slice(0, names.length / rowsAtOnce) as (keyof Row)[];
  assert(names.every((name, index) => name !== undefined && name === columns[index % columns.length]), "each row has the same arguments");
  return {
    run(rows, from) {
      const values: unknown[] = [];
      for (let at = from; at < from + rowsAtOnce; at++) {
        const row = rows[at]!;
        for (let index = 0; index < columns.length; index++) values.push(row[columns[index]!]);
      }
      prepared.run(values);
    },
  };
}

/** Every column of a row as an argument of the same name, to be given to `values()`. A column that is left out does not compile. */
export function rowArguments<Row extends object, const Column extends keyof Row & string>(
  arg: Arguments<Row>,
  columns: [keyof Row] extends [Column] ? readonly Column[] : never,
): { [Name in keyof Row]: RawBuilder<Row[Name]> } {
  return Object.fromEntries((columns as readonly Column[]).map((column) => [column, arg(column)])) as unknown as { [Name in keyof Row]: RawBuilder<Row[Name]> };
}

/** `column = argument` for each, the argument having the column's name. */
export function assigned<Row extends object, const Column extends keyof Row & string>(arg: Arguments<Row>, columns: readonly Column[]): { [Name in Column]: RawBuilder<Row[Name]> } {
  return Object.fromEntries(columns.map((column) => [column, arg(column)])) as unknown as { [Name in Column]: RawBuilder<Row[Name]> };
}
