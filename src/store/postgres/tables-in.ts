// The tables of the schema that the ledger is in.

import { sql, type Kysely, type Transaction } from "kysely";
import type { Tables } from "../tables.ts";

/** Their names, without those that an extension has brought. */
export async function tablesIn(db: Kysely<Tables> | Transaction<Tables>): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select relname::text as name from pg_class
    where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p') and not exists (select from pg_depend where classid = 'pg_class'::regclass and objid = pg_class.oid and deptype = 'e')`.execute(db);
  return rows.map(({ name }) => name);
}
