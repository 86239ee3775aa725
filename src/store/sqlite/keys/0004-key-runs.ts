// The index of keys by hash becomes sorted runs: a migration of SQLite's own, with runs of the keys that are there.

import type Database from "better-sqlite3";
import { writeKeyRuns } from "./all-key-runs.ts";

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
  // No ledger from before has more partitions.
  writeKeyRuns(connection, 0n);
}
