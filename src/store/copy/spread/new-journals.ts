// The journals of the new ledger as they grow: each operation gets its records, places, links and hashes there, and keeps everything else.

import { recordHash } from "../../../domain/canonical.ts";
import type { JournalPlace, JournalRecord } from "../../../domain/journal.ts";
import { partitionOf } from "../../../domain/partitions.ts";
import type { CopyScratch, SpreadWallet } from "./copy-scratch.ts";
import { unfit } from "./source-journal.ts";

/** A record without the place and seal that its journal gives it. */
type Content = Omit<JournalRecord, "partition" | "sequence" | "hash">;

/** The end of one of them. */
export interface NewEnd {
  readonly sequence: bigint;
  readonly hash: Uint8Array;
  /** Of its last record; undefined where there is none. */
  readonly timeMs: number | undefined;
}

export class NewJournals {
  readonly #ends: NewEnd[];
  readonly #scratch: CopyScratch;

  /** `start` is where all of them begin. */
  constructor(partitions: number, start: Pick<JournalPlace, "sequence" | "hash">, scratch: CopyScratch) {
    this.#ends = Array.from({ length: partitions }, () => ({ sequence: start.sequence, hash: start.hash, timeMs: undefined }));
    this.#scratch = scratch;
  }

  end(partition: number): NewEnd {
    return this.#ends[partition]!;
  }

  /** Adds the operation, of which this is the only record or the payer's. Answers its records: one, or the payer's and the receiver's where their wallets are apart now. */
  add(operation: JournalRecord): readonly JournalRecord[] {
    if (operation.opened !== undefined) {
      const { userId, exponent } = operation.opened;
      this.#scratch.putWallet(operation.walletId, { userId, exponent, partition: partitionOf(userId, this.#ends.length), lastSequence: 0n });
    }
    const payer = this.#wallet(operation, operation.walletId);
    const own = { ...operation, previousSequence: payer.lastSequence };
    if (operation.receiver === undefined) return [this.#append(payer, [operation.walletId], own)];
    const { walletId } = operation.receiver;
    const receiver = this.#wallet(operation, walletId);
    const content = { ...own, receiver: { ...operation.receiver, previousSequence: receiver.lastSequence } };
    if (receiver.partition === payer.partition) return [this.#append(payer, [operation.walletId, walletId], { ...content, apart: undefined })];
    const paid = this.#append(payer, [operation.walletId], { ...content, apart: { side: "PAYER", other: ownerOf(receiver) } });
    // As the ledger tells the receiver's partition: nothing of hold and key.
    const received = this.#append(receiver, [walletId], { ...content, hold: undefined, keyHash: undefined, apart: { side: "RECEIVER", other: ownerOf(payer) } });
    return [paid, received];
  }

  #wallet(operation: JournalRecord, walletId: bigint): SpreadWallet {
    const wallet = this.#scratch.wallet(walletId);
    if (wallet === undefined) throw unfit(`Operation ${operation.sequence} of the source's partition ${operation.partition} is on wallet ${walletId}, which none has opened.`);
    return wallet;
  }

  /** At the end of the partition's journal, as the last record of these wallets. */
  #append({ partition }: SpreadWallet, walletIds: readonly bigint[], content: Content): JournalRecord {
    const end = this.#ends[partition]!;
    const draft = { ...content, partition, sequence: end.sequence + 1n };
    const record = { ...draft, hash: recordHash(end.hash, draft) };
    this.#ends[partition] = { sequence: record.sequence, hash: record.hash, timeMs: record.timeMs };
    for (const walletId of walletIds) this.#scratch.putWallet(walletId, { ...this.#scratch.wallet(walletId)!, lastSequence: record.sequence });
    return record;
  }
}

function ownerOf({ userId, exponent }: SpreadWallet): Pick<SpreadWallet, "userId" | "exponent"> {
  return { userId, exponent };
}
