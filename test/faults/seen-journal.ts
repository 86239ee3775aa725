// What a watcher saw of a whole journal, kept as a count and a digest, so that millions of operations cost no memory: how two of them are compared.

import { createHash, type Hash } from "node:crypto";
import type { JournalLine } from "./journal-file.ts";

/** Digests are kept after each so many operations: they tell where two journals part. */
const blockLength = 1_000;

export class SeenJournal {
  readonly #digest: Hash = createHash("sha256");
  readonly #blocks: string[] = [];
  #length = 0;
  #flaw: string | undefined;

  /** How many operations it has seen. */
  get length(): number {
    return this.#length;
  }

  /** The first operation that was not the one after the one before it: something was skipped, or came twice. */
  get flaw(): string | undefined {
    return this.#flaw;
  }

  see({ sequence, operationId, hash, reference }: JournalLine): void {
    this.#length++;
    if (sequence !== BigInt(this.#length)) this.#flaw ??= `operation ${sequence} came as number ${this.#length}`;
    this.#digest.update(`${sequence} ${operationId} ${hash} ${reference}\n`);
    if (this.#length % blockLength === 0) this.#blocks.push(this.#now());
  }

  /** How it differs from another; undefined where both saw the same, in the same order. */
  difference(other: SeenJournal): string | undefined {
    if (this.#flaw !== undefined || other.flaw !== undefined) return this.#flaw ?? other.flaw;
    const block = this.#blocks.findIndex((digest, index) => index < other.#blocks.length && digest !== other.#blocks[index]);
    if (block !== -1) return `they differ between ${block * blockLength + 1} and ${(block + 1) * blockLength}`;
    if (this.#length !== other.length) return `${this.#length} operations, and ${other.length}`;
    return this.#now() === other.#now() ? undefined : `they differ after ${this.#blocks.length * blockLength}`;
  }

  #now(): string {
    return this.#digest.copy().digest("hex");
  }
}
