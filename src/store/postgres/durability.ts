// Whether what this server acknowledges survives a power loss: read back, since it is the server's to decide.

import { sql, type Kysely } from "kysely";
import type { Tables } from "../tables.ts";

/** What an operator should know before trusting it. */
export interface Durability {
  /** Whether an acknowledged commit is on the server's disk, whole. */
  readonly durable: boolean;
  /** One sentence each; empty where it is durable. */
  readonly reasons: readonly string[];
}

/** Setting → what is wrong where it is off (https://www.postgresql.org/docs/current/runtime-config-wal.html). */
const needed = {
  fsync: "the server does not wait for its disk: after a power loss the database may be damaged",
  synchronous_commit: "the server acknowledges commits before they are on its disk: a crash loses the last ones",
  full_page_writes: "the server cannot mend pages that a power loss has torn, unless its file system never tears them",
} as const;

/** Reads the settings as the writing connections have them. */
export async function durabilityOf(db: Kysely<Tables>): Promise<Durability> {
  const names = Object.keys(needed) as (keyof typeof needed)[];
  const { rows } = await sql<{ name: keyof typeof needed; setting: string }>`select name::text, setting from pg_settings where name = any(${names}::text[])`.execute(db);
  const settings = new Map(rows.map(({ name, setting }) => [name, setting]));
  const reasons = names.flatMap((name) => {
    const setting = settings.get(name);
    if (setting === undefined) return [`${name} is not told by the server: if it is off, ${needed[name]}`];
    return setting === "off" ? [`${name} is off: ${needed[name]}`] : [];
  });
  return { durable: reasons.length === 0, reasons };
}
