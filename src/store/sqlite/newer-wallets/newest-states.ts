// The states of a partition's wallets in memory, encoded as they are in newer_wallets, and of each wallet where its newest one is.
//
// Bytes and numbers alone, so that tens of thousands of wallets are nothing that a garbage collector follows: the rows are taken for one long value, and where
// a state is says how far into it.

import type { EncodedStates, StateColumns } from "./wallet-state-encoding.ts";

interface Row {
  /** What it was written with. */
  readonly sequence: bigint;
  readonly states: EncodedStates;
  /** Where it begins. */
  readonly start: number;
}

/** A wallet's id, as a number where that is exact. */
type Key = number | bigint;

const keyMax = BigInt(Number.MAX_SAFE_INTEGER);

function keyOf(walletId: bigint): Key {
  return walletId <= keyMax && walletId >= 0n ? Number(walletId) : walletId;
}

/** Of one partition, as one connection knows them. */
export class NewestStates {
  readonly #offsets = new Map<Key, number>();
  /** In the order in which they were written. */
  #rows: Row[] = [];
  /** Where the next one begins. */
  #end = 0;
  #count = 0;
  #lastSequence = -1n;

  /** States in memory, those included that are not their wallets' newest. */
  get count(): number {
    return this.#count;
  }

  /** Up to which place of the journal states were added. */
  get lastSequence(): bigint {
    return this.#lastSequence;
  }

  /** The wallets that have a state, in the order of their ids. */
  walletIds(): BigInt64Array {
    return BigInt64Array.from(this.#offsets.keys(), BigInt).toSorted();
  }

  /** Adds what was written after everything else. */
  add(sequence: bigint, states: EncodedStates): void {
    const start = this.#end;
    this.#rows.push({ sequence, states, start });
    states.forEach((walletId, at) => this.#offsets.set(keyOf(walletId), start + at));
    this.#end += states.byteLength;
    this.#count += states.count;
    this.#lastSequence = sequence;
  }

  /** The wallet's state, where that is of a later version. */
  newerThan(version: bigint, walletId: bigint): StateColumns | undefined {
    const offset = this.#offsets.get(keyOf(walletId));
    if (offset === undefined) return undefined;
    const { states, start } = this.#rowAt(offset);
    return states.versionAt(offset - start) > version ? states.stateAt(offset - start) : undefined;
  }

  /** The wallet's state, where it was written up to this place of the journal. */
  writtenUpTo(sequence: bigint, walletId: bigint): StateColumns | undefined {
    const offset = this.#offsets.get(keyOf(walletId));
    if (offset === undefined) return undefined;
    const row = this.#rowAt(offset);
    return row.sequence <= sequence ? row.states.stateAt(offset - row.start) : undefined;
  }

  /** Forgets what was written up to this place of the journal. */
  forgetUpTo(sequence: bigint): void {
    const kept = this.#rows.findIndex((row) => row.sequence > sequence);
    const forgotten = kept === -1 ? this.#rows : this.#rows.slice(0, kept);
    this.#rows = kept === -1 ? [] : this.#rows.slice(kept);
    for (const { states } of forgotten) this.#count -= states.count;
    const start = this.#rows[0]?.start ?? this.#end;
    for (const [key, offset] of this.#offsets) if (offset < start) this.#offsets.delete(key);
  }

  /** The row that this is in. */
  #rowAt(offset: number): Row {
    let [first, behind] = [0, this.#rows.length];
    while (behind - first > 1) {
      const middle = (first + behind) >>> 1;
      if (this.#rows[middle]!.start <= offset) first = middle;
      else behind = middle;
    }
    return this.#rows[first]!;
  }
}
