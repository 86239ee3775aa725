// Which commands go together where batches of different partitions run side by side: each partition is written by one batch at a time, and one more may be made ready behind it.

import type { Dispatch, Lined } from "./dispatch.ts";

/** What bounds the batches. */
export interface LaneLimits {
  /** Of the ledger. */
  readonly partitionCount: number;
  /** Batches that go side by side, beside a command that goes from partition to partition by itself; as many again may be made ready behind them, and as many go apart. Each takes a connection. */
  readonly batchesMax: number;
  /** Partitions that commands of their own may bring together in one batch; a command that touches more by itself goes with all of them. */
  readonly partitionsABatchMax: number;
  /** As many operations there are to be for each of several batches; fewer go in one, which shares what a transaction and each partition in it cost by themselves. */
  readonly batchLengthMin: number;
  /** As many operations there are to be for a batch to be made ready behind the ones that have its partitions; fewer wait, and more may come to share what it costs. */
  readonly behindLengthMin: number;
  /** Operations of a batch; a command with more goes alone. */
  readonly batchLengthMax: number;
}

/**
 * The partitions that are being written, and what may be written beside them. Nobody waits for ever: the oldest goes as soon as another batch may go and its partitions are free, and they are kept free for it.
 * What touches a partition that could not be had (somebody keeps its head, or its node is gone) goes apart, in batches that count for nobody, until one of them is done: otherwise every batch would have a
 * command of it, and the others would wait with it.
 */
export class PartitionLanes implements Dispatch {
  readonly #limits: LaneLimits;
  /** How many batches each partition is in, where it is in any. */
  readonly #taken = new Map<number, number>();
  #batches = 0;
  /** Operations in the batches under way, but for those that are behind others or apart. */
  #length = 0;
  /** The batches under way that were begun behind others: at most `batchesMax`, in an array (docs/decisions/0025). */
  #behind: (readonly Lined[])[] = [];
  /** Whether a command is under way that names no partition: it goes from one to the next by itself, which may take long, and nobody waits for it but others of its kind. */
  #hasOneEverywhere = false;
  /** Partitions that could not be had when they were last asked for. */
  readonly #heldUp = new Set<number>();
  /** The batches under way that go apart: as many at most. */
  #apart: (readonly Lined[])[] = [];

  constructor(limits: LaneLimits) {
    this.#limits = limits;
  }

  begin<Waiting extends Lined>(waiting: readonly Waiting[]): readonly Waiting[] {
    const everywhere = this.#hasOneEverywhere ? undefined : waiting.find(namesNoPartition);
    if (everywhere !== undefined) {
      this.#hasOneEverywhere = true;
      return [everywhere];
    }
    const apart = this.#pickApart(waiting);
    if (apart.length > 0) {
      this.#apart.push(apart);
      return this.#take(apart);
    }
    const lanes = this.#lanesFor(this.#length + lengthOf(waiting));
    if (this.#batches < lanes) {
      const batch = this.#pick(waiting, { batchesBefore: 0, partitionsMax: this.#partitionsABatch(lanes) });
      if (batch.length > 0) {
        this.#batches++;
        this.#length += lengthOf(batch);
        return this.#take(batch);
      }
    }
    return this.#beginBehind(waiting);
  }

  /** What is to be made ready behind batches that are under way: enough of it, or nothing. */
  #beginBehind<Waiting extends Lined>(waiting: readonly Waiting[]): readonly Waiting[] {
    const { batchesMax, partitionsABatchMax, behindLengthMin } = this.#limits;
    if (this.#behind.length >= batchesMax) return [];
    const batch = this.#pick(waiting, { batchesBefore: 1, partitionsMax: partitionsABatchMax });
    if (batch.length === 0 || lengthOf(batch) < behindLengthMin) return [];
    this.#behind.push(batch);
    return this.#take(batch);
  }

