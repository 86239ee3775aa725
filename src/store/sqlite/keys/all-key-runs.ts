// Makes the runs of all keys that a partition has, where there are none yet.

import type Database from "better-sqlite3";
import { prepareAll } from "../statement.ts";
import { writtenQueries } from "../written-queries.ts";
import { sortedEntries, type KeyPlace } from "./key-entries.ts";
import { writeRun } from "./run-writer.ts";

/** The keys of a run and its level, the longest first: as if the runs had been merged from those of 4,096 keys, eight at a time. No more keys than the longest has are in memory at once. */
const runLengths: readonly (readonly [keys: number, level: bigint])[] = [
  [262_144, 2n],
  [32_768, 1n],
  [4_096, 0n],
];

/** Writes the runs; the newest keys, too few for one, are in none. To be called inside a transaction. */
export function writeKeyRuns(connection: Database.Database, partition: bigint): void {
  const statements = prepareAll(connection, writtenQueries.keyRuns);
  const keyed = connection
    .prepare<[bigint, bigint, number], KeyPlace>("select lower(hex(key_hash)) as keyHash, ordinal from idempotency_keys where partition = ? and ordinal > ? order by ordinal limit ?")
    .safeIntegers(false);
  let [run, lastOrdinal] = [0n, 0n];
  for (const [keys, level] of runLengths) {
    for (let places = keyed.all(partition, lastOrdinal, keys); places.length === keys; places = keyed.all(partition, lastOrdinal, keys)) {
      const firstOrdinal = lastOrdinal + 1n;
      lastOrdinal = BigInt(places.at(-1)!.ordinal);
      // Of a key that was remembered anew the old row is one that nobody looks for.
      const newest = [...new Map(places.map((place) => [place.keyHash, place])).values()];
      writeRun(statements, { partition, run: ++run, level, first_ordinal: firstOrdinal, last_ordinal: lastOrdinal, entriesMax: keys }, sortedEntries(newest));
    }
  }
}
