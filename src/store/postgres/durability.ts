// Whether what this server acknowledges survives a power loss: read back, since it is the server's to decide.

import { sql, type Kysely } from "kysely";
import type { Tables } from "../tables.ts";
import { hasCitus } from "./citus.ts";
import { faultText } from "./fault.ts";

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

/** Reads the settings as the writing connections have them, and as Citus' workers do, on which the ledger then is. */
export async function durabilityOf(db: Kysely<Tables>): Promise<Durability> {
  const names = Object.keys(needed) as (keyof typeof needed)[];
  const { rows } = await sql<{ name: keyof typeof needed; setting: string }>`select name::text, setting from pg_settings where name = any(${names}::text[])`.execute(db);
  const settings = new Map(rows.map(({ name, setting }) => [name, setting]));
  const reasons = names.flatMap((name) => {
    const setting = settings.get(name);
    if (setting === undefined) return [`${name} is not told by the server: if it is off, ${needed[name]}`];
    return setting === "off" ? [`${name} is off: ${needed[name]}`] : [];
  });
  reasons.push(...(await workersReasons(db)));
  return { durable: reasons.length === 0, reasons };
}

async function workersReasons(db: Kysely<Tables>): Promise<string[]> {
  const citus = await sql<{ is_there: string }>`select ${hasCitus} as is_there`.execute(db);
  if (citus.rows[0]?.is_there !== "true") return [];
  // It is asked in words on each worker, where there are no parameters.
  const names = Object.keys(needed).map((name) => `'${name}'`).join(", ");
  const question = `select coalesce(string_agg(name, ', ' order by name), '') from pg_settings where name in (${names}) and setting = 'off'`;
  const asked = sql<{ worker: string; success: string; result: string }>`
    select nodename || ':' || nodeport as worker, success::text, result from run_command_on_workers(${question}::text)`.execute(db);
  // One whose machine is gone without a word is waited for in vain, and a role may not be allowed to ask: a server starts all the same.
  const answered = await asked.catch((error: unknown) => faultText(error));
  if (typeof answered === "string") return [`the workers do not tell their settings: ${answered}`];
  return answered.rows.flatMap(({ worker, success, result }) => {
    if (success !== "true") return [`the worker ${worker} does not tell its settings: ${result}`];
    return result === "" ? [] : [`${result} is off on the worker ${worker}: a power loss there loses what was acknowledged, or damages it`];
  });
}
