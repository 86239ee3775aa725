// Copies a ledger over another number of partitions: ids stay, journals are chained anew (docs/decisions/0023).

import type { Selectable } from "kysely";
import { startHashOf, startSequenceAfter } from "../../../domain/joined-heads.ts";
import type { LedgerHeadTable } from "../../tables.ts";
import type { CopySource } from "../copy-source.ts";
import type { CopyTarget } from "../copy-target.ts";
import { ChunkWriter, type ChunkOptions } from "./chunk-writer.ts";
import type { CopyScratch } from "./copy-scratch.ts";
import { NewJournals } from "./new-journals.ts";
import { spreadHolds, spreadWallets } from "./spread-wallets.ts";
import { spreadJournals } from "./spread-journals.ts";
import { spreadKeys } from "./spread-keys.ts";

export interface SpreadOptions extends ChunkOptions {
  readonly partitions: number;
  readonly scratch: CopyScratch;
}

/** Writes all rows but the heads, which it answers. Throws StartError where the source contradicts itself. */
export async function spreadLedger(source: CopySource, target: CopyTarget, { partitions, scratch, ...options }: SpreadOptions): Promise<readonly Selectable<LedgerHeadTable>[]> {
  const oldEnds = source.heads.map(({ partition, sequence, hash }) => ({ partition: Number(partition), sequence, hash }));
  const start = { sequence: startSequenceAfter(oldEnds), hash: startHashOf(oldEnds) };
  const journals = new NewJournals(partitions, start, scratch);
  const writer = new ChunkWriter(target, options);
  await spreadJournals(source, writer, { partitions, journals, scratch });
  await spreadWallets(source, writer, { partitions, scratch });
  await spreadHolds(source, writer, { partitions, scratch });
  const keyEnds = await spreadKeys(source, writer, { partitions, scratch });
  return keyEnds.map((keys, partition) => {
    const { sequence, hash, timeMs } = journals.end(partition);
    // The clock of a partition is that of its last change.
    const times = [source.ledger.create_time_ms, BigInt(timeMs ?? 0), keys.timeMs];
    return {
      partition: BigInt(partition),
      sequence,
      hash,
      time_ms: times.reduce((last, each) => (each > last ? each : last)),
      key_ordinal: keys.ordinal,
      start_sequence: start.sequence,
      start_hash: start.hash,
      moved_sequence: sequence,
    };
  });
}
