// Reads a table's rows of one partition in the order of their key, from a place on.

import type { Kysely, RawBuilder, Selectable } from "kysely";
import type { RowRange } from "../audit/audit.ts";
import type { Tables } from "../tables.ts";
import { statement, type Statement } from "./statement.ts";

/** Makes the statement for a table whose key is the partition and this number. */
export function rowsAfter<Table extends "journal" | "wallets" | "holds" | "idempotency_keys" | "moved_operations">(
  table: Table,
  key: keyof Tables[Table] & string,
): Statement<RowRange, Selectable<Tables[Table]>> {
  return statement<RowRange, Selectable<Tables[Table]>>(`${table} after`, (db, arg) =>
    // Which columns a table has is known for one that is named, not for any.
    (db as unknown as Kysely<Record<string, Selectable<Tables[Table]> & Record<string, bigint>>>)
      .selectFrom<string>(table)
      .selectAll()
      .where("partition", "=", arg("partition", "bigint") as RawBuilder<never>)
      .where(key, ">", arg("after", "bigint") as RawBuilder<never>)
      .orderBy("partition")
      .orderBy(key)
      .limit(arg("limit", "bigint")),
  );
}
