// Which commands go together where batches of different partitions run side by side: each partition is in one batch at a time.

import type { Dispatch, Lined } from "./dispatch.ts";

/** What bounds the batches. */
export interface LaneLimits {
  /** Of the ledger. */
  readonly partitionCount: number;
  /** Batches that are under way at a time, beside a command that goes from partition to partition by itself; each takes a connection. */
  readonly batchesMax: number;
  /** Partitions that commands of their own may bring together in one batch; a command that touches more by itself goes with all of them. */
  readonly partitionsABatchMax: number;
  /** As many operations there are to be for each of several batches; fewer go in one, which shares what a transaction and each partition in it cost by themselves. */
  readonly batchLengthMin: number;
  /** Operations of a batch; a command with more goes alone. */
  readonly batchLengthMax: number;
}

/** The partitions that are being written, and what may be written beside them. Nobody waits for ever: the oldest goes as soon as another batch may go and its partitions are free, and they are kept free for it. */
export class PartitionLanes implements Dispatch {
  readonly #limits: LaneLimits;
  readonly #busy = new Set<number>();
  #batches = 0;
  /** Operations in the batches under way. */
  #length = 0;
  /** Whether a command is under way that names no partition: it goes from one to the next by itself, which may take long, and nobody waits for it but others of its kind. */
  #hasOneEverywhere = false;

  constructor(limits: LaneLimits) {
    this.#limits = limits;
  }

  begin<Waiting extends Lined>(waiting: readonly Waiting[]): readonly Waiting[] {
    const everywhere = this.#hasOneEverywhere ? undefined : waiting.find(namesNoPartition);
    if (everywhere !== undefined) {
      this.#hasOneEverywhere = true;
      return [everywhere];
    }
    const lanes = this.#lanesFor(this.#length + lengthOf(waiting));
    if (this.#batches >= lanes) return [];
    const { batch, partitions } = this.#pick(waiting, this.#partitionsABatch(lanes));
    if (batch.length === 0) return batch;
    this.#batches++;
    this.#length += lengthOf(batch);
    for (const partition of partitions) this.#busy.add(partition);
    return batch;
  }

  end(batch: readonly Lined[]): void {
    if (batch.some(namesNoPartition)) {
      this.#hasOneEverywhere = false;
      return;
    }
    this.#batches--;
    this.#length -= lengthOf(batch);
    for (const { partitions } of batch) for (const partition of partitions) this.#busy.delete(partition);
  }

  /** How many batches so many operations go in. */
  #lanesFor(length: number): number {
    const { batchesMax, batchLengthMin } = this.#limits;
    return Math.max(1, Math.min(batchesMax, Math.floor(length / batchLengthMin)));
  }

  /** Each may have its share. */
  #partitionsABatch(lanes: number): number {
    const { partitionCount, partitionsABatchMax } = this.#limits;
    return Math.min(partitionsABatchMax, Math.ceil(partitionCount / lanes));
  }

  #pick<Waiting extends Lined>(waiting: readonly Waiting[], partitionsMax: number): { readonly batch: readonly Waiting[]; readonly partitions: ReadonlySet<number> } {
    const { batchLengthMax } = this.#limits;
    // Busy, or wanted by somebody who came before.
    const taken = new Set(this.#busy);
    const partitions = new Set<number>();
    const batch: Waiting[] = [];
    let weight = 0;
    for (const each of waiting) {
      if (namesNoPartition(each)) continue;
      const isFree = each.partitions.every((partition) => !taken.has(partition));
      const added = each.partitions.filter((partition) => !partitions.has(partition)).length;
      const fits = batch.length === 0 || (!each.goesAlone && weight + each.weight <= batchLengthMax && (added === 0 || partitions.size + added <= partitionsMax));
      if (!isFree || !fits) {
        // What the batch has already it may have more of: whoever waits now is first when these partitions are free again.
        for (const partition of each.partitions) if (!partitions.has(partition)) taken.add(partition);
        continue;
      }
      batch.push(each);
      weight += each.weight;
      for (const partition of each.partitions) partitions.add(partition);
      if (each.goesAlone || weight >= batchLengthMax) break;
    }
    return { batch, partitions };
  }
}

function namesNoPartition({ partitions }: Lined): boolean {
  return partitions.length === 0;
}

function lengthOf(lined: readonly Lined[]): number {
  return lined.reduce((length, { weight }) => length + weight, 0);
}
