// A ledger may be spread anew over other partitions: its journals then begin behind all ids that were given, and say which of their operations were born elsewhere.

import { sql, type Kysely } from "kysely";
import { genesisHash } from "../../domain/journal.ts";
import type { EngineTypes } from "./engine-types.ts";

export function addMovedOperations({ integer, bytes, bytesLiteral, tableEnd }: EngineTypes): (db: Kysely<unknown>) => Promise<void> {
  const none = sql`0`;
  return async (db) => {
    await db.schema.alterTable("ledger_head").addColumn("start_sequence", integer, (column) => column.notNull().defaultTo(none)).execute();
    await db.schema.alterTable("ledger_head").addColumn("start_hash", bytes, (column) => column.notNull().defaultTo(bytesLiteral(genesisHash))).execute();
    await db.schema.alterTable("ledger_head").addColumn("moved_sequence", integer, (column) => column.notNull().defaultTo(none)).execute();
    await db.schema
      .createTable("moved_operations")
      .addColumn("partition", integer, (column) => column.notNull())
      .addColumn("operation_id", integer, (column) => column.notNull())
      .addColumn("sequence", integer, (column) => column.notNull())
      .addPrimaryKeyConstraint("moved_operations_key", ["partition", "operation_id"])
      .modifyEnd(tableEnd)
      .execute();
  };
}
