// Copies every row as it is, table after table and partition after partition, behind those that the target has.

import { copiedTables, type CopiedRow, type CopiedRows, type CopiedTable } from "./copied-tables.ts";
import type { AfterChunk } from "./copy-progress.ts";
import type { CopySource } from "./copy-source.ts";
import type { CopyTarget } from "./copy-target.ts";

/** How many records there are in the journals that end there. */
export function recordsBehind(heads: CopySource["heads"]): bigint {
  return heads.reduce((sum, { sequence, start_sequence: start }) => sum + sequence - start, 0n);
}

/** The source's and the target's partitions are the same. `chunkRows` is how many rows a transaction takes. */
export async function copyRows(source: CopySource, target: CopyTarget, { chunkRows, afterChunk }: { readonly chunkRows: number; readonly afterChunk: AfterChunk }): Promise<void> {
  const limit = BigInt(chunkRows);

  const recordsInAll = recordsBehind(source.heads);

  const copyTable = async (table: CopiedTable): Promise<void> => {
    let rowsDone = 0n;
    for (const { partition, start_sequence: start } of source.heads) {
      let after: CopiedRow<CopiedTable> | undefined = await target.lastRow(table, partition);
      // Of the journal alone it is known how many rows are there already.
      if (table === "journal") rowsDone += after === undefined ? 0n : (after as CopiedRow<"journal">).sequence - start;
      let isDone = false;
      while (!isDone) {
        const rows: readonly CopiedRow<CopiedTable>[] = await source.rowsAfter(table, { partition, after, limit });
        // Both are of the one table.
        if (rows.length > 0) await target.write([{ table, partition, rows } as CopiedRows]);
        after = rows.at(-1) ?? after;
        isDone = rows.length < chunkRows;
        rowsDone += BigInt(rows.length);
        await afterChunk({ table, rowsDone, rowsInAll: table === "journal" ? recordsInAll : undefined });
      }
    }
  };

  for (const table of copiedTables) await copyTable(table);
}
