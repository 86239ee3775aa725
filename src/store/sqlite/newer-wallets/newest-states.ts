// The states of a partition's wallets in memory, encoded as they are in newer_wallets, and of each wallet where its newest one is.
//
// Bytes and numbers alone, and few objects: tens of thousands of wallets are nothing that a garbage collector follows. Rows lie one after another in chunks,
// and the chunks are counted through, so that one number says where a state is.

import { EncodedStates, type StateColumns } from "./wallet-state-encoding.ts";

/** Rows that have less share a chunk: an object for each row of a single wallet would be several times as large as the row. */
const chunkBytes = 64 * 1024;

interface Chunk {
  readonly states: EncodedStates;
  /** Where it begins, all chunks being counted through. */
  readonly start: number;
  /** Up to which place of the journal its states were written. */
  lastSequence: bigint;
  /** States in it. */
  count: number;
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
  #chunks: Chunk[] = [];
  /** Where the next row begins, and where the last chunk ends. */
  #end = 0;
  #chunksEnd = 0;
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

  /** Adds a row that was written after everything else, with so many states. */
  add(sequence: bigint, bytes: Uint8Array, count: number): void {
    const chunk = this.#chunkFor(bytes.length);
    const from = this.#end - chunk.start;
    chunk.states.bytes.set(bytes, from);
    for (let at = from; at < from + bytes.length; at = chunk.states.endOf(at)) this.#offsets.set(keyOf(chunk.states.walletIdAt(at)), chunk.start + at);
    this.#end += bytes.length;
    chunk.lastSequence = sequence;
    chunk.count += count;
    this.#count += count;
    this.#lastSequence = sequence;
  }

  /** The wallet's state, where that is of a later version. */
  newerThan(version: bigint, walletId: bigint): StateColumns | undefined {
    const offset = this.#offsets.get(keyOf(walletId));
    if (offset === undefined) return undefined;
    const { states, start } = this.#chunkAt(offset);
    return states.versionAt(offset - start) > version ? states.stateAt(offset - start) : undefined;
  }

  /** The wallet's state, where its last operation is at this place of the journal or before it. */
  upTo(sequence: bigint, walletId: bigint): StateColumns | undefined {
    const offset = this.#offsets.get(keyOf(walletId));
    if (offset === undefined) return undefined;
    const { states, start } = this.#chunkAt(offset);
    return states.headSequenceAt(offset - start) <= sequence ? states.stateAt(offset - start) : undefined;
  }

  /** Forgets what was written up to this place of the journal, but for what shares a chunk with later states. */
  forgetUpTo(sequence: bigint): void {
    const kept = this.#chunks.filter(({ lastSequence }) => lastSequence > sequence);
    if (kept.length === this.#chunks.length) return;
    this.#chunks = kept;
    this.#count = kept.reduce((sum, { count }) => sum + count, 0);
    const start = kept[0]?.start ?? this.#chunksEnd;
    if (kept.length === 0) this.#end = start;
    for (const [key, offset] of this.#offsets) if (offset < start) this.#offsets.delete(key);
  }

  /** One that has room for so many bytes behind its rows. */
  #chunkFor(byteLength: number): Chunk {
    const last = this.#chunks.at(-1);
    if (last !== undefined && this.#chunksEnd - this.#end >= byteLength) return last;
    const start = this.#chunksEnd;
    const bytes = new Uint8Array(Math.max(chunkBytes, byteLength));
    const chunk = { states: new EncodedStates(bytes), start, lastSequence: -1n, count: 0 };
    this.#chunks.push(chunk);
    this.#end = start;
    this.#chunksEnd = start + bytes.length;
    return chunk;
  }

  /** The chunk that this is in. */
  #chunkAt(offset: number): Chunk {
    let [first, behind] = [0, this.#chunks.length];
    while (behind - first > 1) {
      const middle = (first + behind) >>> 1;
      if (this.#chunks[middle]!.start <= offset) first = middle;
      else behind = middle;
    }
    return this.#chunks[first]!;
  }
}
