// The statements with which rows of any copied table are read in the order of their keys, and written.

import type Database from "better-sqlite3";
import { sql, type Kysely, type RawBuilder } from "kysely";
import { keyColumns, type CopiedRange, type CopiedRow, type CopiedTable } from "../copy/copied-tables.ts";
import { statement } from "./query.ts";
import type { Statement } from "./statement.ts";

/** Which columns a table has is known for one that is named, not for any. */
type AnyTables = Kysely<Record<string, Record<string, unknown>>>;
type AnyRow = Record<string, unknown>;
type AnyArguments = (name: string) => RawBuilder<unknown>;

export interface CopiedTableStatements<Table extends CopiedTable> {
  after(range: CopiedRange<Table>): CopiedRow<Table>[];
  last(partition: bigint): CopiedRow<Table> | undefined;
  insert(row: CopiedRow<Table>): void;
}

/** Prepares them on this connection. */
function prepareCopiedTable<Table extends CopiedTable>(connection: Database.Database, table: Table): CopiedTableStatements<Table> {
  const key: readonly string[] = keyColumns[table];

  const select = (direction: "asc" | "desc", isBehindAnother: boolean): Statement<AnyRow, AnyRow> =>
    statement<AnyRow, AnyRow>(connection, (db, named) => {
      const arg = named as AnyArguments;
      let query = (db as unknown as AnyTables).selectFrom(table as string).selectAll().where("partition", "=", arg("partition"));
      if (isBehindAnother) query = query.where(sql<boolean>`(${sql.join(key.map((column) => sql.ref(column)))}) > (${sql.join(key.map(arg))})`);
      for (const column of key) query = query.orderBy(column, direction);
      return query.limit(arg("limit") as RawBuilder<bigint>);
    });

  const first = select("asc", false);
  const next = select("asc", true);
  const last = select("desc", false);
  let insert: Statement<AnyRow, unknown> | undefined;

  return {
    after: ({ partition, after, limit }) => (after === undefined ? first.all({ partition, limit }) : next.all({ ...after, partition, limit })) as CopiedRow<Table>[],
    last: (partition) => last.get({ partition, limit: 1n }) as CopiedRow<Table> | undefined,
    insert(row) {
      // Every row of a table has the same columns: all of them.
      insert ??= statement<AnyRow>(connection, (db, named) => {
        const arg = named as AnyArguments;
        return (db as unknown as AnyTables).insertInto(table).values(Object.fromEntries(Object.keys(row).map((column) => [column, arg(column)])));
      });
      insert.run(row);
    },
  };
}

/** Those of all tables, each prepared when it is first asked for: the tables may have yet to be made. */
export function copiedTableStatements(connection: Database.Database): <Table extends CopiedTable>(table: Table) => CopiedTableStatements<Table> {
  const prepared = new Map<CopiedTable, unknown>();
  return <Table extends CopiedTable>(table: Table) => {
    if (!prepared.has(table)) prepared.set(table, prepareCopiedTable(connection, table));
    return prepared.get(table) as CopiedTableStatements<Table>;
  };
}
