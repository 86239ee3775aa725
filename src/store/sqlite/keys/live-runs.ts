// The runs that keys are found in, with as many of their filters as memory is for.

import type { KeyRunTable } from "../../tables.ts";
import { ordinalOf } from "./key-entries.ts";
import { KeyFilter, blockBytes } from "./key-filter.ts";
import type { KeyIndexSizes } from "./key-index-sizes.ts";
import { runStates, type KeyRunStatements } from "./key-runs.ts";
import type { WrittenRun } from "./run-writer.ts";

/** A run that keys are found in; without its filter in memory it is looked through on disk. */
interface LiveRun {
  readonly row: KeyRunTable;
  filter: KeyFilter | undefined;
}

/** How many filters to keep, and where they come from: read from the disk, unless somebody has them. */
export interface FiltersInMemory extends Pick<KeyIndexSizes, "filtersMaxBytes"> {
  readonly filterOf?: (row: KeyRunTable) => KeyFilter | undefined;
}

/** The live runs of a partition: each has the keys of some ordinals, and all together those up to `lastOrdinal`. */
export class LiveRuns {
  readonly #statements: KeyRunStatements;
  readonly #filtersMaxBytes: number;
  readonly #filterOf: (row: KeyRunTable) => KeyFilter | undefined;
  /** The oldest keys first. */
  #runs: LiveRun[];

  /** `rows` are those of a partition, whatever their state. Reads the filters. */
  constructor(statements: KeyRunStatements, rows: readonly KeyRunTable[], { filtersMaxBytes, filterOf }: FiltersInMemory) {
    this.#statements = statements;
    this.#filtersMaxBytes = filtersMaxBytes;
    this.#filterOf = filterOf ?? ((row) => readFilter(statements, row));
    const live = rows.filter(({ state }) => state === runStates.live).toSorted((a, b) => (a.last_ordinal < b.last_ordinal ? -1 : 1));
    this.#runs = live.map((row) => ({ row, filter: undefined }));
    this.#chooseFilters();
  }

  /** The oldest keys first. */
  get rows(): readonly KeyRunTable[] {
    return this.#runs.map(({ row }) => row);
  }

  get oldest(): KeyRunTable | undefined {
    return this.#runs[0]?.row;
  }

  /** The ordinal of the last key that is in a run; 0 where none is. */
  get lastOrdinal(): bigint {
    return this.#runs.at(-1)?.row.last_ordinal ?? 0n;
  }

  /** What `rowAt` finds at the newest ordinal that a run says of the hash; undefined where it is gone from there, or no run says any. */
  find<Row>(hash: Uint8Array, rowAt: (ordinal: number) => Row | undefined): Row | undefined {
    for (let index = this.#runs.length - 1; index >= 0; index--) {
      const { row, filter } = this.#runs[index]!;
      if (filter?.mayHave(hash) === false) continue;
      const chunk = this.#statements.chunkWith.get({ partition: row.partition, run: row.run, hash });
      const ordinal = chunk && ordinalOf(chunk.entries, hash);
      if (ordinal !== undefined) return rowAt(ordinal);
    }
    return undefined;
  }

  /** A run of the newest keys. */
  add({ row, filter }: WrittenRun): void {
    this.#runs.push({ row, filter });
    this.#chooseFilters();
  }

  /** One run takes the place of others, which are neighbours. */
  replace(merged: readonly KeyRunTable[], { row, filter }: WrittenRun): void {
    this.#runs.splice(this.#placeOf(merged[0]!), merged.length, { row, filter });
    this.#chooseFilters();
  }

  remove(row: KeyRunTable): void {
    this.#runs.splice(this.#placeOf(row), 1);
  }

  #placeOf({ run }: KeyRunTable): number {
    return this.#runs.findIndex(({ row }) => row.run === run);
  }

  /** The newest runs keep theirs: a request that is repeated mostly comes soon. */
  #chooseFilters(): void {
    let bytes = 0;
    for (const run of this.#runs.toReversed()) {
      bytes += Number(run.row.filter_blocks) * blockBytes;
      run.filter = bytes > this.#filtersMaxBytes ? undefined : (run.filter ?? this.#filterOf(run.row));
    }
  }
}

/** The run's filter; undefined where it is not whole: nothing is to be taken for unknown then. */
export function readFilter(statements: KeyRunStatements, { partition, run, filter_blocks: blocks }: KeyRunTable): KeyFilter | undefined {
  const bytes = Buffer.concat(statements.filter.all({ partition, run }).map((row) => row.blocks));
  return bytes.length === Number(blocks) * blockBytes ? new KeyFilter(bytes) : undefined;
}
