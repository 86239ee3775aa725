// Spreads wallets and holds, which keep all but their partition and their places in the journal, and counts each currency's counters anew.

import { byDenomination, denominationKey } from "../../../domain/denomination.ts";
import { partitionOf } from "../../../domain/partitions.ts";
import { totalKinds, type Totals } from "../../../domain/totals.ts";
import type { UserId } from "../../../domain/wallet.ts";
import { decodeTotals, encodeTotals } from "../../totals-encoding.ts";
import type { CopySource } from "../copy-source.ts";
import type { ChunkWriter } from "./chunk-writer.ts";
import type { CopyScratch } from "./copy-scratch.ts";
import { rowsInOrder } from "./partition-rows.ts";
import { unfit } from "./source-journal.ts";

interface Spreading {
  readonly partitions: number;
  readonly scratch: CopyScratch;
}

/** By partition and denomination: a ledger has few currencies. */
type Counted = Map<string, { readonly partition: number; readonly currency: string; readonly exponent: number; readonly totals: Totals }>;

/** Both in the order of their ids, whichever partition they come from. */
export async function spreadWallets(source: CopySource, writer: ChunkWriter, { partitions, scratch }: Spreading): Promise<void> {
  const done = (await writer.lastRows("wallets", partitions)).map((row) => row?.wallet_id);
  const counted: Counted = new Map();
  let rowsDone = 0n;
  const progress = () => ({ table: "wallets", rowsDone, rowsInAll: undefined }) as const;
  for await (const row of rowsInOrder(source, "wallets", (a, b) => a.wallet_id - b.wallet_id)) {
    const partition = partitionOf(row.user_id as UserId, partitions);
    count(counted, partition, row);
    rowsDone++;
    if (isBehind(row.wallet_id, done[partition])) {
      const wallet = scratch.wallet(row.wallet_id);
      if (wallet === undefined) throw unfit(`The source's wallet ${row.wallet_id} was opened by no operation.`);
      writer.add("wallets", { ...row, partition: BigInt(partition), head_sequence: wallet.lastSequence });
    }
    await writer.step(progress);
  }
  await writer.flush(progress());
  await writeCounted(counted, writer, partitions);
}

export async function spreadHolds(source: CopySource, writer: ChunkWriter, { partitions, scratch }: Spreading): Promise<void> {
  const done = (await writer.lastRows("holds", partitions)).map((row) => row?.hold_id);
  let rowsDone = 0n;
  const progress = () => ({ table: "holds", rowsDone, rowsInAll: undefined }) as const;
  for await (const row of rowsInOrder(source, "holds", (a, b) => a.hold_id - b.hold_id)) {
    const wallet = scratch.wallet(row.wallet_id);
    if (wallet === undefined) throw unfit(`The source's hold ${row.hold_id} is on wallet ${row.wallet_id}, which no operation has opened.`);
    rowsDone++;
    if (isBehind(row.hold_id, done[wallet.partition])) writer.add("holds", { ...row, partition: BigInt(wallet.partition) });
    await writer.step(progress);
  }
  await writer.flush(progress());
}

function isBehind(key: bigint, last: bigint | undefined): boolean {
  return last === undefined || key > last;
}

function count(counted: Counted, partition: number, row: { readonly currency: string; readonly exponent: bigint; readonly totals: Uint8Array }): void {
  const totals = decodeTotals(row.totals);
  const denomination = { currency: row.currency, exponent: Number(row.exponent) };
  const key = `${partition} ${denominationKey(denomination)}`;
  const before = counted.get(key);
  counted.set(key, { partition, ...denomination, totals: before === undefined ? totals : sum(before.totals, totals) });
}

function sum(a: Totals, b: Totals): Totals {
  return Object.fromEntries(totalKinds.map((kind) => [kind, { count: a[kind].count + b[kind].count, minor: a[kind].minor + b[kind].minor }])) as Totals;
}

async function writeCounted(counted: Counted, writer: ChunkWriter, partitions: number): Promise<void> {
  const done = await writer.lastRows("currency_totals", partitions);
  let rowsDone = 0n;
  const progress = () => ({ table: "currency_totals", rowsDone, rowsInAll: undefined }) as const;
  for (const { partition, currency, exponent, totals } of [...counted.values()].toSorted((a, b) => a.partition - b.partition || byDenomination(a, b))) {
    const bytes = encodeTotals(totals);
    const last = done[partition];
    // A currency in which nothing was ever counted has no row.
    if (bytes.length === 0) continue;
    rowsDone++;
    if (last === undefined || byDenomination({ currency, exponent }, { currency: last.currency, exponent: Number(last.exponent) }) > 0) {
      writer.add("currency_totals", { partition: BigInt(partition), currency, exponent: BigInt(exponent), totals: bytes });
    }
    await writer.step(progress);
  }
  await writer.flush(progress());
}
