// The dispatch in front of one writer: two batches are under way at a time, and they are of about the same size (docs/decisions/0008).

import type { Dispatch, Lined } from "./dispatch.ts";

/** One batch is being executed and the next one already lies ready beside it, so that the writer never waits for this thread. */
const batchesMax = 2;

/**
 * Commands from which on the first batch takes only half of those that wait, and the second the others. Callers who wait for their answers ask again all
 * at once, so that as one batch they would go on as one: the writer waiting while they are answered, and they while it writes.
 */
const splitLengthMin = 8;

export class TwoBatches implements Dispatch {
  readonly #batchLengthMax: number;
  #batches = 0;
  /** Commands in them. */
  #length = 0;

  /** `batchLengthMax`: operations that share a commit. */
  constructor({ batchLengthMax }: { readonly batchLengthMax: number }) {
    this.#batchLengthMax = batchLengthMax;
  }

  begin<Waiting extends Lined>(waiting: readonly Waiting[]): readonly Waiting[] {
    if (this.#batches >= batchesMax || waiting.length === 0) return [];
    // As long as the first is under way anyhow, more may come to share the second's commit.
    if (waiting.length < this.#length / 2) return [];
    const batch = waiting.slice(0, this.#together(waiting));
    this.#batches++;
    this.#length += batch.length;
    return batch;
  }

  end(batch: readonly Lined[]): void {
    this.#batches--;
    this.#length -= batch.length;
  }

  /** How many of the first go together: as many operations as a commit gathers, or one command that brings more of them by itself. */
  #together(waiting: readonly Lined[]): number {
    if (waiting[0]!.goesAlone) return 1;
    const isSplit = this.#batches === 0 && waiting.length >= splitLengthMin;
    const lengthMax = isSplit ? Math.ceil(waiting.length / 2) : waiting.length;
    let together = 0;
    let weight = 0;
    for (const each of waiting) {
      if (together === lengthMax) break;
      weight += each.weight;
      const isTooMuch = together > 0 && weight > this.#batchLengthMax;
      if (isTooMuch || each.goesAlone) break;
      together++;
    }
    return together;
  }
}