  end(batch: readonly Lined[], heldUp: readonly number[]): void {
    if (batch.some(namesNoPartition)) {
      this.#hasOneEverywhere = false;
      return;
    }
    if (this.#apart.includes(batch)) this.#apart = this.#apart.filter((each) => each !== batch);
    else if (this.#behind.includes(batch)) this.#behind = this.#behind.filter((each) => each !== batch);
    else {
      this.#batches--;
      this.#length -= lengthOf(batch);
    }
    for (const partition of partitionsOf(batch)) {
      const left = this.#taken.get(partition)! - 1;
      if (left === 0) this.#taken.delete(partition);
      else this.#taken.set(partition, left);
      if (heldUp.length === 0) this.#heldUp.delete(partition);
    }
    for (const partition of heldUp) this.#heldUp.add(partition);
  }

  /** Counts the batch on each of its partitions, and answers it. */
  #take<Waiting extends Lined>(batch: readonly Waiting[]): readonly Waiting[] {
    for (const partition of partitionsOf(batch)) this.#taken.set(partition, (this.#taken.get(partition) ?? 0) + 1);
    return batch;
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

  /** What touches one partition that could not be had and no other, before what touches more: whoever waits for it keeps no other one. All of it touches the same, so that what it comes to is so for each. */
  #pickApart<Waiting extends Lined>(waiting: readonly Waiting[]): readonly Waiting[] {
    if (this.#heldUp.size === 0 || this.#apart.length >= this.#limits.batchesMax) return [];
    const free = waiting.filter((each) => this.#isHeldUp(each) && each.partitions.every((partition) => !this.#taken.has(partition)));
    const [first] = free.toSorted((a, b) => a.partitions.length - b.partitions.length);
    if (first === undefined) return [];
    const batch: Waiting[] = [];
    let weight = 0;
    for (const each of free.filter(({ partitions }) => partitions.join() === first.partitions.join())) {
      weight += each.weight;
      if (batch.length > 0 && (each.goesAlone || weight > this.#limits.batchLengthMax)) break;
      batch.push(each);
      if (each.goesAlone) break;
    }
    return batch;
  }

  #isHeldUp({ partitions }: Lined): boolean {
    return this.#heldUp.size > 0 && partitions.some((partition) => this.#heldUp.has(partition));
  }

  /** What waits for partitions that are in no more than so many batches, in order; behind a batch nothing of free partitions alone, which another one will take. */
  #pick<Waiting extends Lined>(waiting: readonly Waiting[], { batchesBefore, partitionsMax }: { readonly batchesBefore: number; readonly partitionsMax: number }): readonly Waiting[] {
    const { batchLengthMax } = this.#limits;
    /** Partitions that somebody waits for who came before. */
    const wanted = new Set<number>();
    const partitions = new Set<number>();
    const batch: Waiting[] = [];
    let weight = 0;
    for (const each of waiting) {
      if (namesNoPartition(each)) continue;
      if (this.#isHeldUp(each)) {
        // It goes apart once its partitions are in no batch at all, which nothing that is begun behind may put off.
        if (batchesBefore > 0) for (const partition of each.partitions) if (!partitions.has(partition)) wanted.add(partition);
        continue;
      }
      const isFree = each.partitions.every((partition) => (this.#taken.get(partition) ?? 0) <= batchesBefore && !wanted.has(partition));
      const added = each.partitions.filter((partition) => !partitions.has(partition)).length;
      const fits = batch.length === 0 || (!each.goesAlone && weight + each.weight <= batchLengthMax && (added === 0 || partitions.size + added <= partitionsMax));
      const isBehind = each.partitions.some((partition) => this.#taken.has(partition) || partitions.has(partition));
      if (!isFree || !fits || (batchesBefore > 0 && !isBehind)) {
        // What the batch has already it may have more of: whoever waits now is first when these partitions are free again.
        for (const partition of each.partitions) if (!partitions.has(partition)) wanted.add(partition);
        continue;
      }
      batch.push(each);
      weight += each.weight;
      for (const partition of each.partitions) partitions.add(partition);
      if (each.goesAlone || weight >= batchLengthMax) break;
    }
    return batch;
  }
}

function partitionsOf(batch: readonly Lined[]): ReadonlySet<number> {
  return new Set(batch.flatMap(({ partitions }) => partitions));
}

function namesNoPartition({ partitions }: Lined): boolean {
  return partitions.length === 0;
}

function lengthOf(lined: readonly Lined[]): number {
  return lined.reduce((length, { weight }) => length + weight, 0);
}
