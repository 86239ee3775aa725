// Spreads the journals: every operation goes to its users' partitions, with the marks on its wallets' histories, and is listed under its old id.

import { marksOf } from "../../history-marks.ts";
import { recordToRow } from "../../rows.ts";
import { recordsBehind } from "../copy-rows.ts";
import type { CopySource } from "../copy-source.ts";
import type { ChunkWriter } from "./chunk-writer.ts";
import type { CopyScratch } from "./copy-scratch.ts";
import type { NewJournals } from "./new-journals.ts";
import { wholeOperations } from "./whole-operations.ts";

/** Fills `journals`, and tells the scratch where wallets and keyed operations have gone. A record's marks and its entry are written together with it. */
export async function spreadJournals(source: CopySource, writer: ChunkWriter, { partitions, journals, scratch }: { readonly partitions: number; readonly journals: NewJournals; readonly scratch: CopyScratch }): Promise<void> {
  const done = (await writer.lastRows("journal", partitions)).map((row) => row?.sequence ?? 0n);
  const rowsInAll = recordsBehind(source.heads);
  let rowsDone = 0n;
  const progress = () => ({ table: "journal", rowsDone, rowsInAll }) as const;
  for await (const { record: operation, records } of wholeOperations(source)) {
    rowsDone += BigInt(records);
    for (const record of journals.add(operation)) {
      const isPayers = record.apart?.side !== "RECEIVER";
      if (isPayers && record.keyHash !== undefined) scratch.putPlace(operation, record);
      if (record.sequence <= done[record.partition]!) continue;
      writer.add("journal", recordToRow(record));
      for (const mark of marksOf(record)) writer.add("history_marks", mark);
      if (isPayers) writer.add("moved_operations", { partition: BigInt(record.partition), operation_id: record.operationId, sequence: record.sequence });
    }
    await writer.step(progress);
  }
  await writer.flush(progress());
}
