// The migrations of a PostgreSQL ledger: those that every engine has, and its own between them, in the order of their numbers.

import { sql, type Kysely, type RawBuilder } from "kysely";
import type { Migration } from "kysely/migration";
import { migrations } from "../migrations/migrations.ts";

// "C": byte by byte, as user ids are compared, and the same on every machine.
const engineTypes = { integer: sql`bigint`, text: sql`text collate "C"`, bytes: sql`bytea`, bytesLiteral, tableEnd: sql`` };

function bytesLiteral(value: Uint8Array): RawBuilder<unknown> {
  return sql`${sql.raw(`'\\x${Buffer.from(value).toString("hex")}'::bytea`)}`;
}

/** A number that one engine has taken for its own is not taken by what all have. */
export function postgresMigrations(): Record<string, Migration> {
  return {
    ...migrations(engineTypes),
    "0004-room-for-updates": { up: leaveRoom },
  };
}

/**
 * Rows that are changed again and again leave room on their pages, so that a new version of a row lies beside the old one and no index has to learn of it
 * (https://www.postgresql.org/docs/current/storage-hot.html). In percent that is filled at first.
 */
async function leaveRoom(db: Kysely<unknown>): Promise<void> {
  for (const [table, percent] of [["ledger_head", 10], ["currency_totals", 10], ["wallets", 70], ["holds", 80]] as const) {
    await sql`alter table ${sql.table(table)} set (fillfactor = ${sql.lit(percent)})`.execute(db);
  }
}
