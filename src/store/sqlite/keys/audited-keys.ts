// Finds keys as the service does, through filters and runs, for a verification that asks for all of them; of rows that somebody has altered nothing is promised.

import type Database from "better-sqlite3";
import type { Selectable } from "kysely";
import type { AuditRows } from "../../audit/audit.ts";
import type { IdempotencyKeyTable, KeyRunTable } from "../../tables.ts";
import { prepareAll } from "../statement.ts";
import { writtenQueries } from "../written-queries.ts";
import type { KeyFilter } from "./key-filter.ts";
import { keyIndexSizes } from "./key-index-sizes.ts";
import type { KeyRunStatements } from "./key-runs.ts";
import { LiveRuns, readFilter } from "./live-runs.ts";

type KeyRow = Selectable<IdempotencyKeyTable>;

/** The keys of a partition that are in no run: those behind an ordinal. */
interface Tail {
  readonly after: bigint;
  last: bigint;
  readonly byHash: Map<string, KeyRow>;
}

/** Answers what the service finds by each hash. What never changes, filters and the newest keys, is remembered from one snapshot to the next. */
export function prepareAuditedKeys(connection: Database.Database): AuditRows["keysWith"] {
  const rows = prepareAll(connection, writtenQueries.keyRows);
  const statements = withoutOtherTypes(prepareAll(connection, writtenQueries.keyRuns));
  const filters = new Map<string, KeyFilter | undefined>();
  const tails = new Map<bigint, Tail>();

  const filterOf = (row: KeyRunTable): KeyFilter | undefined => {
    const name = nameOf(row);
    if (!filters.has(name)) filters.set(name, readFilter(statements, row));
    return filters.get(name);
  };

  const tailOf = (partition: bigint, after: bigint): Tail => {
    let tail = tails.get(partition);
    if (tail?.after !== after) tails.set(partition, (tail = { after, last: after, byHash: new Map() }));
    for (const row of rows.after.all({ partition, ordinal: tail.last })) {
      if (typeof row.ordinal !== "bigint" || !(row.key_hash instanceof Uint8Array)) continue;
      tail.last = row.ordinal;
      tail.byHash.set(hexOf(row.key_hash), row);
    }
    return tail;
  };

  return async (partition, keyHashes) => {
    const sound = statements.runs.all({ partition }).filter(isSound);
    const live = new Set(sound.map(nameOf));
    for (const name of filters.keys()) if (name.startsWith(`${partition} `) && !live.has(name)) filters.delete(name);
    const runs = new LiveRuns(statements, sound, { ...keyIndexSizes, filterOf });
    const tail = tailOf(partition, runs.lastOrdinal);
    return keyHashes.map((hash) => {
      if (!(hash instanceof Uint8Array)) return undefined;
      return tail.byHash.get(hexOf(hash)) ?? runs.find(hash, (ordinal) => rows.at.get({ partition, ordinal: BigInt(ordinal) }));
    });
  };
}

function nameOf({ partition, run, hash }: KeyRunTable): string {
  return `${partition} ${run} ${hexOf(hash)}`;
}

/** Whether every value of the row has its type. */
export function isSound({ hash, ...numbers }: KeyRunTable): boolean {
  return hash instanceof Uint8Array && Object.values(numbers).every((value) => typeof value === "bigint");
}

/** A chunk or a filter that is none of bytes is as good as not there. */
function withoutOtherTypes(statements: KeyRunStatements): KeyRunStatements {
  const { chunkWith, filter } = statements;
  return {
    ...statements,
    chunkWith: {
      ...chunkWith,
      get: (args) => {
        const chunk = chunkWith.get(args);
        return chunk?.entries instanceof Uint8Array ? chunk : undefined;
      },
    },
    filter: { ...filter, all: (args) => filter.all(args).filter(({ blocks }) => blocks instanceof Uint8Array) },
  };
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}
