// An operation whose wallets are in different partitions has a record in each journal, which says whose part it is and to whom the other wallet belongs.

import type { Kysely } from "kysely";
import type { EngineTypes } from "./engine-types.ts";

export function addRecordsApart({ integer, text }: EngineTypes): (db: Kysely<unknown>) => Promise<void> {
  return async (db) => {
    await db.schema.alterTable("journal").addColumn("side", integer).execute();
    await db.schema.alterTable("journal").addColumn("other_user_id", text).execute();
    await db.schema.alterTable("journal").addColumn("other_exponent", integer).execute();
  };
}
