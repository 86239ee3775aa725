// Gathers rows for the target until they are a chunk. Rows that the target has from an earlier run are left out: what is computed again is the same.

import type { Insertable } from "kysely";
import type { Tables } from "../../tables.ts";
import type { CopiedRow, CopiedRows, CopiedTable } from "../copied-tables.ts";
import type { AfterChunk, CopyProgress } from "../copy-progress.ts";
import type { CopyTarget } from "../copy-target.ts";

export interface ChunkOptions {
  readonly chunkRows: number;
  readonly afterChunk: AfterChunk;
}

export class ChunkWriter {
  readonly #target: CopyTarget;
  readonly #options: ChunkOptions;
  /** By table and partition. */
  #rows = new Map<string, { readonly table: CopiedTable; readonly partition: bigint; readonly rows: object[] }>();
  #count = 0;
  #steps = 0;

  constructor(target: CopyTarget, options: ChunkOptions) {
    this.#target = target;
    this.#options = options;
  }

  add<Table extends CopiedTable>(table: Table, row: Insertable<Tables[Table]> & { readonly partition: bigint }): void {
    const key = `${table} ${row.partition}`;
    const rows = this.#rows.get(key);
    if (rows === undefined) this.#rows.set(key, { table, partition: row.partition, rows: [row] });
    else rows.rows.push(row);
    this.#count++;
  }

  /** To be called where all rows that belong together have been added: writes them once they are many, and says how far it is once in a while in any case. */
  async step(progress: () => CopyProgress): Promise<void> {
    if (this.#count >= this.#options.chunkRows) await this.flush(progress());
    else if (++this.#steps >= this.#options.chunkRows) await this.#tell(progress());
  }

  async flush(progress: CopyProgress): Promise<void> {
    const chunk = [...this.#rows.values()] as unknown as CopiedRows[];
    this.#rows = new Map();
    this.#count = 0;
    if (chunk.length > 0) await this.#target.write(chunk);
    await this.#tell(progress);
  }

  /** The last row that each partition of the target has. */
  async lastRows<Table extends CopiedTable>(table: Table, partitions: number): Promise<readonly (CopiedRow<Table> | undefined)[]> {
    const last: (CopiedRow<Table> | undefined)[] = [];
    for (let partition = 0; partition < partitions; partition++) last.push(await this.#target.lastRow(table, BigInt(partition)));
    return last;
  }

  async #tell(progress: CopyProgress): Promise<void> {
    this.#steps = 0;
    await this.#options.afterChunk(progress);
  }
}
