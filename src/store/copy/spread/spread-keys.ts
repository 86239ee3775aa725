// Spreads the remembered keys, the oldest first: those of applied operations follow their operations, and those of rejections go everywhere, since they do not say whose they are.

import type { Selectable } from "kysely";
import type { IdempotencyKeyTable } from "../../tables.ts";
import type { CopySource } from "../copy-source.ts";
import type { ChunkWriter } from "./chunk-writer.ts";
import type { CopyScratch } from "./copy-scratch.ts";
import { rowsInOrder } from "./partition-rows.ts";
import { unfit } from "./source-journal.ts";

/** Of one partition: the last ordinal that was given, and the newest key's time. */
export interface KeyEnd {
  readonly ordinal: bigint;
  readonly timeMs: bigint;
}

/** Answers where the keys of each partition end. */
export async function spreadKeys(source: CopySource, writer: ChunkWriter, { partitions, scratch }: { readonly partitions: number; readonly scratch: CopyScratch }): Promise<readonly KeyEnd[]> {
  const done = (await writer.lastRows("idempotency_keys", partitions)).map((row) => row?.ordinal ?? 0n);
  const ends: KeyEnd[] = Array.from({ length: partitions }, () => ({ ordinal: 0n, timeMs: 0n }));
  const everywhere = ends.map((_, partition) => partition);
  const isCopy = copiesOfRejections();
  let rowsDone = 0n;
  const progress = () => ({ table: "idempotency_keys", rowsDone, rowsInAll: undefined }) as const;
  for await (const row of rowsInOrder(source, "idempotency_keys", (a, b) => a.time_ms - b.time_ms)) {
    rowsDone++;
    const place = placeOf(row, scratch);
    if (place === undefined && isCopy(row)) continue;
    for (const partition of place === undefined ? everywhere : [place.partition]) {
      const ordinal = ends[partition]!.ordinal + 1n;
      ends[partition] = { ordinal, timeMs: row.time_ms };
      if (ordinal > done[partition]!) writer.add("idempotency_keys", { ...row, partition: BigInt(partition), ordinal, sequence: place?.sequence ?? null });
    }
    await writer.step(progress);
  }
  await writer.flush(progress());
  return ends;
}

function placeOf({ partition, ordinal, sequence }: Selectable<IdempotencyKeyTable>, scratch: CopyScratch): ReturnType<CopyScratch["place"]> {
  if (sequence === null) return undefined;
  const place = scratch.place({ partition: Number(partition), sequence });
  if (place === undefined) throw unfit(`The source's idempotency key ${ordinal} of partition ${partition} points at operation ${sequence}, which carries none.`);
  return place;
}

/** Whether a rejection has been met before: a ledger that was itself spread has it in each of its partitions. Copies have the same time, so only those of one millisecond are remembered. */
function copiesOfRejections(): (row: Selectable<IdempotencyKeyTable>) => boolean {
  let timeMs: bigint | undefined;
  let met = new Set<string>();
  return (row) => {
    if (row.time_ms !== timeMs) [timeMs, met] = [row.time_ms, new Set()];
    const hash = Buffer.from(row.key_hash).toString("hex");
    const isMet = met.has(hash);
    met.add(hash);
    return isMet;
  };
}
