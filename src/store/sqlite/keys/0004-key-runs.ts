// The index of keys by hash becomes sorted runs: a migration of SQLite's own, with runs of the keys that are there.

import type Database from "better-sqlite3";
import { onlyPartition } from "../../../domain/journal.ts";
import { sortedEntries, type KeyPlace } from "./key-entries.ts";
import { prepareKeyRuns } from "./key-runs.ts";
import { writeRun } from "./run-writer.ts";

/** The keys of a run and its level, the longest first: as if the runs had been merged from those of 4,096 keys, eight at a time. No more keys than the longest has are in memory at once. */
const runLengths: readonly (readonly [keys: number, level: bigint])[] = [
  [262_144, 2n],
  [32_768, 1n],
  [4_096, 0n],
];

const tables = [
  `create table key_runs (
    partition integer not null, run integer not null, state integer not null, level integer not null, first_ordinal integer not null, last_ordinal integer not null,
    entries integer not null, filter_blocks integer not null, hash blob not null, primary key (partition, run)) strict, without rowid`,
  // With rowids: a row is a page, which a table without them would put into a list of its own behind the tree.
  "create table key_chunks (partition integer not null, run integer not null, first_hash blob not null, entries blob not null, primary key (partition, run, first_hash)) strict",
  "create table key_filters (partition integer not null, run integer not null, first_block integer not null, blocks blob not null, primary key (partition, run, first_block)) strict",
];

/** Drops the index, makes the tables and writes the runs. To be called inside a transaction. */
export function addKeyRuns(connection: Database.Database): void {
  connection.prepare("drop index idempotency_keys_by_hash").run();
  for (const table of tables) connection.prepare(table).run();

  const partition = BigInt(onlyPartition);
  const statements = prepareKeyRuns(connection);
  const keyed = connection.prepare<[bigint, bigint, number], KeyPlace>(
    "select lower(hex(key_hash)) as keyHash, ordinal from idempotency_keys where partition = ? and ordinal > ? order by ordinal limit ?",
  );
  let [run, lastOrdinal] = [0n, 0n];
  for (const [keys, level] of runLengths) {
    for (let places = keyed.all(partition, lastOrdinal, keys); places.length === keys; places = keyed.all(partition, lastOrdinal, keys)) {
      const firstOrdinal = lastOrdinal + 1n;
      lastOrdinal = BigInt(places.at(-1)!.ordinal);
      writeRun(statements, { partition, run: ++run, level, first_ordinal: firstOrdinal, last_ordinal: lastOrdinal, entriesMax: keys }, sortedEntries(places));
    }
  }
}
