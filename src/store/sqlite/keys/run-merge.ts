// Merges runs into one, a few entries at a time: each step reads the next chunks of the old runs and writes those of the new one.

import { beforeEveryHash, type KeyRunStatements } from "./key-runs.ts";
import { compareHashes, entryBytes, ordinalAt, prefixAt } from "./key-entries.ts";
import { RunWriter, type RunPlan } from "./run-writer.ts";

/** One merge. What it has in memory fits what it has written: where a transaction fails, it is of no more use. */
export class RunMerge {
  readonly writer: RunWriter;
  readonly #sources: RunCursor[];

  /** `sources` are the runs' numbers, their oldest keys first. Writes the new run's row. */
  constructor(statements: KeyRunStatements, plan: RunPlan, sources: readonly bigint[]) {
    this.writer = new RunWriter(statements, plan);
    this.writer.begin();
    this.#sources = sources.map((run) => new RunCursor(statements, plan.partition, run)).filter((cursor) => !cursor.isDone);
  }

  get isDone(): boolean {
    return this.#sources.length === 0;
  }

  /**
   * Takes so many entries, or as many as are left, and answers how many. Of two with the same hash only the newer goes on: the older key was past its
   * retention. Those below the oldest kept key go nowhere.
   */
  step(entriesMax: number, oldestOrdinal: number): number {
    let taken = 0;
    while (taken < entriesMax && !this.isDone) {
      const { source, older } = this.#next();
      if (ordinalAt(source.entries, source.at) >= oldestOrdinal) this.writer.append(source.entries, source.at);
      source.advance();
      for (const cursor of older) cursor.advance();
      taken += 1 + older.length;
      if (source.isDone || older.some((cursor) => cursor.isDone)) this.#dropDone();
    }
    return taken;
  }

  /** Where the next hash is, the newest first. */
  #next(): { source: RunCursor; older: readonly RunCursor[] } {
    const sources = this.#sources;
    let source = sources.at(-1)!;
    let older: RunCursor[] = none;
    for (let index = sources.length - 2; index >= 0; index--) {
      const other = sources[index]!;
      if (other.prefix > source.prefix) continue;
      const order = other.prefix < source.prefix ? -1 : compareHashes(other.entries, other.at, source.entries, source.at);
      if (order > 0) continue;
      if (order < 0) [source, older] = [other, none];
      else older = [...older, other];
    }
    return { source, older };
  }

  #dropDone(): void {
    for (let index = this.#sources.length - 1; index >= 0; index--) if (this.#sources[index]!.isDone) this.#sources.splice(index, 1);
  }
}

const none: RunCursor[] = [];

/** A place in a run, from its first entry to behind its last. */
class RunCursor {
  entries: Uint8Array = beforeEveryHash;
  at = 0;
  /** Of the hash there, its first bits: see `prefixAt`. */
  prefix = 0;
  isDone = false;
  readonly #statements: KeyRunStatements;
  readonly #run: { readonly partition: bigint; readonly run: bigint };
  #firstHash: Uint8Array = beforeEveryHash;

  constructor(statements: KeyRunStatements, partition: bigint, run: bigint) {
    this.#statements = statements;
    this.#run = { partition, run };
    this.#read();
  }

  advance(): void {
    this.at += entryBytes;
    if (this.at < this.entries.length) this.prefix = prefixAt(this.entries, this.at);
    else this.#read();
  }

  #read(): void {
    const chunk = this.#statements.chunkAfter.get({ ...this.#run, hash: this.#firstHash });
    this.isDone = chunk === undefined;
    if (chunk === undefined) return;
    [this.#firstHash, this.entries, this.at] = [chunk.first_hash, chunk.entries, 0];
    this.prefix = prefixAt(this.entries, 0);
  }
}
