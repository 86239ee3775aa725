// How a database is defined, read from PostgreSQL's catalogs.

import { sql, type Kysely } from "kysely";
import type { Schema } from "../audit/audit.ts";
import type { Tables } from "../tables.ts";

/** Of these only the name is told: what the Kysely of its time made to remember migrations. */
export const namesOnly: ReadonlySet<string> = new Set(["kysely_migration", "kysely_migration_lock"]);

/** An object of the database's schema, as the catalogs tell it. */
interface Defined {
  readonly kind: string;
  readonly name: string;
  readonly table_name: string;
  readonly definition: string;
}

/** Everything in the connection's schema that can hold or change rows: tables with their columns, constraints, indexes, triggers, rules, views and sequences. What an extension has brought is its own. */
export async function schemaOf(db: Kysely<Tables>): Promise<Schema> {
  const { rows } = await sql<Defined>`
    with relations as (
      select oid, relname, relkind from pg_class
      where relnamespace = current_schema()::regnamespace and not exists (select from pg_depend where classid = 'pg_class'::regclass and objid = pg_class.oid and deptype = 'e')
    )
    select 'table' as kind, relname::text as name, relname::text as table_name, coalesce(string_agg(attname || ' ' || format_type(atttypid, atttypmod)
        || case when collname = 'C' then ' collate c' else '' end || case when attnotnull then ' not null' else '' end
        || coalesce(' default ' || pg_get_expr(adbin, adrelid), ''), ', ' order by attname), 'no columns') as definition
      from relations left join pg_attribute on attrelid = relations.oid and attnum > 0 and not attisdropped left join pg_collation on pg_collation.oid = attcollation
      left join pg_attrdef on adrelid = attrelid and adnum = attnum where relkind in ('r', 'p', 'f') group by relname
    union all
    select case relkind when 'v' then 'view' when 'm' then 'view' when 'S' then 'sequence' else 'relation' end, relname::text, relname::text, 'there' from relations where relkind not in ('r', 'p', 'f', 'i', 'I', 't')
    union all
    select 'constraint', conname::text, relname::text, pg_get_constraintdef(pg_constraint.oid) from relations join pg_constraint on conrelid = relations.oid where contype <> 'n'
    union all
    select 'index', indexes.relname::text, relations.relname::text, pg_get_indexdef(indexrelid) || case when indisvalid then '' else ' (invalid)' end
      from relations join pg_index on indrelid = relations.oid join pg_class as indexes on indexes.oid = indexrelid where relations.relkind in ('r', 'p')
    union all
    select 'trigger', tgname::text, relname::text, pg_get_triggerdef(pg_trigger.oid) from relations join pg_trigger on tgrelid = relations.oid where not tgisinternal
    union all
    select 'rule', rulename::text, relname::text, pg_get_ruledef(pg_rewrite.oid) from relations join pg_rewrite on ev_class = relations.oid where rulename <> '_RETURN'`.execute(db);
  return new Map(rows.flatMap(toEntry));
}

function toEntry({ kind, name, table_name: table, definition }: Defined): [string, string][] {
  if (namesOnly.has(table)) return kind === "table" ? [[`table ${name}`, "there"]] : [];
  return [[`${kind} ${name}`, kind === "table" ? definition : `on ${table}: ${normalized(definition)}`]];
}

/** Without what one version of PostgreSQL may write otherwise than another, and without the schema that the ledger happens to be in. */
function normalized(definition: string): string {
  return definition.replace(/"(\w+)"/g, "$1").replace(/ ON \w+\./g, " ON ").replace(/\s+/g, " ").toLowerCase();
}
