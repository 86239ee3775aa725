// Whether the database is spread by Citus: what is true of one server is then true of its coordinator only.

import { sql } from "kysely";

/** "true" or "false". */
export const hasCitus = sql<string>`exists (select from pg_catalog.pg_extension where extname = 'citus')::text`;
