// What a watcher saw of a ledger, kept as a count and a digest for each partition, so that millions of operations cost no memory: how two of them are compared.

import { createHash, type Hash } from "node:crypto";
import type { JournalLine } from "./journal-file.ts";

export interface PartitionLine extends JournalLine {
  readonly partition: number;
}

interface SeenPartition {
  readonly digest: Hash;
  last: bigint;
}

/** Operations in the order of each partition. An operation between two partitions is the payer's; the receiver's record leaves a gap. */
export class SeenPartitions {
  readonly #partitions = new Map<number, SeenPartition>();
  #length = 0;
  #flaw: string | undefined;

  /** How many operations it has seen. */
  get length(): number {
    return this.#length;
  }

  see({ partition, sequence, operationId, hash, reference }: PartitionLine): void {
    this.#length++;
    let seen = this.#partitions.get(partition);
    if (seen === undefined) this.#partitions.set(partition, (seen = { digest: createHash("sha256"), last: 0n }));
    if (sequence <= seen.last) this.#flaw ??= `operation ${sequence} of partition ${partition} came after ${seen.last}`;
    seen.last = sequence;
    seen.digest.update(`${sequence} ${operationId} ${hash} ${reference}\n`);
  }

  /** How it differs from another; undefined where both saw the same, each partition in the same order. */
  difference(other: SeenPartitions): string | undefined {
    if (this.#flaw !== undefined || other.#flaw !== undefined) return this.#flaw ?? other.#flaw;
    if (this.#length !== other.#length) return `${this.#length} operations, and ${other.#length}`;
    const differing = [...this.#partitions].find(([partition, { digest }]) => digest.copy().digest("hex") !== other.#partitions.get(partition)?.digest.copy().digest("hex"));
    return differing === undefined ? undefined : `they differ in partition ${differing[0]}`;
  }
}
