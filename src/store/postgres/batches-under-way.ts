// The batches of this process that are not over: what each has decided, for the one behind it.

import type { Decided } from "./ahead.ts";

/** One batch. */
export class BatchUnderWay {
  /** By partition: the last that it decided about each that it changes. It may decide again. */
  decided: ReadonlyMap<number, Decided> = new Map();
  /** Partitions among which are those that it could not have. */
  heldUp: readonly number[] = [];
  readonly #decidedOnce = Promise.withResolvers<void>();

  decide(decided: readonly Decided[]): void {
    this.decided = new Map(decided.map((each) => [each.changes.head.partition, each]));
    this.#decidedOnce.resolve();
  }

  /** Resolves once it has decided, or is over. */
  get whenDecided(): Promise<void> {
    return this.#decidedOnce.promise;
  }

  end(): void {
    this.#decidedOnce.resolve();
  }
}

export class BatchesUnderWay {
  readonly #newest = new Map<number, BatchUnderWay>();

  /** Begins one on these partitions, and answers those that it is behind. */
  begin(partitions: readonly number[]): { readonly batch: BatchUnderWay; readonly before: readonly BatchUnderWay[] } {
    const batch = new BatchUnderWay();
    const before = new Set(partitions.flatMap((partition) => this.#newest.get(partition) ?? []));
    for (const partition of partitions) this.#newest.set(partition, batch);
    return { batch, before: [...before] };
  }

  end(partitions: readonly number[], batch: BatchUnderWay): void {
    batch.end();
    for (const partition of partitions) if (this.#newest.get(partition) === batch) this.#newest.delete(partition);
  }
}
