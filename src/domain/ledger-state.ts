// What a batch touches of the ledger, partition by partition: as it was loaded, plus what the batch has done so far.

import assert from "node:assert/strict";
import { recordHash } from "./canonical.ts";
import { countsOf, countsOfReceiver, withCounts, type Count } from "./counts.ts";
import type { Effect } from "./decision.ts";
import { denominationKey } from "./denomination.ts";
import type { Hold } from "./hold.ts";
import type { RememberedKey } from "./idempotency.ts";
import { assertSoundHold, assertSoundWallet } from "./invariants.ts";
import { operationIdAt, type JournalHead, type JournalRecord, type WalletAfter } from "./journal.ts";
import type { Changes, CurrencyTotals, EligibleHolds, LoadedPartition, LoadedState } from "./loaded-state.ts";
import { partitionOf } from "./partitions.ts";
import { noTotals } from "./totals.ts";
import type { UserId, Wallet } from "./wallet.ts";

/** What the request adds to an operation. */
export interface RequestMarks {
  readonly keyHash: string | undefined;
  readonly reference: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** An operation that has yet to be applied: its record, and the receiver's own where that wallet is in another partition. */
export interface Draft {
  readonly record: JournalRecord;
  readonly receivers: JournalRecord | undefined;
}

/** A record with any hash, until it is sealed. */
type Unsealed = Omit<JournalRecord, "hash"> & { hash: Uint8Array };

/** One partition as the batch has left it so far. */
interface PartitionState {
  head: JournalHead;
  readonly records: Map<bigint, JournalRecord>;
  readonly currencyTotals: Map<string, CurrencyTotals>;
  readonly changed: { readonly records: JournalRecord[]; readonly walletIds: Set<bigint>; readonly holdIds: Set<bigint>; readonly keyHashes: Set<string>; readonly totals: Set<string> };
}

/** What a batch sees and changes. Nothing is written: `changes()` says what is to be. */
export class LedgerState {
  readonly nowMs: number;
  readonly eligible: EligibleHolds;
  readonly #partitionCount: number;
  readonly #partitions = new Map<number, PartitionState>();
  readonly #wallets = new Map<bigint, Wallet>();
  readonly #walletIdsByUser = new Map<UserId, bigint[]>();
  readonly #holds = new Map<bigint, Hold>();
  readonly #operationIds = new Set<bigint>();
  readonly #keys = new Map<string, RememberedKey>();
  /** How to undo what was done since an attempt began, oldest first; undefined outside of one. */
  #undo: (() => void)[] | undefined;

  constructor({ partitionCount, nowMs, partitions }: LoadedState) {
    this.nowMs = nowMs;
    this.#partitionCount = partitionCount;
    this.eligible = { holdIds: partitions.flatMap(({ eligible }) => eligible.holdIds), moreRemain: partitions.some(({ eligible }) => eligible.moreRemain) };
    for (const partition of partitions) this.#load(partition);
  }

