// The part of one partition that a batch touches: as it was loaded, plus what the batch has done so far.

import assert from "node:assert/strict";
import { recordHash } from "./canonical.ts";
import { countsOf, countsOfReceiver, withCounts, type Count } from "./counts.ts";
import type { Effect } from "./decision.ts";
import { denominationKey, type Denomination } from "./denomination.ts";
import type { Hold } from "./hold.ts";
import type { RememberedKey } from "./idempotency.ts";
import { assertSoundHold, assertSoundWallet } from "./invariants.ts";
import { operationIdAt, type JournalHead, type JournalRecord, type WalletAfter, type WalletPart } from "./journal.ts";
import { noTotals, type Totals } from "./totals.ts";
import type { CurrencyCode, UserId, Wallet } from "./wallet.ts";

/** The counters of all wallets of one currency that were opened with the same exponent. */
export interface CurrencyTotals extends Denomination {
  readonly currency: CurrencyCode;
  readonly totals: Totals;
}

/** What the store loads for a batch. */
export interface LoadedState {
  readonly head: JournalHead;
  /** The ledger's clock for the whole batch: never behind `head.timeMs`. Milliseconds since 1970. */
  readonly nowMs: number;
  readonly wallets: readonly Wallet[];
  readonly holds: readonly Hold[];
  readonly records: readonly JournalRecord[];
  readonly keys: readonly RememberedKey[];
  readonly currencyTotals: readonly CurrencyTotals[];
  /** The ids of the holds that the batch may release, oldest eligibility first, and whether there are more. */
  readonly eligible: { readonly holdIds: readonly bigint[]; readonly moreRemain: boolean };
}

/** What a batch has changed, for the store to write. */
export interface Changes {
  readonly head: JournalHead;
  readonly records: readonly JournalRecord[];
  readonly wallets: readonly Wallet[];
  readonly holds: readonly Hold[];
  readonly keys: readonly RememberedKey[];
  readonly currencyTotals: readonly CurrencyTotals[];
  /** Keys that were remembered before this time may be forgotten. Milliseconds since 1970. */
  readonly forgetKeysBeforeMs: number;
}

/** What the request adds to an operation. */
export interface RequestMarks {
  readonly keyHash: string | undefined;
  readonly reference: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** What a batch sees and changes. Nothing is written: `changes()` says what is to be. */
export class LedgerState {
  readonly nowMs: number;
  readonly eligible: LoadedState["eligible"];
  #head: JournalHead;
  readonly #wallets = new Map<bigint, Wallet>();
  readonly #walletIdsByUser = new Map<UserId, bigint[]>();
  readonly #holds = new Map<bigint, Hold>();
  readonly #records = new Map<bigint, JournalRecord>();
  readonly #operationIds = new Set<bigint>();
  readonly #keys = new Map<string, RememberedKey>();
  readonly #currencyTotals = new Map<string, CurrencyTotals>();
  /** How to undo what was done since an attempt began, oldest first; undefined outside of one. */
  #undo: (() => void)[] | undefined;
  readonly #changed = { records: [] as JournalRecord[], walletIds: new Set<bigint>(), holdIds: new Set<bigint>(), keyHashes: new Set<string>(), totals: new Set<string>() };

  constructor(loaded: LoadedState) {
    assert(loaded.nowMs >= loaded.head.timeMs, "the ledger's clock never goes back");
    this.nowMs = loaded.nowMs;
    this.eligible = loaded.eligible;
    this.#head = loaded.head;
    for (const wallet of loaded.wallets) this.#putWallet(assertSoundWallet(wallet));
    for (const hold of loaded.holds) this.#holds.set(hold.holdId, assertSoundHold(hold));
    for (const record of loaded.records) this.#putRecord(record);
    for (const key of loaded.keys) this.#keys.set(key.keyHash, key);
    for (const totals of loaded.currencyTotals) this.#currencyTotals.set(denominationKey(totals), totals);
  }

