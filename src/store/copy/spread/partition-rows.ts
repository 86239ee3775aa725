// The rows of a table in one partition, one after the other, read some at a time; and those of all partitions in one order.

import type { CopiedRow, CopiedTable } from "../copied-tables.ts";
import type { CopySource } from "../copy-source.ts";
import { LeastFirst } from "./least-first.ts";

/** Rows of all partitions together that are in memory, of 1,250 partitions at most: some tens of megabytes. */
const bufferedMax = 20_000;

/** But so many of each partition are read at once, however many there are: with fewer, every row would be a round trip. */
const readMin = 16;

export class PartitionRows<Table extends CopiedTable> {
  /** Undefined behind the last one, and before `next` was called. */
  current: CopiedRow<Table> | undefined;
  readonly partition: number;
  readonly #source: CopySource;
  readonly #table: Table;
  readonly #limit: number;
  #rows: readonly CopiedRow<Table>[] = [];
  #at = 0;
  #hasEnded = false;

  constructor(source: CopySource, table: Table, partition: number) {
    this.#source = source;
    this.#table = table;
    this.partition = partition;
    this.#limit = Math.max(readMin, Math.floor(bufferedMax / source.heads.length));
  }

  /** Goes on to the next row. */
  async next(): Promise<void> {
    if (++this.#at >= this.#rows.length && !this.#hasEnded) {
      const after = this.#rows.at(-1);
      this.#rows = await this.#source.rowsAfter(this.#table, { partition: BigInt(this.partition), after, limit: BigInt(this.#limit) });
      this.#hasEnded = this.#rows.length < this.#limit;
      this.#at = 0;
    }
    this.current = this.#rows[this.#at];
  }
}

/** Every row of the table, the least first; each partition's are in this order as they come. Rows that are the same in it come in the order of their partitions. */
export async function* rowsInOrder<Table extends CopiedTable>(source: CopySource, table: Table, compare: (a: CopiedRow<Table>, b: CopiedRow<Table>) => bigint): AsyncGenerator<CopiedRow<Table>> {
  const queue = new LeastFirst<PartitionRows<Table>>((a, b) => {
    const difference = compare(a.current!, b.current!);
    return difference === 0n ? a.partition < b.partition : difference < 0n;
  });
  for (let partition = 0; partition < source.heads.length; partition++) {
    const rows = new PartitionRows(source, table, partition);
    await rows.next();
    if (rows.current !== undefined) queue.put(rows);
  }
  for (let least = queue.take(); least !== undefined; least = queue.take()) {
    yield least.current!;
    await least.next();
    if (least.current !== undefined) queue.put(least);
  }
}
