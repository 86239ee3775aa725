// The migrations of a SQLite ledger: those that every engine has, and its own between them, in the order of their numbers.

import type Database from "better-sqlite3";
import { sql, type RawBuilder } from "kysely";
import type { Migration } from "kysely/migration";
import { migrations } from "../migrations/migrations.ts";
import { addKeyRuns } from "./keys/0004-key-runs.ts";
import { addNewerWallets } from "./newer-wallets/0008-newer-wallets.ts";

const engineTypes = { integer: sql`integer`, text: sql`text`, bytes: sql`blob`, bytesLiteral, tableEnd: sql`strict, without rowid` };

function bytesLiteral(value: Uint8Array): RawBuilder<unknown> {
  return sql`${sql.raw(`x'${Buffer.from(value).toString("hex")}'`)}`;
}

/** Those for the file behind this connection. A number that one engine has taken for its own is not taken by what all have. */
export function sqliteMigrations(connection: Database.Database): Record<string, Migration> {
  return {
    ...migrations(engineTypes),
    // Kysely runs it in a transaction on this very connection.
    "0004-key-runs": { up: async () => addKeyRuns(connection) },
    "0008-newer-wallets": { up: async () => addNewerWallets(connection) },
  };
}