  #load({ head, wallets, holds, records, operationIds, keys, currencyTotals }: LoadedPartition): void {
    assert(this.nowMs >= head.timeMs, "the ledger's clock never goes back");
    this.#partitions.set(head.partition, {
      head,
      records: new Map(records.map((record) => [record.sequence, record])),
      currencyTotals: new Map(currencyTotals.map((totals) => [denominationKey(totals), totals])),
      changed: { records: [], walletIds: new Set(), holdIds: new Set(), keyHashes: new Set(), totals: new Set() },
    });
    for (const wallet of wallets) this.#putWallet(assertSoundWallet(wallet));
    for (const hold of holds) this.#holds.set(hold.holdId, assertSoundHold(hold));
    for (const operationId of operationIds) this.#operationIds.add(operationId);
    for (const key of keys) this.#keys.set(key.keyHash, key);
  }

  /**
   * Does the work, and undoes all that it changed here where it answers false. Attempts do not nest.
   */
  attempt(work: () => boolean): void {
    assert(this.#undo === undefined, "attempts do not nest");
    const undo: (() => void)[] = (this.#undo = []);
    const before = [...this.#partitions.values()].map((partition) => ({ partition, head: partition.head, records: partition.changed.records.length }));
    const isKept = work();
    this.#undo = undefined;
    if (isKept) return;
    for (const step of undo.toReversed()) step();
    for (const { partition, head, records } of before) {
      partition.head = head;
      partition.changed.records.length = records;
    }
  }

  /** The id that this user's next operation will have. */
  nextOperationId(userId: UserId): bigint {
    const { head } = this.#partitionOf(userId);
    return operationIdAt(head.partition, head.sequence + 1n);
  }

  walletsOf(userId: UserId): readonly Wallet[] {
    return (this.#walletIdsByUser.get(userId) ?? []).map((walletId) => this.wallet(walletId));
  }

  /** A wallet that is known to exist because something loaded refers to it. */
  wallet(walletId: bigint): Wallet {
    const wallet = this.#wallets.get(walletId);
    assert(wallet !== undefined, "a wallet that is referred to was loaded");
    return wallet;
  }

  hold(holdId: bigint): Hold | undefined {
    return this.#holds.get(holdId);
  }

  hasOperation(operationId: bigint): boolean {
    return this.#operationIds.has(operationId);
  }

  /** The record that a remembered key of this user points at. */
  record(userId: UserId, sequence: bigint): JournalRecord {
    const record = this.#partitionOf(userId).records.get(sequence);
    assert(record !== undefined, "the record of a remembered key was loaded");
    return record;
  }

  key(keyHash: string): RememberedKey | undefined {
    return this.#keys.get(keyHash);
  }

  /** The record that the effect would make as the next operation, two where its wallets are in two partitions. Changes nothing. */
  drafted(effect: Effect, marks: RequestMarks): Draft {
    const { wallet, hold, receiver } = effect;
    const { head } = this.#partitionOf(wallet.userId);
    const receiverHead = receiver === undefined ? head : this.#partitionOf(receiver.wallet.userId).head;
    const isApart = receiverHead.partition !== head.partition;
    const sequence = head.sequence + 1n;
    const record: Unsealed = {
      partition: head.partition,
      sequence,
      operationId: operationIdAt(head.partition, sequence),
      kind: effect.kind,
      walletId: wallet.walletId,
      after: afterOf(wallet),
      previousSequence: wallet.headSequence,
      amountMinor: effect.amountMinor,
      hold: hold && { holdId: hold.holdId, status: hold.status, capturedMinor: hold.capturedMinor, eligibleTimeMs: hold.eligibleTimeMs },
      opened: effect.kind === "INIT" ? { userId: wallet.userId, currency: wallet.currency, exponent: wallet.exponent } : undefined,
      relatedOperationId: effect.relatedOperationId,
      receiver: receiver && { walletId: receiver.wallet.walletId, after: afterOf(receiver.wallet), previousSequence: receiver.wallet.headSequence, amountMinor: receiver.amountMinor },
      apart: isApart ? { side: "PAYER", other: ownerOf(receiver!.wallet) } : undefined,
      keyHash: marks.keyHash,
      reference: marks.reference,
      metadata: marks.metadata,
      timeMs: this.nowMs,
      hash: head.hash,
    };
    if (!isApart) return { record: sealed(head, record), receivers: undefined };
    const told: Unsealed = { ...record, partition: receiverHead.partition, sequence: receiverHead.sequence + 1n, hold: undefined, keyHash: undefined, apart: { side: "RECEIVER", other: ownerOf(wallet) } };
    return { record: sealed(head, record), receivers: sealed(receiverHead, told) };
  }

  /** Makes the effect the next operation: from here on everything in the batch sees it. */
  apply(effect: Effect, { record, receivers }: Draft): void {
    // The receiver was read before the payer paid: as one wallet, the payment would be undone and the money made from nothing.
    assert(effect.receiver?.wallet.walletId !== effect.wallet.walletId, "nobody pays themselves");
    this.#append(record);
    if (receivers !== undefined) this.#append(receivers);
    this.#change(effect.wallet, record, record.after, countsOf(effect));
    if (effect.receiver !== undefined) {
      this.#change(effect.receiver.wallet, receivers ?? record, record.receiver!.after, countsOfReceiver(effect.receiver.amountMinor));
    }
    if (effect.hold !== undefined) {
      this.#set(this.#holds, effect.hold.holdId, assertSoundHold(effect.hold));
      this.#mark(this.#of(record.partition).changed.holdIds, effect.hold.holdId);
    }
  }

  /** Remembers a key of this user. */
  remember(userId: UserId, key: RememberedKey): void {
    this.#set(this.#keys, key.keyHash, key);
    const partition = this.#partitionOf(userId);
    this.#mark(partition.changed.keyHashes, key.keyHash);
    partition.head = { ...partition.head, timeMs: this.nowMs };
  }

  /** What is to be written, partition by partition in ascending order; nothing of those that the batch did not change. */
  changes(forgetKeysBeforeMs: number): Changes[] {
    return [...this.#partitions.values()]
      .filter(({ changed }) => changed.records.length > 0 || changed.keyHashes.size > 0)
      .toSorted((a, b) => a.head.partition - b.head.partition)
      .map(({ head, currencyTotals, changed: { records, walletIds, holdIds, keyHashes, totals } }) => ({
        head,
        records,
        wallets: [...walletIds].map((id) => this.#wallets.get(id)!),
        holds: [...holdIds].map((id) => this.#holds.get(id)!),
        keys: [...keyHashes].map((hash) => this.#keys.get(hash)!),
        currencyTotals: [...totals].map((key) => currencyTotals.get(key)!),
        forgetKeysBeforeMs,
      }));
  }

  #partitionOf(userId: UserId): PartitionState {
    return this.#of(partitionOf(userId, this.#partitionCount));
  }

  #of(partition: number): PartitionState {
    const state = this.#partitions.get(partition);
    assert(state !== undefined, "a partition that is asked about was loaded");
    return state;
  }

  #putWallet(wallet: Wallet): void {
    if (!this.#wallets.has(wallet.walletId)) {
      const walletIds = this.#walletIdsByUser.get(wallet.userId) ?? [];
      this.#set(this.#walletIdsByUser, wallet.userId, [...walletIds, wallet.walletId]);
    }
    this.#set(this.#wallets, wallet.walletId, wallet);
  }

  /** Puts the record at the end of its partition's journal. */
  #append(record: JournalRecord): void {
    const partition = this.#of(record.partition);
    assert(record.sequence === partition.head.sequence + 1n, "operations take their places one by one");
    this.#set(partition.records, record.sequence, record);
    this.#mark(this.#operationIds, record.operationId);
    partition.changed.records.push(record);
    partition.head = { partition: record.partition, sequence: record.sequence, hash: record.hash, timeMs: record.timeMs };
  }

  #set<Key, Value>(map: Map<Key, Value>, key: Key, value: Value): void {
    if (this.#undo !== undefined) {
      const before = map.get(key);
      this.#undo.push(before === undefined ? () => map.delete(key) : () => map.set(key, before));
    }
    map.set(key, value);
  }

  #mark<Key>(set: Set<Key>, key: Key): void {
    if (this.#undo !== undefined && !set.has(key)) this.#undo.push(() => set.delete(key));
    set.add(key);
  }

  /** The wallet after an operation, in its place and with its counters. */
  #change(wallet: Wallet, { partition, sequence, timeMs }: JournalRecord, { version }: WalletAfter, counts: readonly Count[]): void {
    this.#putWallet(assertSoundWallet({ ...wallet, version, headSequence: sequence, updateTimeMs: timeMs, totals: withCounts(wallet.totals, counts) }));
    const { changed, currencyTotals } = this.#of(partition);
    this.#mark(changed.walletIds, wallet.walletId);
    if (counts.length === 0) return;
    const key = denominationKey(wallet);
    const { totals } = currencyTotals.get(key) ?? { totals: noTotals };
    this.#set(currencyTotals, key, { currency: wallet.currency, exponent: wallet.exponent, totals: withCounts(totals, counts) });
    this.#mark(changed.totals, key);
  }
}

/** What the operation that makes the wallet so says of it. */
function afterOf({ availableMinor, heldMinor, state, version, balanceMaxMinor }: Wallet): WalletAfter {
  return { availableMinor, heldMinor, state, version: version + 1n, balanceMaxMinor };
}

/** The record chained to the end of its journal. Sealed in place: a record is large, and there is one for each operation. */
function sealed(head: JournalHead, record: Unsealed): JournalRecord {
  record.hash = recordHash(head.hash, record);
  return record;
}

/** To whom the wallet belongs, as the record in the other partition says it. */
function ownerOf({ userId, exponent }: Wallet): { readonly userId: UserId; readonly exponent: number } {
  return { userId, exponent };
}
