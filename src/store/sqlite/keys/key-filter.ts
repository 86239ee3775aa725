// Which keys a run surely does not have: a Bloom filter of one cache line a key (Putze, Sanders, Singler, "Cache-, Hash- and Space-Efficient Bloom Filters", 2007).
//
// A key's hash is uniformly random by itself: its first 32 bits choose the block, in the hashes' own order, and eight times nine more bits choose the bits in it. So
// a run that is written in order fills its filter from the front, and what lies behind can be written down already.

/** A block is a cache line. */
export const blockBytes = 64;

/** Bits for each key: one in some 800 unknown keys is taken for a known one. */
const bitsPerKey = 16;

/** Bytes of the hash that the filter goes by. */
const bitsFrom = 4;

/** Says "surely not" or "maybe" of a hash; never "surely not" of one that was added. Blocks are as they are stored. */
export class KeyFilter {
  readonly bytes: Uint8Array;

  /** An empty one for so many keys: with more it is only less sure. */
  static for(keys: number): KeyFilter {
    return new KeyFilter(new Uint8Array(Math.max(1, Math.ceil((keys * bitsPerKey) / (8 * blockBytes))) * blockBytes));
  }

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get blocks(): number {
    return this.bytes.length / blockBytes;
  }

  /** The block of the hash that begins there. Blocks are in the order of the hashes. */
  blockOf(hashes: Uint8Array, at: number): number {
    return Math.floor((wordAt(hashes, at) * this.blocks) / 2 ** 32);
  }

  add(hashes: Uint8Array, at: number): void {
    const base = this.blockOf(hashes, at) * blockBytes;
    this.#set(base, wordAt(hashes, at + bitsFrom), 3);
    this.#set(base, wordAt(hashes, at + bitsFrom + 4), 3);
    this.#set(base, wordAt(hashes, at + bitsFrom + 8), 2);
  }

  mayHave(hash: Uint8Array): boolean {
    const base = this.blockOf(hash, 0) * blockBytes;
    return this.#has(base, wordAt(hash, bitsFrom), 3) && this.#has(base, wordAt(hash, bitsFrom + 4), 3) && this.#has(base, wordAt(hash, bitsFrom + 8), 2);
  }

  #set(base: number, word: number, probes: number): void {
    for (let probe = 0, rest = word; probe < probes; probe++, rest >>>= 9) this.bytes[base + ((rest & 511) >>> 3)]! |= 1 << (rest & 7);
  }

  #has(base: number, word: number, probes: number): boolean {
    for (let probe = 0, rest = word; probe < probes; probe++, rest >>>= 9) {
      if ((this.bytes[base + ((rest & 511) >>> 3)]! & (1 << (rest & 7))) === 0) return false;
    }
    return true;
  }
}

function wordAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}