  /**
   * Does the work, and undoes all that it changed here where it answers false. Attempts do not nest.
   */
  attempt(work: () => boolean): void {
    assert(this.#undo === undefined, "attempts do not nest");
    const undo: (() => void)[] = (this.#undo = []);
    const [head, records] = [this.#head, this.#changed.records.length];
    const isKept = work();
    this.#undo = undefined;
    if (isKept) return;
    for (const step of undo.toReversed()) step();
    this.#head = head;
    this.#changed.records.length = records;
  }

  /** The id that the next operation will have. */
  get nextOperationId(): bigint {
    return operationIdAt(this.#head.partition, this.#head.sequence + 1n);
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

  /** The record that a remembered key points at. */
  record(sequence: bigint): JournalRecord {
    const record = this.#records.get(sequence);
    assert(record !== undefined, "the record of a remembered key was loaded");
    return record;
  }

  key(keyHash: string): RememberedKey | undefined {
    return this.#keys.get(keyHash);
  }

  /** The record that the effect would make as the next operation. Changes nothing. */
  drafted(effect: Effect, marks: RequestMarks): JournalRecord {
    const { wallet, hold, receiver } = effect;
    const sequence = this.#head.sequence + 1n;
    const draft: Omit<JournalRecord, "hash"> = {
      partition: this.#head.partition,
      sequence,
      operationId: operationIdAt(this.#head.partition, sequence),
      kind: effect.kind,
      ...partIn(wallet),
      amountMinor: effect.amountMinor,
      hold: hold && { holdId: hold.holdId, status: hold.status, capturedMinor: hold.capturedMinor, eligibleTimeMs: hold.eligibleTimeMs },
      opened: effect.kind === "INIT" ? { userId: wallet.userId, currency: wallet.currency, exponent: wallet.exponent } : undefined,
      relatedOperationId: effect.relatedOperationId,
      receiver: receiver && { ...partIn(receiver.wallet), amountMinor: receiver.amountMinor },
      keyHash: marks.keyHash,
      reference: marks.reference,
      metadata: marks.metadata,
      timeMs: this.nowMs,
    };
    return { ...draft, hash: recordHash(this.#head.hash, draft) };
  }

  /** Makes the effect the next operation: from here on everything in the batch sees it. */
  apply(effect: Effect, record: JournalRecord): void {
    assert(record.sequence === this.#head.sequence + 1n, "operations take their places one by one");
    // The receiver was read before the payer paid: as one wallet, the payment would be undone and the money made from nothing.
    assert(effect.receiver?.wallet.walletId !== effect.wallet.walletId, "nobody pays themselves");
    this.#change(effect.wallet, record, record.after, countsOf(effect));
    if (effect.receiver !== undefined) {
      this.#change(effect.receiver.wallet, record, record.receiver!.after, countsOfReceiver(effect.receiver.amountMinor));
    }
    if (effect.hold !== undefined) {
      this.#set(this.#holds, effect.hold.holdId, assertSoundHold(effect.hold));
      this.#mark(this.#changed.holdIds, effect.hold.holdId);
    }
    this.#putRecord(record);
    this.#changed.records.push(record);
    this.#head = { partition: record.partition, sequence: record.sequence, hash: record.hash, timeMs: record.timeMs };
  }

  remember(key: RememberedKey): void {
    this.#set(this.#keys, key.keyHash, key);
    this.#mark(this.#changed.keyHashes, key.keyHash);
    this.#head = { ...this.#head, timeMs: this.nowMs };
  }

  /** What is to be written; undefined where the batch changed nothing. */
  changes(forgetKeysBeforeMs: number): Changes | undefined {
    const { records, walletIds, holdIds, keyHashes, totals } = this.#changed;
    if (records.length === 0 && keyHashes.size === 0) return undefined;
    return {
      head: this.#head,
      records,
      wallets: [...walletIds].map((id) => this.#wallets.get(id)!),
      holds: [...holdIds].map((id) => this.#holds.get(id)!),
      keys: [...keyHashes].map((hash) => this.#keys.get(hash)!),
      currencyTotals: [...totals].map((key) => this.#currencyTotals.get(key)!),
      forgetKeysBeforeMs,
    };
  }

  #putWallet(wallet: Wallet): void {
    if (!this.#wallets.has(wallet.walletId)) {
      const walletIds = this.#walletIdsByUser.get(wallet.userId) ?? [];
      this.#set(this.#walletIdsByUser, wallet.userId, [...walletIds, wallet.walletId]);
    }
    this.#set(this.#wallets, wallet.walletId, wallet);
  }

  #putRecord(record: JournalRecord): void {
    this.#set(this.#records, record.sequence, record);
    this.#mark(this.#operationIds, record.operationId);
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
  #change(wallet: Wallet, { sequence, timeMs }: JournalRecord, { version }: WalletAfter, counts: readonly Count[]): void {
    this.#putWallet(assertSoundWallet({ ...wallet, version, headSequence: sequence, updateTimeMs: timeMs, totals: withCounts(wallet.totals, counts) }));
    this.#mark(this.#changed.walletIds, wallet.walletId);
    if (counts.length === 0) return;
    const key = denominationKey(wallet);
    const { totals } = this.#currencyTotals.get(key) ?? { totals: noTotals };
    this.#set(this.#currencyTotals, key, { currency: wallet.currency, exponent: wallet.exponent, totals: withCounts(totals, counts) });
    this.#mark(this.#changed.totals, key);
  }
}

/** The wallet's part in the operation that makes it so. */
function partIn({ walletId, availableMinor, heldMinor, state, version, balanceMaxMinor, headSequence }: Wallet): WalletPart {
  return { walletId, after: { availableMinor, heldMinor, state, version: version + 1n, balanceMaxMinor }, previousSequence: headSequence };
}
