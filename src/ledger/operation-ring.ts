// The newest operations of one journal, kept in memory within bounds, so that those who watch its end share one read of it.

import type { RecordedOperation } from "../store/store.ts";

/** What bounds the memory of a ring. */
export interface RingBounds {
  /** Operations that are kept. */
  readonly operationsMax: number;
  /** Bytes that they may take together, roughly: their callers' own notes may be large. */
  readonly bytesMax: number;
}

/** What a partition's ring has at least: with less, hardly anybody would find in it what another has read. */
const leastShare: RingBounds = { operationsMax: 16, bytesMax: 64 * 1024 };

/** What each of so many rings has that are bounded together: never less than the least share, so that more than 128 may have more than the bound, 64 KiB each. */
export function shareOf(bounds: RingBounds, rings: number): RingBounds {
  if (rings === 1) return bounds;
  const share = (whole: number, least: number): number => Math.max(least, Math.ceil(whole / rings));
  return { operationsMax: share(bounds.operationsMax, leastShare.operationsMax), bytesMax: share(bounds.bytesMax, leastShare.bytesMax) };
}

/** What an operation takes beside its caller's notes, in bytes: its record with a few bigints and a hash. */
const bareBytes = 1_000;

/** Roughly the memory that an operation takes, in bytes. */
export function bytesOf({ record }: RecordedOperation): number {
  const notes = Object.entries(record.metadata).reduce((chars, [key, value]) => chars + key.length + value.length, record.reference.length);
  return bareBytes + 2 * notes;
}

/** The first of these operations that take at most so many bytes together, and one at least. */
export function firstWithin(operations: readonly RecordedOperation[], bytesMax: number): readonly RecordedOperation[] {
  let bytes = 0;
  const end = operations.findIndex((operation, index) => (bytes += bytesOf(operation)) > bytesMax && index > 0);
  return end === -1 ? operations : operations.slice(0, end);
}

/** Operations in the order of their sequences, without gaps. */
export class OperationRing {
  readonly #bounds: RingBounds;
  #operations: RecordedOperation[] = [];
  #bytes = 0;

  constructor(bounds: RingBounds) {
    this.#bounds = bounds;
  }

  get length(): number {
    return this.#operations.length;
  }

  /** Adds what follows the last one directly; the oldest make room. */
  append(operations: readonly RecordedOperation[]): void {
    this.#operations.push(...operations);
    this.#bytes += operations.reduce((sum, operation) => sum + bytesOf(operation), 0);
    let tooMany = 0;
    while (this.#operations.length - tooMany > this.#bounds.operationsMax || (this.#bytes > this.#bounds.bytesMax && tooMany < this.#operations.length)) {
      this.#bytes -= bytesOf(this.#operations[tooMany++]!);
    }
    this.#operations.splice(0, tooMany);
  }

  /** The operations directly after this sequence, at most `limit`; undefined where the ring does not reach back so far, or there are none. */
  after(sequence: bigint, limit: number): readonly RecordedOperation[] | undefined {
    const first = this.#operations[0];
    if (first === undefined) return undefined;
    const index = Number(sequence + 1n - first.record.sequence);
    return index < 0 || index >= this.#operations.length ? undefined : this.#operations.slice(index, index + limit);
  }

  clear(): void {
    this.#operations = [];
    this.#bytes = 0;
  }
}
