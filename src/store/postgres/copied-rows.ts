// The statements with which rows of any copied table are read in the order of their keys, and written.

import { sql, type Insertable, type Kysely, type RawBuilder } from "kysely";
import { keyColumns, type CopiedRange, type CopiedRow, type CopiedTable } from "../copy/copied-tables.ts";
import type { Tables } from "../tables.ts";
import { columns, typeOf } from "./columns.ts";
import { rowInsert } from "./row-insert.ts";
import { bind, statement, type Bound, type Statement } from "./statement.ts";

/** Which columns a table has is known for one that is named, not for any. */
type AnyTables = Kysely<Record<string, Record<string, unknown>>>;
type AnyRow = Record<string, unknown>;
type AnyArguments = (name: string, type: string) => RawBuilder<unknown>;

export interface CopiedTableStatements<Table extends CopiedTable> {
  after(range: CopiedRange<Table>): Bound;
  last(partition: bigint): Bound;
  insert(partition: bigint, rows: readonly CopiedRow<Table>[]): Bound | undefined;
}

function statementsOf<Table extends CopiedTable>(table: Table): CopiedTableStatements<Table> {
  const key: readonly string[] = keyColumns[table];
  const types = columns[table] as Readonly<Record<string, Parameters<typeof typeOf>[0]>>;

  const select = (name: string, direction: "asc" | "desc", isBehindAnother: boolean): Statement<AnyRow, AnyRow> =>
    statement<AnyRow, AnyRow>(`copy ${table} ${name}`, (db, named) => {
      const arg = named as unknown as AnyArguments;
      let query = (db as unknown as AnyTables).selectFrom(table as string).selectAll().where("partition", "=", arg("partition", "bigint"));
      if (isBehindAnother) {
        const places = key.map((column) => arg(column, typeOf(types[column]!)));
        query = query.where(sql<boolean>`(${sql.join(key.map((column) => sql.ref(column)))}) > (${sql.join(places)})`);
      }
      for (const column of ["partition", ...key]) query = query.orderBy(column, direction);
      return query.limit(arg("limit", "bigint") as RawBuilder<bigint>);
    });

  const first = select("first", "asc", false);
  const next = select("next", "asc", true);
  const last = select("last", "desc", false);
  const insert = rowInsert(table, table === "idempotency_keys" ? (takenOver as never) : undefined);

  return {
    after: ({ partition, after, limit }) => (after === undefined ? bind(first, { partition, limit }) : bind(next, { ...after, partition, limit })),
    last: (partition) => bind(last, { partition, limit: 1n }),
    insert: (partition, rows) => insert(Number(partition), (table === "idempotency_keys" ? newestOfEach(rows as never) : rows) as never),
  };
}

/**
 * A key that was remembered anew after its retention has one row here, the newer one: they are found by an index that knows each hash once. Where the source still has the older row too, the newer takes
 * its place.
 */
const takenOver = { key: ["partition", "key_hash"], replaced: ["ordinal", "fingerprint", "time_ms", "sequence", "rejection"] } as const;

/** One statement cannot replace what it has just inserted. */
function newestOfEach(rows: readonly Insertable<Tables["idempotency_keys"]>[]): readonly Insertable<Tables["idempotency_keys"]>[] {
  return [...new Map(rows.map((row) => [Buffer.from(row.key_hash).toString("hex"), row])).values()];
}

const statements: { readonly [Table in CopiedTable]: CopiedTableStatements<Table> } = {
  journal: statementsOf("journal"),
  history_marks: statementsOf("history_marks"),
  wallets: statementsOf("wallets"),
  holds: statementsOf("holds"),
  idempotency_keys: statementsOf("idempotency_keys"),
  currency_totals: statementsOf("currency_totals"),
  moved_operations: statementsOf("moved_operations"),
};

/** The table's. */
export function copiedTableStatements<Table extends CopiedTable>(table: Table): CopiedTableStatements<Table> {
  return statements[table];
}
