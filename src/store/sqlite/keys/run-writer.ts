// Writes a run: takes entries in the order of their hashes, some at a time, and makes its chunks, its filter and at the end its row of them.

import { createHash } from "node:crypto";
import { keyHashBytes } from "../../../domain/idempotency.ts";
import type { KeyRunTable } from "../../tables.ts";
import { entriesPerChunk, entryBytes } from "./key-entries.ts";
import { KeyFilter, blockBytes } from "./key-filter.ts";
import { lastingFacts, runStates, type KeyRunStatements } from "./key-runs.ts";

/** As many blocks as fit into a leaf page, as entries do. */
const blocksPerRow = 62;

/** What is known of a run before it is written. */
export interface RunPlan extends Pick<KeyRunTable, "partition" | "run" | "level" | "first_ordinal" | "last_ordinal"> {
  /** It will have at most so many. */
  readonly entriesMax: number;
}

/** A run that is whole. */
export interface WrittenRun {
  readonly row: KeyRunTable;
  readonly filter: KeyFilter;
}

/** Writes one run. What it has in memory fits what it has written: where a transaction fails, it is of no more use. */
export class RunWriter {
  readonly filter: KeyFilter;
  readonly #statements: KeyRunStatements;
  readonly #row: KeyRunTable;
  readonly #hash = createHash("sha256");
  readonly #chunk = Buffer.allocUnsafe(entriesPerChunk * entryBytes);
  #chunkBytes = 0;
  #entries = 0;
  #blocksWritten = 0;

  constructor(statements: KeyRunStatements, { entriesMax, ...plan }: RunPlan) {
    this.filter = KeyFilter.for(entriesMax);
    this.#statements = statements;
    this.#row = { ...plan, state: runStates.building, entries: 0n, filter_blocks: BigInt(this.filter.blocks), hash: new Uint8Array(0) };
  }

  /** Writes the row of a run that is not whole for more than one transaction. */
  begin(): void {
    this.#statements.putRun.run(this.#row);
  }

  /** Takes the entry that begins there: its hash is behind those that were taken before. */
  append(entries: Uint8Array, at: number): void {
    const chunk = this.#chunk;
    for (let byte = 0; byte < entryBytes; byte++) chunk[this.#chunkBytes + byte] = entries[at + byte]!;
    this.#chunkBytes += entryBytes;
    this.filter.add(entries, at);
    this.#entries++;
    if (this.#chunkBytes === chunk.length) {
      this.#writeChunk();
      // What comes next may share the last block.
      this.#writeFilter(this.filter.blockOf(entries, at));
    }
  }

  /** Writes what is left, and the run's row, with which it is live. Answers the row. */
  finish(): KeyRunTable {
    if (this.#chunkBytes > 0) this.#writeChunk();
    this.#writeFilter(this.filter.blocks + blocksPerRow);
    const whole = { ...this.#row, state: runStates.live, entries: BigInt(this.#entries) };
    const row = { ...whole, hash: this.#hash.update(lastingFacts(whole)).digest() };
    this.#statements.putRun.run(row);
    return row;
  }

  #writeChunk(): void {
    const { partition, run } = this.#row;
    const entries = this.#chunk.subarray(0, this.#chunkBytes);
    this.#hash.update(entries);
    this.#statements.putChunk.run({ partition, run, first_hash: entries.subarray(0, keyHashBytes), entries });
    this.#chunkBytes = 0;
  }

  /** Writes the rows whose blocks are all before this one. */
  #writeFilter(block: number): void {
    const { partition, run } = this.#row;
    while (this.#blocksWritten + blocksPerRow <= block && this.#blocksWritten < this.filter.blocks) {
      const first = this.#blocksWritten;
      this.#blocksWritten = Math.min(first + blocksPerRow, this.filter.blocks);
      const blocks = this.filter.bytes.subarray(first * blockBytes, this.#blocksWritten * blockBytes);
      this.#statements.putFilter.run({ partition, run, first_block: BigInt(first), blocks });
    }
  }
}

/** Writes a whole run of these entries, which are in order, at once. Answers its row and its filter. */
export function writeRun(statements: KeyRunStatements, plan: RunPlan, entries: Uint8Array): WrittenRun {
  const writer = new RunWriter(statements, plan);
  for (let at = 0; at < entries.length; at += entryBytes) writer.append(entries, at);
  return { row: writer.finish(), filter: writer.filter };
}
