// Every 64th record of a wallet is marked, so that a place in its history is found without walking all of it.

import { sql, type Kysely } from "kysely";
import { recordsPerMark } from "../history-marks.ts";
import type { EngineTypes } from "./engine-types.ts";

/** Adds the table, and marks the histories that are there. */
export function addHistoryMarks({ integer, tableEnd }: EngineTypes): (db: Kysely<unknown>) => Promise<void> {
  const every = sql.lit(recordsPerMark);
  return async (db) => {
    await db.schema
      .createTable("history_marks")
      .addColumn("partition", integer, (column) => column.notNull())
      .addColumn("wallet_id", integer, (column) => column.notNull())
      .addColumn("sequence", integer, (column) => column.notNull())
      .addPrimaryKeyConstraint("history_marks_key", ["partition", "wallet_id", "sequence"])
      .modifyEnd(tableEnd)
      .execute();
    await sql`
      insert into history_marks ("partition", wallet_id, sequence)
      select "partition", wallet_id, sequence from journal where version_after % ${every} = 0`.execute(db);
    await sql`
      insert into history_marks ("partition", wallet_id, sequence)
      select "partition", receiver_wallet_id, sequence from journal where receiver_version_after % ${every} = 0`.execute(db);
  };
}
