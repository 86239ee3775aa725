// A temporary database that nobody else sees, and tables in it for what is recomputed and may be more than fits into memory.

import { deserialize, serialize } from "node:v8";
import Database from "better-sqlite3";

/** Entries of each kind in memory before they go to the database: a busy ledger's operations return to the same wallets. Some 10 MB at most. */
const cachedMax = 4_000;

/** Page cache of the scratch database, in KiB; what exceeds it goes to a temporary file. */
const cacheKib = 32 * 1024;

/** It is gone with its connection. Its file is in the folder that SQLite takes for temporary ones (SQLITE_TMPDIR, else TMPDIR), unless it stays small. */
export function openTemporary(): Database.Database {
  // https://sqlite.org/inmemorydb.html, "Temporary databases": an empty name is a file that is deleted when its connection closes.
  const connection = new Database("");
  connection.pragma("journal_mode = OFF");
  connection.pragma("synchronous = OFF");
  connection.pragma(`cache_size = -${cacheKib}`);
  return connection;
}

/** A map from partition and id to value that keeps a bounded number of its entries in memory. */
export class ScratchTable<Value> {
  readonly #cached = new Map<bigint, Value>();
  readonly #dirty = new Set<bigint>();
  readonly #select: Database.Statement<[number, bigint], { value: Buffer }>;
  readonly #range: Database.Statement<[number, bigint, bigint], { value: Buffer }>;
  readonly #flush: () => void;

  constructor(connection: Database.Database, name: string) {
    connection.exec(`create table ${name} (partition integer not null, id integer not null, value blob not null, primary key (partition, id))`);
    this.#select = connection.prepare(`select value from ${name} where partition = ? and id = ?`);
    this.#range = connection.prepare(`select value from ${name} where partition = ? and id > ? order by id limit ?`);
    const put = connection.prepare<[bigint, bigint, Buffer]>(`insert into ${name} (partition, id, value) values (?, ?, ?) on conflict (partition, id) do update set value = excluded.value`);
    this.#flush = connection.transaction(() => {
      for (const key of this.#dirty) put.run(key >> idBits, BigInt.asIntN(64, key), serialize(this.#cached.get(key)));
      this.#dirty.clear();
    });
  }

  get(partition: number, id: bigint): Value | undefined {
    const cached = this.#cached.get(keyOf(partition, id));
    if (cached !== undefined) return cached;
    const row = this.#select.get(partition, id);
    if (row === undefined) return undefined;
    const value = deserialize(row.value) as Value;
    this.#keep(keyOf(partition, id), value);
    return value;
  }

  put(partition: number, id: bigint, value: Value): void {
    this.#keep(keyOf(partition, id), value);
    this.#dirty.add(keyOf(partition, id));
  }

  after(partition: number, id: bigint, limit: bigint): Value[] {
    this.#flush();
    return this.#range.all(partition, id, limit).map((row) => deserialize(row.value) as Value);
  }

  /** Emptied whole when it is full: one transaction for many writes. */
  #keep(key: bigint, value: Value): void {
    if (this.#cached.size >= cachedMax && !this.#cached.has(key)) {
      this.#flush();
      this.#cached.clear();
    }
    this.#cached.set(key, value);
  }
}

/** An id that somebody has altered may be any of 64 bits; the partition is above them. */
const idBits = 64n;

function keyOf(partition: number, id: bigint): bigint {
  return (BigInt(partition) << idBits) | BigInt.asUintN(64, id);
}
