// Copies a ledger into an empty place, on whichever engines the two are, or goes on with a copy that was interrupted.

import type { Selectable } from "kysely";
import { StartError } from "../../start-error.ts";
import { noteOf } from "./copy-note.ts";
import type { AfterChunk } from "./copy-progress.ts";
import { copyRows, recordsBehind } from "./copy-rows.ts";
import type { CopySource } from "./copy-source.ts";
import type { CopyTarget } from "./copy-target.ts";
import type { LedgerHeadTable } from "../tables.ts";
import type { CopyScratch } from "./spread/copy-scratch.ts";
import { spreadLedger } from "./spread/spread-ledger.ts";

/** Rows that one transaction takes: some megabytes, and some 100 ms. */
const chunkRowsDefault = 5_000;

export interface CopyOptions {
  /** The target's; undefined: the source's. */
  readonly partitions?: number | undefined;
  /** For a copy over other partitions. */
  readonly openScratch: () => CopyScratch;
  readonly afterChunk: AfterChunk;
  /** For tests. */
  readonly chunkRows?: number;
}

/** What the target is to be. */
export interface CopiedLedger {
  /** The ends of its journals, in the order of the partitions. */
  readonly heads: readonly Selectable<LedgerHeadTable>[];
  /** In all its journals. */
  readonly records: bigint;
}

/**
 * Copies everything; the target is a ledger when it is done, and none before. Throws StartError where the target holds another copy's beginning, or the source is not what it was
 * when this copy began, or others may have written to it meanwhile, StoreFault where a database fails, and what `afterChunk` throws: all that was written stays, and the next one goes on behind it.
 */
export async function copyLedger(source: CopySource, target: CopyTarget, { partitions, openScratch, afterChunk, chunkRows = chunkRowsDefault }: CopyOptions): Promise<CopiedLedger> {
  const note = noteOf(source, partitions === undefined ? source.ledger.partitions : BigInt(partitions));
  const noted = await target.begin(note);
  if (noted.heads !== note.heads) {
    throw new StartError("The source is not the ledger that this copy was begun of, or has been written to since. Give --to an empty target, and let nobody write to the source until the copy is finished.");
  }
  if (noted.partitions !== note.partitions) {
    throw new StartError(`The target holds the beginning of a copy over ${noted.partitions} partitions. Finish it with --partitions ${noted.partitions}, or give --to an empty target.`);
  }
  const heads = note.partitions === source.ledger.partitions ? await copyAsItIs() : await spread();
  // A target that may lack operations does not become a ledger, which somebody could serve by mistake.
  await source.assertUnchanged();
  await target.finish({ ...source.ledger, partitions: note.partitions }, heads);
  return { heads, records: recordsBehind(heads) };

  async function copyAsItIs(): Promise<CopiedLedger["heads"]> {
    await copyRows(source, target, { chunkRows, afterChunk });
    return source.heads;
  }

  async function spread(): Promise<CopiedLedger["heads"]> {
    const scratch = openScratch();
    try {
      return await spreadLedger(source, target, { partitions: Number(note.partitions), scratch, chunkRows, afterChunk });
    } finally {
      scratch.close();
    }
  }
}
