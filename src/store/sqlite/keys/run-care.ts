// Keeps the runs few: merges those of a level when there are enough, and clears away those that nobody needs, a little with each batch that brings keys.

import type { KeyRunTable } from "../../tables.ts";
import type { KeyIndexSizes } from "./key-index-sizes.ts";
import { runStates, type KeyRunStatements } from "./key-runs.ts";
import type { LiveRuns } from "./live-runs.ts";
import { RunMerge } from "./run-merge.ts";

/** What it costs to delete a page of a run, in entries that are merged meanwhile. */
const entriesPerDeletion = 16;

/** A merge, and the runs that it makes one of. */
interface Merging {
  readonly merge: RunMerge;
  readonly sources: readonly KeyRunTable[];
}

/** What is done about a partition's runs. What it has in memory fits what is written: where a transaction fails, it is of no more use. */
export class RunCare {
  readonly #statements: KeyRunStatements;
  readonly #runs: LiveRuns;
  readonly #partition: bigint;
  readonly #sizes: KeyIndexSizes;
  /** Runs to clear away: dead ones, and those that were being built when the memory of it was lost. */
  readonly #dead: KeyRunTable[];
  /** One a level at most, so that a long one never lets the young runs become many. */
  readonly #merging = new Map<bigint, Merging>();
  #lastRun: bigint;
  #credit = 0;

  /** `rows` are those of the partition, whatever their state. */
  constructor(statements: KeyRunStatements, rows: readonly KeyRunTable[], runs: LiveRuns, partition: bigint, sizes: KeyIndexSizes) {
    this.#statements = statements;
    this.#runs = runs;
    this.#partition = partition;
    this.#sizes = sizes;
    this.#dead = rows.filter(({ state }) => state !== runStates.live);
    this.#lastRun = rows.reduce((last, { run }) => (run > last ? run : last), 0n);
  }

  /** The number of a new run. */
  nextRun(): bigint {
    return ++this.#lastRun;
  }

  /** Does as much as so many new keys earn. Keys below the oldest are forgotten. */
  tidy(newKeys: number, oldestOrdinal: number): void {
    this.#buryForgotten(oldestOrdinal);
    this.#credit += newKeys * this.#sizes.creditPerKey;
    if (this.#credit < this.#sizes.stepEntries) return;
    while (this.#credit > 0) {
      const [dead] = this.#dead;
      const level = dead === undefined ? this.#levelToMerge() : undefined;
      if (dead !== undefined) this.#clear(dead);
      else if (level !== undefined) this.#merge(level, oldestOrdinal);
      else this.#credit = 0;
    }
  }

  /** A run of which every key was forgotten is of no more use. Only the oldest can be, and none that is being merged. */
  #buryForgotten(oldestOrdinal: number): void {
    for (let row = this.#runs.oldest; row !== undefined && Number(row.last_ordinal) < oldestOrdinal && !this.#isMerged(row); row = this.#runs.oldest) {
      this.#runs.remove(row);
      this.#bury(row);
    }
  }

  #isMerged(row: KeyRunTable): boolean {
    return [...this.#merging.values()].some(({ sources }) => sources.includes(row));
  }

  #bury(row: KeyRunTable): void {
    const dead = { ...row, state: runStates.dead };
    this.#statements.putRun.run(dead);
    this.#dead.push(dead);
  }

  /** Deletes some of a dead run's rows, and at last its own. */
  #clear({ partition, run }: KeyRunTable): void {
    const limit = BigInt(Math.ceil(this.#credit / entriesPerDeletion));
    const some = { partition, run, limit };
    const deleted = this.#statements.deleteChunks.run(some) || this.#statements.deleteFilter.run(some);
    this.#credit -= Math.max(1, deleted) * entriesPerDeletion;
    if (deleted > 0) return;
    this.#statements.deleteRun.run({ partition, run });
    this.#dead.shift();
  }

  /** The lowest level that is being merged or is to be: the young runs are the most. */
  #levelToMerge(): bigint | undefined {
    const levels = new Set([...this.#merging.keys(), ...this.#runs.rows.map(({ level }) => level)]);
    return [...levels].toSorted((a, b) => Number(a - b)).find((level) => this.#merging.has(level) || this.#sourcesOf(level) !== undefined);
  }

  /** The level's oldest runs, where there are enough to merge. */
  #sourcesOf(level: bigint): readonly KeyRunTable[] | undefined {
    const sources = this.#runs.rows.filter((row) => row.level === level).slice(0, this.#sizes.fanout);
    return sources.length === this.#sizes.fanout && entriesOf(sources) <= this.#sizes.mergedMax ? sources : undefined;
  }

  #merge(level: bigint, oldestOrdinal: number): void {
    const merging = this.#merging.get(level) ?? this.#begin(level, this.#sourcesOf(level)!);
    this.#credit -= merging.merge.step(this.#credit, oldestOrdinal);
    if (merging.merge.isDone) this.#finish(level, merging);
  }

  #begin(level: bigint, sources: readonly KeyRunTable[]): Merging {
    const plan = {
      partition: this.#partition,
      run: this.nextRun(),
      level: level + 1n,
      first_ordinal: sources[0]!.first_ordinal,
      last_ordinal: sources.at(-1)!.last_ordinal,
      entriesMax: entriesOf(sources),
    };
    const merging = { merge: new RunMerge(this.#statements, plan, sources.map(({ run }) => run)), sources };
    this.#merging.set(level, merging);
    return merging;
  }

  /** In one transaction the new run is live and the old ones are dead: every key is in one live run at any time. */
  #finish(level: bigint, { merge: { writer }, sources }: Merging): void {
    this.#merging.delete(level);
    this.#runs.replace(sources, { row: writer.finish(), filter: writer.filter });
    for (const source of sources) this.#bury(source);
  }
}

function entriesOf(runs: readonly KeyRunTable[]): number {
  return runs.reduce((sum, { entries }) => sum + Number(entries), 0);
}
