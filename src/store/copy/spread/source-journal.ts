// One of the source's journals, record by record, each held against its hash: what somebody has altered must not be sealed anew.

import { recordHash } from "../../../domain/canonical.ts";
import type { JournalRecord } from "../../../domain/journal.ts";
import { StartError } from "../../../start-error.ts";
import { readRecord } from "../../audit/read-record.ts";
import type { CopySource } from "../copy-source.ts";
import { PartitionRows } from "./partition-rows.ts";

export class SourceJournal {
  /** Undefined behind the last one, and before `next` was called. */
  current: JournalRecord | undefined;
  readonly partition: number;
  readonly #rows: PartitionRows<"journal">;
  readonly #head: CopySource["heads"][number];
  #sequence: bigint;
  #hash: Uint8Array;

  constructor(source: CopySource, partition: number) {
    this.partition = partition;
    this.#rows = new PartitionRows(source, "journal", partition);
    this.#head = source.heads[partition]!;
    this.#sequence = this.#head.start_sequence;
    this.#hash = this.#head.start_hash;
  }

  /** Goes on to the next record. Throws StartError where the chain is broken. */
  async next(): Promise<void> {
    await this.#rows.next();
    const row = this.#rows.current;
    this.current = undefined;
    if (row === undefined) {
      const isWhole = this.#sequence === this.#head.sequence && Buffer.compare(this.#hash, this.#head.hash) === 0;
      if (!isWhole) throw this.#broken(`ends with operation ${this.#sequence}, and its head says another`);
      return;
    }
    const read = readRecord(row);
    if (!("record" in read)) throw this.#broken(`has at ${row.sequence} no operation that can be read: ${read.unreadable}`);
    const { record } = read;
    const isNext = record.sequence === this.#sequence + 1n && Buffer.compare(recordHash(this.#hash, record), record.hash) === 0;
    if (!isNext) throw this.#broken(`is not what was written: the hash of operation ${record.sequence} does not fit`);
    this.current = record;
    this.#sequence = record.sequence;
    this.#hash = record.hash;
  }

  #broken(what: string): StartError {
    return unfit(`The source's journal of partition ${this.partition} ${what}.`);
  }
}

/** The source contradicts itself. */
export function unfit(sentence: string): StartError {
  return new StartError(`${sentence} A copy over other partitions would seal that anew, so it is not made; verify tells what is wrong with the source.`);
}
