// The batches of this process that are not over: what each has decided and committed, for the one behind it.

import type { PartitionDecision } from "./ahead.ts";

/** What a batch decided about each partition that it changes, by partition. */
export type Decisions = ReadonlyMap<number, PartitionDecision>;

/** One batch, as the one behind it sees it. */
export class BatchUnderWay {
  readonly #decidedOnce = Promise.withResolvers<void>();
  #decided: Decisions = new Map();
  #committed: Decisions | undefined;
  #heldUp: readonly number[] = [];

  /** The last that it decided. */
  get decided(): Decisions {
    return this.#decided;
  }

  /** What of all that it decided was committed; undefined where nothing was, or is not yet. */
  get committed(): Decisions | undefined {
    return this.#committed;
  }

  /** The partition that it could not have. */
  get heldUp(): readonly number[] {
    return this.#heldUp;
  }

  /** Resolves once it has decided, or is over. */
  get whenDecided(): Promise<void> {
    return this.#decidedOnce.promise;
  }

  /** It has decided so, for the first time or anew. */
  noteDecided(decisions: readonly PartitionDecision[]): void {
    this.#decided = new Map(decisions.map((each) => [each.changes.head.partition, each]));
    this.#decidedOnce.resolve();
  }

  /** What it decided last is committed. */
  noteCommitted(): void {
    this.#committed = this.#decided;
  }

  /** It has failed for the sake of one of these. Which one it was is known where there is only one; of several each may be tried. */
  noteHeldUp(partitions: readonly number[]): void {
    this.#heldUp = partitions.length === 1 ? partitions : [];
  }

  end(): void {
    this.#decidedOnce.resolve();
  }
}

/** The newest batch of each partition. To be asked in the order of the turns (turns.ts). */
export class BatchesUnderWay {
  /** A batch that is over leaves its place empty and not deleted: docs/decisions/0025. */
  readonly #newest = new Map<number, BatchUnderWay | undefined>();

  /** Begins one on these partitions, and answers those that it is behind, by partition. */
  begin(partitions: readonly number[]): { readonly batch: BatchUnderWay; readonly before: ReadonlyMap<number, BatchUnderWay> } {
    const batch = new BatchUnderWay();
    const before = new Map<number, BatchUnderWay>();
    for (const partition of partitions) {
      const newest = this.#newest.get(partition);
      if (newest !== undefined) before.set(partition, newest);
      this.#newest.set(partition, batch);
    }
    return { batch, before };
  }

  end(partitions: readonly number[], batch: BatchUnderWay): void {
    batch.end();
    for (const partition of partitions) if (this.#newest.get(partition) === batch) this.#newest.set(partition, undefined);
  }
}
