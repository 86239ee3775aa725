// What the role of the database's URL may do there: asked at the start, since what it may not would be told by the first call that needs it.

import { sql, type Kysely, type Transaction } from "kysely";
import { StartError } from "../../start-error.ts";
import type { Tables } from "../tables.ts";
import { tablesIn } from "./tables-in.ts";

/** What a service does with each table. Whoever takes more from the role, such as changing a journal that only grows, takes nothing that is needed. */
const needed: Partial<Record<keyof Tables, readonly string[]>> = {
  ledger: ["SELECT"],
  // A head is locked as what is to be changed.
  ledger_head: ["SELECT", "UPDATE"],
  journal: ["SELECT", "INSERT"],
  wallets: ["SELECT", "INSERT", "UPDATE"],
  holds: ["SELECT", "INSERT", "UPDATE"],
  idempotency_keys: ["SELECT", "INSERT", "UPDATE", "DELETE"],
  currency_totals: ["SELECT", "INSERT", "UPDATE"],
  history_marks: ["SELECT", "INSERT"],
  moved_operations: ["SELECT"],
};

/** Throws StartError where there are tables to make and the role may make none: the migrator would tell of what that leads to, and not of it. */
export async function assertMayMakeTables(db: Kysely<Tables> | Transaction<Tables>): Promise<void> {
  if ((await tablesIn(db)).length > 0) return;
  const { rows } = await sql<{ role: string; schema: string | null; may: string | null }>`
    select current_user::text as role, current_schema()::text as schema, has_schema_privilege(current_schema(), 'CREATE')::text as may`.execute(db);
  const { role, schema, may } = rows[0]!;
  if (may === "true") return;
  const remedy = schema === null ? `create a schema that is in its search_path` : `run "grant create on schema ${schema} to ${role}" as the database's owner`;
  throw new StartError(`The role ${role} of WALLET_DATABASE_URL may not create tables in ${schema === null ? "any schema" : `the schema ${schema}`} of the database: ${remedy}, or give the URL of a role that may.`);
}

/** Throws StartError where the role may not do in the ledger's tables what a service does. */
export async function assertMayWrite(db: Transaction<Tables>): Promise<void> {
  const asked = Object.entries(needed).flatMap(([table, privileges]) => privileges.map((privilege) => ({ table, privilege })));
  const { rows } = await sql<{ role: string; schema: string; missing: string }>`
    select current_user::text as role, current_schema()::text as schema, privilege || ' on ' || tablename as missing
    from unnest(${asked.map(({ table }) => table)}::text[], ${asked.map(({ privilege }) => privilege)}::text[]) as asked (tablename, privilege)
    where not has_table_privilege(format('%I.%I', current_schema(), tablename), privilege)`.execute(db);
  const [first] = rows;
  if (first === undefined) return;
  const { role, schema } = first;
  throw new StartError(
    `The role ${role} of WALLET_DATABASE_URL may not write in the ledger, since it lacks ${rows.map(({ missing }) => missing).join(", ")}: run "grant select, insert, update, delete on all tables in schema ${schema} to ${role}" as the tables' owner, or give the URL of a role that may.`,
  );
}
