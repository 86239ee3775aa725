// Where the journals of a ledger begin that was spread from another one: behind every id that there was, and chained to the ends of all its journals.

import { createHash } from "node:crypto";
import type { JournalPlace } from "./journal.ts";

/** Bytes of a partition's number and of a sequence. */
const integerBytes = 8;

/** Behind the largest sequence of any of these ends, so that no id can be given a second time: an id is made of a partition's number and a larger one. */
export function startSequenceAfter(heads: readonly Pick<JournalPlace, "sequence">[]): bigint {
  return heads.reduce((largest, { sequence }) => (sequence > largest ? sequence : largest), 0n);
}

/**
 * SHA-256 over the ends of all journals, partition after partition: the partition's number and the sequence, each as eight bytes with the highest first, and the 32
 * bytes of the hash. Whoever kept these can see that the new journals were made of no others.
 */
export function startHashOf(heads: readonly JournalPlace[]): Uint8Array {
  const digest = createHash("sha256");
  for (const { partition, sequence, hash } of heads) {
    const numbers = Buffer.alloc(2 * integerBytes);
    numbers.writeBigInt64BE(BigInt(partition));
    numbers.writeBigInt64BE(sequence, integerBytes);
    digest.update(numbers).update(hash);
  }
  return digest.digest();
}
