// What a run says of a key: its hash and its ordinal, as bytes that are in order where their hashes are.

import assert from "node:assert/strict";
import { keyHashBytes } from "../../../domain/idempotency.ts";

/** Bytes of an ordinal, the highest first: a number of JavaScript's that is exact. */
const ordinalBytes = 6;

/** Bytes of an entry. */
export const entryBytes = keyHashBytes + ordinalBytes;

/** As many as fit, with the row's key, into a leaf page of 4 KiB: 4,061 bytes (https://sqlite.org/fileformat2.html#b_tree_pages), so that no chunk needs a second page. */
export const entriesPerChunk = 183;

/** A key's place, to be written. */
export interface KeyPlace {
  /** 32 hex digits. */
  readonly keyHash: string;
  readonly ordinal: number;
}

/** The entries of these keys, of which no two have the same hash, in the order of their hashes: that of the digits is that of the bytes. */
export function sortedEntries(places: readonly KeyPlace[]): Buffer {
  const entries = Buffer.allocUnsafe(places.length * entryBytes);
  let at = 0;
  for (const { keyHash, ordinal } of places.toSorted((a, b) => (a.keyHash < b.keyHash ? -1 : 1))) {
    at += entries.write(keyHash, at, keyHashBytes, "hex");
    at = entries.writeUIntBE(ordinal, at, ordinalBytes);
  }
  assert(at === entries.length, "a key's hash has 32 digits");
  return entries;
}

/** The first 48 bits of the hash that begins there: enough to tell nearly all apart with one comparison. */
export function prefixAt(bytes: Uint8Array, at: number): number {
  const high = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
  const low = (bytes[at + 3]! << 16) | (bytes[at + 4]! << 8) | bytes[at + 5]!;
  return high * 2 ** 24 + low;
}

/** Below zero where the hash that begins at `aAt` comes first, 0 where they are the same. */
export function compareHashes(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number): number {
  for (let byte = 0; byte < keyHashBytes; byte++) {
    const difference = a[aAt + byte]! - b[bAt + byte]!;
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The ordinal of the entry that begins there. */
export function ordinalAt(entries: Uint8Array, at: number): number {
  return prefixAt(entries, at + keyHashBytes);
}

/** The ordinal that these entries, which are in order, say of the hash; undefined where they say nothing of it. */
export function ordinalOf(entries: Uint8Array, hash: Uint8Array): number | undefined {
  let [first, end] = [0, Math.floor(entries.length / entryBytes)];
  while (first < end) {
    const middle = (first + end) >>> 1;
    const order = compareHashes(entries, middle * entryBytes, hash, 0);
    if (order === 0) return ordinalAt(entries, middle * entryBytes);
    if (order < 0) first = middle + 1;
    else end = middle;
  }
  return undefined;
}
