// The tables of runs: the queries that read and write them.

import type { Selectable } from "kysely";
import type { KeyChunkTable, KeyFilterTable, KeyRunTable } from "../../tables.ts";
import { rowArguments, type Statement, type WriteQuery, type Written } from "../statement.ts";

/** What becomes of a run, one after the other: it is found in when it is live, and never before or after. */
export const runStates = { building: 1n, live: 2n, dead: 3n } as const;

/** Names a run. */
interface RunId {
  readonly partition: bigint;
  readonly run: bigint;
}

/** Some of a run's rows, for they are deleted a few at a time. */
interface SomeOfRun extends RunId {
  readonly limit: bigint;
}

/** Each by the key that serves it. */
export interface KeyRunStatements {
  /** All of the partition, in the order of their numbers: a few dozen. */
  readonly runs: Statement<{ partition: bigint }, Selectable<KeyRunTable>>;
  /** Writes the row, whether it is there or not. */
  readonly putRun: Statement<KeyRunTable, unknown>;
  readonly deleteRun: Statement<RunId, unknown>;
  readonly putChunk: Statement<KeyChunkTable, unknown>;
  /** The only chunk that can have this hash. */
  readonly chunkWith: Statement<RunId & { hash: Uint8Array }, Pick<KeyChunkTable, "entries">>;
  /** The chunk after this one's first hash; with none, the first. */
  readonly chunkAfter: Statement<RunId & { hash: Uint8Array }, Selectable<KeyChunkTable>>;
  readonly deleteChunks: Statement<SomeOfRun, unknown>;
  readonly putFilter: Statement<KeyFilterTable, unknown>;
  /** In the order of their blocks. */
  readonly filter: Statement<RunId, Selectable<KeyFilterTable>>;
  readonly deleteFilter: Statement<SomeOfRun, unknown>;
}

/** What never changes of the row of a whole run, for its hash: five 64-bit numbers, the highest byte first. */
export function lastingFacts({ level, first_ordinal: first, last_ordinal: last, entries, filter_blocks: blocks }: Omit<KeyRunTable, "hash" | "state">): Buffer {
  const bytes = Buffer.alloc(5 * 8);
  for (const [place, number] of [level, first, last, entries, blocks].entries()) bytes.writeBigInt64BE(number, place * 8);
  return bytes;
}

/** The hash before every other one: no hash is empty. */
export const beforeEveryHash = new Uint8Array(0);

/** The queries of `KeyRunStatements`. */
export function writeKeyRuns(query: WriteQuery): Written<KeyRunStatements> {
  return {
    runs: query((db, arg) => db.selectFrom("key_runs").selectAll().where("partition", "=", arg("partition")).orderBy("run")),
    putRun: query((db, arg) => db.replaceInto("key_runs").values(rowArguments(arg, runColumns))),
    deleteRun: query((db, arg) => db.deleteFrom("key_runs").where("partition", "=", arg("partition")).where("run", "=", arg("run"))),
    putChunk: query((db, arg) => db.insertInto("key_chunks").values(rowArguments(arg, ["partition", "run", "first_hash", "entries"]))),
    chunkWith: query((db, arg) =>
      db
        .selectFrom("key_chunks")
        .select("entries")
        .where("partition", "=", arg("partition"))
        .where("run", "=", arg("run"))
        .where("first_hash", "<=", arg("hash"))
        .orderBy("first_hash", "desc")
        .limit(1n),
    ),
    chunkAfter: query((db, arg) =>
      db
        .selectFrom("key_chunks")
        .selectAll()
        .where("partition", "=", arg("partition"))
        .where("run", "=", arg("run"))
        .where("first_hash", ">", arg("hash"))
        .orderBy("first_hash")
        .limit(1n),
    ),
    deleteChunks: query((db, arg) =>
      db
        .deleteFrom("key_chunks")
        .where("partition", "=", arg("partition"))
        .where("run", "=", arg("run"))
        .where("first_hash", "in", (first) =>
          first.selectFrom("key_chunks").select("first_hash").where("partition", "=", arg("partition")).where("run", "=", arg("run")).orderBy("first_hash").limit(arg("limit")),
        ),
    ),
    putFilter: query((db, arg) => db.insertInto("key_filters").values(rowArguments(arg, ["partition", "run", "first_block", "blocks"]))),
    filter: query((db, arg) =>
      db.selectFrom("key_filters").selectAll().where("partition", "=", arg("partition")).where("run", "=", arg("run")).orderBy("first_block"),
    ),
    deleteFilter: query((db, arg) =>
      db
        .deleteFrom("key_filters")
        .where("partition", "=", arg("partition"))
        .where("run", "=", arg("run"))
        .where("first_block", "in", (first) =>
          first.selectFrom("key_filters").select("first_block").where("partition", "=", arg("partition")).where("run", "=", arg("run")).orderBy("first_block").limit(arg("limit")),
        ),
    ),
  };
}

const runColumns = ["partition", "run", "state", "level", "first_ordinal", "last_ordinal", "entries", "filter_blocks", "hash"] as const;
