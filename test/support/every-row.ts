// Everything that a ledger's file says, so that a test can see that nothing has happened in it.

import { hash } from "node:crypto";
import Database from "better-sqlite3";

/** Every row of every table, as a number and a hash for each table. */
export function everyRow(databasePath: string): Record<string, { rows: number; hash: string }> {
  const connection = new Database(databasePath, { readonly: true });
  try {
    const tables = connection.prepare("select name from sqlite_master where type = 'table' order by name").pluck().all() as string[];
    const summary = (name: string): { rows: number; hash: string } => {
      const rows = connection.prepare(`select * from "${name}"`).safeIntegers().all();
      return { rows: rows.length, hash: hash("sha256", JSON.stringify(rows, (_, value: unknown) => (typeof value === "bigint" ? `${value}` : value))) };
    };
    return Object.fromEntries(tables.map((name) => [name, summary(name)]));
  } finally {
    connection.close();
  }
}
