// The writer's index of remembered keys by hash: the newest in memory, all others in sorted runs on disk, of which filters say what is surely not there.

import type Database from "better-sqlite3";
import { keyHashBytes, type RememberedKey } from "../../../domain/idempotency.ts";
import { keyFromRow, keyToRow } from "../../rows.ts";
import { rowInsert } from "../row-insert.ts";
import { prepareAll } from "../statement.ts";
import { writtenQueries } from "../written-queries.ts";
import { sortedEntries } from "./key-entries.ts";
import type { KeyIndexSizes } from "./key-index-sizes.ts";
import type { KeyRowStatements } from "./key-rows.ts";
import type { KeyRunStatements } from "./key-runs.ts";
import { LiveRuns } from "./live-runs.ts";
import { RunCare } from "./run-care.ts";
import { writeRun } from "./run-writer.ts";

/** Keys that were remembered before this time may be forgotten; `keyOrdinal` is the last ordinal that was given. */
export interface AddKeys {
  readonly keyOrdinal: bigint;
  readonly forgetBeforeMs: number;
}

/** One partition's keys. To be used inside the writer's transactions only. */
export interface KeyIndex {
  /** What is remembered under this hash (32 hex digits), however old. */
  find(keyHash: string): RememberedKey | undefined;
  /** Writes the keys, forgets some old ones, and puts the runs in order a little. Answers the last ordinal that is given now. */
  add(keys: readonly RememberedKey[], options: AddKeys): bigint;
  /** A transaction failed in which keys were added: what is in memory may not be on disk, and is read again. */
  forget(): void;
}

/** Old keys are forgotten a few at a time, twice as many as a batch brings and this many more, so that no commit waits long for it. */
const forgottenKeysExtra = 16n;

/** What one connection's indexes share. */
interface WriterStatements {
  readonly rows: KeyRowStatements;
  readonly insert: (rows: readonly ReturnType<typeof keyToRow>[]) => void;
  readonly runs: KeyRunStatements;
}

const keyColumns = { always: ["partition", "ordinal", "key_hash", "fingerprint", "time_ms"], sometimes: ["sequence", "rejection"] } as const;

/** The indexes of the partitions, each read from the disk when it is first asked for. */
export class KeyIndexes {
  readonly #statements: WriterStatements;
  readonly #sizes: KeyIndexSizes;
  readonly #indexes = new Map<number, KeyIndex>();

