// The batches of this process that are not over: what each has decided, for the one behind it.

import type { PartitionDecision } from "./ahead.ts";

/** One batch, as the one behind it sees it. */
export class BatchUnderWay {
  readonly #decidedOnce = Promise.withResolvers<void>();
  #decided: ReadonlyMap<number, PartitionDecision> = new Map();
  #heldUp: readonly number[] = [];

  /** By partition: the last that it decided about each that it changes. */
  get decided(): ReadonlyMap<number, PartitionDecision> {
    return this.#decided;
  }

  /** Partitions among which are those that it could not have. */
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

  /** It could not have some of these. */
  noteHeldUp(partitions: readonly number[]): void {
    this.#heldUp = partitions;
  }

  end(): void {
    this.#decidedOnce.resolve();
  }
}

/** The newest batch of each partition. To be asked in the order of the turns (turns.ts). */
export class BatchesUnderWay {
  /** A batch that is over leaves its place empty and not deleted: docs/decisions/0025. */
  readonly #newest = new Map<number, BatchUnderWay | undefined>();

  /** Begins one on these partitions, and answers those that it is behind. */
  begin(partitions: readonly number[]): { readonly batch: BatchUnderWay; readonly before: readonly BatchUnderWay[] } {
    const batch = new BatchUnderWay();
    const before: BatchUnderWay[] = [];
    for (const partition of partitions) {
      const newest = this.#newest.get(partition);
      if (newest !== undefined && !before.includes(newest)) before.push(newest);
      this.#newest.set(partition, batch);
    }
    return { batch, before };
  }

  end(partitions: readonly number[], batch: BatchUnderWay): void {
    batch.end();
    for (const partition of partitions) if (this.#newest.get(partition) === batch) this.#newest.set(partition, undefined);
  }
}
