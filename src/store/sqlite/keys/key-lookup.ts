// How readers find a key by its hash, in one snapshot: among the newest by walking them, then in the runs, without filters.

import type { Selectable } from "kysely";
import type { IdempotencyKeyTable } from "../../tables.ts";
import type { KeyRowStatements } from "./key-rows.ts";
import type { KeyRunStatements } from "./key-runs.ts";
import { LiveRuns } from "./live-runs.ts";

/** Answers a function that finds the newest key with this hash, to be called inside a transaction: some hundred microseconds each. */
export function keyLookup(rows: KeyRowStatements, statements: KeyRunStatements): (partition: bigint, keyHash: Uint8Array) => Selectable<IdempotencyKeyTable> | undefined {
  return (partition, keyHash) => {
    const runs = new LiveRuns(statements, statements.runs.all({ partition }), { filtersMaxBytes: 0 });
    const young = rows.withHashAfter.get({ partition, ordinal: runs.lastOrdinal, keyHash });
    return young ?? runs.find(keyHash, (ordinal) => rows.at.get({ partition, ordinal: BigInt(ordinal) }));
  };
}