  constructor(connection: Database.Database, sizes: KeyIndexSizes) {
    this.#statements = {
      rows: prepareAll(connection, writtenQueries.keyRows),
      insert: rowInsert(connection, "idempotency_keys", keyColumns),
      runs: prepareAll(connection, writtenQueries.keyRuns),
    };
    this.#sizes = sizes;
  }

  of(partition: number): KeyIndex {
    const known = this.#indexes.get(partition);
    if (known !== undefined) return known;
    const index = new WriterKeyIndex(this.#statements, partition, this.#sizes);
    this.#indexes.set(partition, index);
    return index;
  }

  /** A transaction failed: see `KeyIndex.forget`. */
  forget(): void {
    for (const index of this.#indexes.values()) index.forget();
  }
}

interface Memory {
  /** Ordinals, by hash, of the keys that are in no run yet. Each tail is a Map of its own, for the reason in docs/decisions/0025. */
  tail: Map<string, number>;
  readonly runs: LiveRuns;
  readonly care: RunCare;
  /** Undefined where no key is remembered. */
  oldest: { readonly ordinal: number; readonly timeMs: number } | undefined;
}

class WriterKeyIndex implements KeyIndex {
  readonly #rows: KeyRowStatements;
  readonly #insert: WriterStatements["insert"];
  readonly #statements: KeyRunStatements;
  readonly #partitionNumber: number;
  readonly #partition: bigint;
  readonly #sizes: KeyIndexSizes;
  readonly #hash = Buffer.alloc(keyHashBytes);
  /** Undefined after a transaction that failed. */
  #memory: Memory | undefined;

  constructor({ rows, insert, runs }: WriterStatements, partition: number, sizes: KeyIndexSizes) {
    this.#rows = rows;
    this.#insert = insert;
    this.#statements = runs;
    this.#partitionNumber = partition;
    this.#partition = BigInt(partition);
    this.#sizes = sizes;
    this.#memory = this.#read();
  }

  find(keyHash: string): RememberedKey | undefined {
    const { tail, runs, oldest } = (this.#memory ??= this.#read());
    if (oldest === undefined) return undefined;
    const rowAt = (ordinal: number): RememberedKey | undefined => {
      const row = ordinal < oldest.ordinal ? undefined : this.#rows.at.get({ partition: this.#partition, ordinal: BigInt(ordinal) });
      return row && keyFromRow(row);
    };
    const young = tail.get(keyHash);
    if (young !== undefined) return rowAt(young);
    this.#hash.write(keyHash, "hex");
    return runs.find(this.#hash, rowAt);
  }

  add(keys: readonly RememberedKey[], { keyOrdinal, forgetBeforeMs }: AddKeys): bigint {
    const memory = (this.#memory ??= this.#read());
    const rows: ReturnType<typeof keyToRow>[] = [];
    for (const key of keys) {
      rows.push(keyToRow(this.#partitionNumber, ++keyOrdinal, key));
      const ordinal = Number(keyOrdinal);
      memory.tail.set(key.keyHash, ordinal);
      memory.oldest ??= { ordinal, timeMs: key.timeMs };
    }
    this.#insert(rows);
    this.#forgetOld(memory, { beforeMs: forgetBeforeMs, limit: 2n * BigInt(keys.length) + forgottenKeysExtra });
    const oldestOrdinal = memory.oldest?.ordinal ?? Infinity;
    if (memory.tail.size >= this.#sizes.tailMax) this.#writeTail(memory, { keyOrdinal, oldestOrdinal });
    memory.care.tidy(keys.length, oldestOrdinal);
    return keyOrdinal;
  }

  forget(): void {
    this.#memory = undefined;
  }

  #forgetOld(memory: Memory, { beforeMs, limit }: { beforeMs: number; limit: bigint }): void {
    if (memory.oldest === undefined || memory.oldest.timeMs >= beforeMs) return;
    this.#rows.forget.run({ partition: this.#partition, beforeMs: BigInt(beforeMs), limit });
    memory.oldest = this.#readOldest();
  }

  /** The tail becomes a run, less what was forgotten of it; where that is most of it, the rest waits for more. */
  #writeTail(memory: Memory, { keyOrdinal, oldestOrdinal }: { keyOrdinal: bigint; oldestOrdinal: number }): void {
    const { tail, runs, care } = memory;
    const kept = Array.from(tail, ([keyHash, ordinal]) => ({ keyHash, ordinal })).filter(({ ordinal }) => ordinal >= oldestOrdinal);
    memory.tail = new Map();
    if (kept.length < this.#sizes.tailMax / 2) return kept.forEach(({ keyHash, ordinal }) => memory.tail.set(keyHash, ordinal));
    const plan = { partition: this.#partition, run: care.nextRun(), level: 0n, first_ordinal: runs.lastOrdinal + 1n, last_ordinal: keyOrdinal, entriesMax: kept.length };
    runs.add(writeRun(this.#statements, plan, sortedEntries(kept)));
  }

  #read(): Memory {
    const partition = this.#partition;
    const rows = this.#statements.runs.all({ partition });
    const runs = new LiveRuns(this.#statements, rows, this.#sizes);
    const tail = new Map<string, number>();
    for (const row of this.#rows.after.all({ partition, ordinal: runs.lastOrdinal })) {
      tail.set(Buffer.from(row.key_hash).toString("hex"), Number(row.ordinal));
    }
    return { tail, runs, care: new RunCare(this.#statements, rows, runs, partition, this.#sizes), oldest: this.#readOldest() };
  }

  #readOldest(): Memory["oldest"] {
    const row = this.#rows.oldest.get({ partition: this.#partition });
    return row && { ordinal: Number(row.ordinal), timeMs: Number(row.time_ms) };
  }
}
