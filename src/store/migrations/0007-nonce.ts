// A batch's last record may say which batch it was, where its content does not (postgres/nonce.ts).

import type { Kysely } from "kysely";
import type { EngineTypes } from "./engine-types.ts";

export function addNonce({ integer }: EngineTypes): (db: Kysely<unknown>) => Promise<void> {
  return async (db) => {
    await db.schema.alterTable("journal").addColumn("nonce", integer).execute();
  };
}
