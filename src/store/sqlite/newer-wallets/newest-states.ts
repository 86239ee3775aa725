// Where the newest state of each wallet of a partition lies, of those that newer_wallets has.

import type { EncodedStates, StateColumns } from "./wallet-state-encoding.ts";

/** A place in a row and the row's number are kept as one number, which takes less memory than an object: no row has so many bytes. */
const rowSpan = 2 ** 30;

interface Row {
  /** What it was written with. */
  readonly sequence: bigint;
  readonly states: EncodedStates;
}

export class NewestStates {
  /** Wallet → the number of the row and the place in it. */
  readonly #places = new Map<bigint, number>();
  /** By their numbers, which count up. */
  readonly #rows = new Map<number, Row>();
  #lastRow = 0;
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
    return BigInt64Array.from(this.#places.keys()).toSorted();
  }

  /** Adds what was written behind everything else. */
  add(sequence: bigint, states: EncodedStates): void {
    const row = ++this.#lastRow;
    this.#rows.set(row, { sequence, states });
    states.forEach((walletId, at) => this.#places.set(walletId, row * rowSpan + at));
    this.#count += states.count;
    this.#lastSequence = sequence;
  }

  /** The wallet's state, where that is of a later version. */
  newerThan(version: bigint, walletId: bigint): StateColumns | undefined {
    const place = this.#places.get(walletId);
    if (place === undefined) return undefined;
    const { states } = this.#rowOf(place);
    const at = place % rowSpan;
    return states.versionAt(at) > version ? states.stateAt(at) : undefined;
  }

  /** The wallet's state, where it was written up to this place of the journal. */
  writtenUpTo(sequence: bigint, walletId: bigint): StateColumns | undefined {
    const place = this.#places.get(walletId);
    if (place === undefined) return undefined;
    const row = this.#rowOf(place);
    return row.sequence <= sequence ? row.states.stateAt(place % rowSpan) : undefined;
  }

  /** Forgets what was written up to this place of the journal. */
  forgetUpTo(sequence: bigint): void {
    let lastForgotten = 0;
    for (const [row, { sequence: written, states }] of this.#rows) {
      if (written > sequence) break;
      this.#rows.delete(row);
      this.#count -= states.count;
      lastForgotten = row;
    }
    for (const [walletId, place] of this.#places) if (place < (lastForgotten + 1) * rowSpan) this.#places.delete(walletId);
  }

  #rowOf(place: number): Row {
    return this.#rows.get(Math.floor(place / rowSpan))!;
  }
}
