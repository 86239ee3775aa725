// Replays the journal: each record in turn is judged by what the ones before it make of the ledger, and then leads to the next state.
//
// After a record that does not follow, the replay goes on from what that record says, not from what it should have said: whoever changes one record
// is then told of that record, and of the next one on the same wallet, where the rest of the journal disagrees with it; everything behind fits
// again. To go on from the recomputed balance would repeat one wrong amount at every later operation of the wallet and hide the second change
// behind the first. For the same reason the chain goes on from the hash that a record carries, and time from its time. Only what is in no record, the counters, keeps the difference.

import { hash as digest } from "node:crypto";
import { canonicalContent, recordHash } from "../canonical.ts";
import { countsOf, countsOfReceiver, withCounts, type Count } from "../counts.ts";
import type { Hold } from "../hold.ts";
import { keyHashBytes } from "../idempotency.ts";
import { birthplaceOf, operationIdAt, type JournalHead, type JournalRecord, type Side, type WalletPart } from "../journal.ts";
import { rescaled } from "../money.ts";
import { partitionOf } from "../partitions.ts";
import { credited, opened, totalMinor, type CurrencyCode, type UserId, type Wallet, type WalletIdentity } from "../wallet.ts";
import { bytesText, moneyText, timeText, walletText, type Mismatches } from "./mismatch.ts";
import { RecomputedCurrencies } from "./recomputed-currencies.ts";
import { brokenReceipt, brokenRules, replayedEffect, type Met, type ReplayedEffect } from "./replayed-effect.ts";

/** Where recomputed wallets and holds are kept: there may be more of them than fit into memory. */
export interface RecomputedState {
  wallet(walletId: bigint): Wallet | undefined;
  hold(holdId: bigint): Hold | undefined;
  putWallet(wallet: Wallet): void;
  putHold(hold: Hold): void;
  /** Remembers this wallet as the one of its user and currency, unless there is one already. Answers the id of the one that is remembered. */
  claim(wallet: WalletIdentity): bigint;
  /** Remembers the id of an operation that was born in another ledger. Answers whether no other has it. */
  claimMoved(operationId: bigint): boolean;
  /** Remembers what one of the two records of an operation says that both must say: a hash over it. */
  putApart(operationId: bigint, side: Side, content: Uint8Array): void;
}

/** Where a partition's journal begins: the ledger's creation, or the ends of the journals that it was spread from. */
export interface JournalStart extends JournalHead {
  /** Up to here operations were born in the ledger before, and have its ids; absent where none were. */
  readonly movedSequence?: bigint;
}

/** Whether the journal opened this wallet, or operations merely speak of it. */
export function isOpened(wallet: WalletIdentity): boolean {
  return wallet.currency !== "";
}

/** A replay under way: the state that the records so far lead to, and what did not fit on the way. */
export class JournalReplay {
  readonly currencies = new RecomputedCurrencies();
  readonly #state: RecomputedState;
  readonly #mismatches: Mismatches;
  readonly #partitionCount: number;
  readonly #start: JournalStart;
  #end: JournalHead;

  /** Begins before a partition's first record, where `start` is: its time is that of the ledger's creation. */
  constructor(start: JournalStart, partitionCount: number, state: RecomputedState, mismatches: Mismatches) {
    this.#start = start;
    this.#end = start;
    this.#partitionCount = partitionCount;
    this.#state = state;
    this.#mismatches = mismatches;
  }

  /** The last record that was replayed. */
  get end(): JournalHead {
    return this.#end;
  }

  /** A record that cannot be read: its place and hash still hold the chain together. `reason` says what is wrong with it. */
  skip({ sequence, hash, timeMs }: Pick<JournalHead, "sequence" | "hash" | "timeMs">, reason: string): void {
    this.#checkSequence(sequence);
    this.#mismatches.add({ subject: `operation ${sequence}`, expected: "a record that can be read", actual: reason });
    this.#end = { ...this.#end, sequence, hash, timeMs };
  }

  /** The next record. */
  follow(record: JournalRecord): void {
    const subject = `operation ${record.sequence} (${record.kind})`;
    this.#checkPlace(record, subject);
    if (record.apart?.side === "RECEIVER") this.#followReceived(record, record.apart.other, subject);
    else this.#followOwn(record, subject);
    this.#end = { partition: record.partition, sequence: record.sequence, hash: record.hash, timeMs: record.timeMs };
  }

  #followOwn(record: JournalRecord, subject: string): void {
    const met = this.#met(record, subject);
    const effect = replayedEffect(record, met);
    // Of a wallet that was never opened nothing is known that a rule could be held against.
    const isKnown = isOpened(met.wallet) && (met.receiver === undefined || isOpened(met.receiver));
    if (isKnown) this.#tellBroken(brokenRules(record, met, effect), subject);
    this.#compareEffect(record, met, effect, subject);
    this.#adopt(record, met, effect);
    if (record.apart !== undefined) this.#state.putApart(record.operationId, "PAYER", sharedContentHash(record, { payer: met.wallet, receiver: record.apart.other }));
  }

  /** The record of what came in from another partition, where the payer's own record is judged. */
  #followReceived(record: JournalRecord, payer: Owner, subject: string): void {
    const { receiver } = record;
    if (receiver === undefined) return this.#mismatches.add({ subject, expected: "a receiver in the receiver's record", actual: "none" });
    const met = this.#state.wallet(receiver.walletId) ?? this.#unopened(receiver, `${subject}: receiver`);
    const incoming = rescaled(record.amountMinor, { from: payer.exponent, to: met.exponent });
    if (isOpened(met)) {
      this.#tellBroken(brokenReceipt(record, met, { incoming, payer }), subject);
      this.#mismatches.compare(`${subject}: receiver's amount`, moneyText(incoming, met.exponent), moneyText(receiver.amountMinor, met.exponent));
      this.#comparePart(receiver, credited(met, incoming), met, `${subject}: receiver`);
    }
    this.#change(met, met, receiver, record, countsOfReceiver(receiver.amountMinor));
    this.#state.putApart(record.operationId, "RECEIVER", sharedContentHash(record, { payer, receiver: met }));
  }

  #tellBroken(rules: readonly string[], subject: string): void {
    for (const sentence of rules) this.#mismatches.add({ subject, expected: sentence, actual: "a record that breaks this rule" });
  }

  #checkSequence(sequence: bigint): void {
    const expected = this.#end.sequence + 1n;
    if (sequence === expected) return;
    if (sequence < expected) return this.#mismatches.add({ subject: `operation ${sequence}`, expected: `sequences from ${this.#start.sequence + 1n} on`, actual: `a record at ${sequence}` });
    const lost = sequence - expected;
    this.#mismatches.add({ subject: lost === 1n ? `operation ${expected}` : `operations ${expected} to ${sequence - 1n}`, expected: lost === 1n ? "a record" : `${lost} records`, actual: "none" });
  }

  #checkPlace(record: JournalRecord, subject: string): void {
    const { sequence, timeMs, hash, keyHash } = record;
    this.#checkSequence(sequence);
    // The receiver's record names the payer's, which is in another partition.
    if (record.apart?.side !== "RECEIVER") this.#checkId(record, subject);
    if (timeMs < this.#end.timeMs) this.#mismatches.add({ subject: `${subject}: time`, expected: `not before ${timeText(this.#end.timeMs)}`, actual: timeText(timeMs) });
    const over = this.#end.sequence === 0n ? "its content" : `its content and the hash of operation ${this.#end.sequence}`;
    this.#mismatches.compare(`${subject}: hash over ${over}`, bytesText(recordHash(this.#end.hash, record)), bytesText(hash));
    if (keyHash !== undefined) this.#mismatches.compare(`${subject}: bytes of the key's hash`, `${keyHashBytes}`, `${keyHash.length / 2}`);
  }

  /** An operation is named after its place; one that was born in another ledger after its place there. */
  #checkId({ partition, sequence, operationId }: JournalRecord, subject: string): void {
    const { sequence: start, movedSequence = 0n } = this.#start;
    if (sequence > movedSequence) return this.#mismatches.compare(`${subject}: id`, `${operationIdAt(partition, sequence)}`, `${operationId}`);
    const born = birthplaceOf(operationId);
    const isOld = operationId > 0n && born.sequence > 0n && born.sequence <= start;
    if (!isOld) this.#mismatches.add({ subject: `${subject}: id`, expected: `one of the ledger before, whose sequences ended with ${start}`, actual: `${operationId}` });
    if (!this.#state.claimMoved(operationId)) this.#mismatches.add({ subject: `${subject}: id`, expected: "an id that no other operation has", actual: `${operationId}` });
  }

  /** The wallets and the hold as the records before this one made them. */
  #met(record: JournalRecord, subject: string): Met {
    const hold = record.hold === undefined || record.kind === "HOLD" ? undefined : this.#state.hold(record.hold.holdId);
    const known = this.#state.wallet(record.walletId);
    const receiver = record.apart !== undefined ? undefined : record.receiver && (this.#state.wallet(record.receiver.walletId) ?? this.#unopened(record.receiver, `${subject}: receiver`));
    if (record.kind !== "INIT") return { wallet: known ?? this.#unopened(record, subject), hold, receiver };
    this.#mismatches.compare(`${subject}: wallet`, `${record.operationId}, the id of its opening`, `${record.walletId}, the id of its opening`);
    if (record.opened === undefined) this.#mismatches.add({ subject, expected: "whose wallet it opens, in what currency", actual: "none" });
    const wallet = openedBy(record);
    const first = isOpened(wallet) ? this.#state.claim(wallet) : wallet.walletId;
    if (first !== wallet.walletId) {
      this.#mismatches.add({ subject: `${subject}: ${walletText(wallet)}`, expected: `no second wallet of this user and currency: operation ${first} opened wallet ${first}`, actual: "another wallet" });
    }
    if (isOpened(wallet)) this.#mismatches.compare(`${subject}: partition`, `${partitionOf(wallet.userId, this.#partitionCount)}, the user's`, `${record.partition}, the user's`);
    if (known !== undefined && isOpened(known)) this.#mismatches.add({ subject: `${subject}: wallet`, expected: "a wallet that was not opened before", actual: walletText(known) });
    return { wallet, hold, receiver };
  }

  /** Stands in for a wallet that the journal does not open, so that operations on it are told once and not each. */
  #unopened({ walletId, after, previousSequence }: WalletPart, subject: string): Wallet {
    this.#mismatches.add({ subject: `${subject}: wallet ${walletId}`, expected: "opened by an earlier operation", actual: "opened by none" });
    return { ...openedBy({ walletId, opened: undefined, timeMs: 0 }), ...after, version: after.version - 1n, headSequence: previousSequence };
  }

  #compareEffect(record: JournalRecord, met: Met, effect: ReplayedEffect, subject: string): void {
    const { exponent } = met.wallet;
    const isKnown = isOpened(met.wallet);
    if (isKnown) this.#comparePart(record, effect.wallet, met.wallet, subject);
    this.#mismatches.compare(`${subject}: amount`, moneyText(effect.amountMinor, exponent), moneyText(record.amountMinor, exponent));
    if (record.receiver !== undefined && effect.receiver !== undefined && met.receiver !== undefined && isOpened(met.receiver)) {
      if (isKnown) {
        this.#mismatches.compare(`${subject}: receiver's amount`, moneyText(effect.receiverAmountMinor, met.receiver.exponent), moneyText(record.receiver.amountMinor, met.receiver.exponent));
      }
      this.#comparePart(record.receiver, effect.receiver, met.receiver, `${subject}: receiver`);
    }
    if (record.hold === undefined || effect.hold === undefined) return;
    const { hold } = record;
    const of = `${subject}: hold ${effect.hold.holdId}`;
    this.#mismatches.compare(`${of}: status after`, effect.hold.status, hold.status);
    this.#mismatches.compare(`${of}: captured after`, moneyText(effect.hold.capturedMinor, exponent), moneyText(hold.capturedMinor, exponent));
    this.#mismatches.compare(`${of}: eligible time after`, timeText(effect.hold.eligibleTimeMs), timeText(hold.eligibleTimeMs));
  }

  #comparePart(part: WalletPart, expected: Wallet, met: Wallet, subject: string): void {
    const { after, previousSequence } = part;
    const { exponent } = met;
    const of = `${subject}: ${walletText(met)}`;
    this.#mismatches.compare(`${of}: available after`, moneyText(expected.availableMinor, exponent), moneyText(after.availableMinor, exponent));
    this.#mismatches.compare(`${of}: held after`, moneyText(expected.heldMinor, exponent), moneyText(after.heldMinor, exponent));
    this.#mismatches.compare(`${of}: state after`, expected.state, after.state);
    this.#mismatches.compare(`${of}: limit after`, moneyText(expected.balanceMaxMinor, exponent), moneyText(after.balanceMaxMinor, exponent));
    this.#mismatches.compare(`${of}: version after`, `${met.version + 1n}`, `${after.version}`);
    this.#mismatches.compare(`${of}: previous operation`, `${met.headSequence}`, `${previousSequence}`);
  }

  /** Takes what the record says as what is, but for what no record says. */
  #adopt(record: JournalRecord, met: Met, effect: ReplayedEffect): void {
    const hold = effect.hold && record.hold && { ...effect.hold, ...record.hold, holdId: effect.hold.holdId };
    const resolveTimeMs = hold?.status === "ACTIVE" ? undefined : (hold?.resolveTimeMs ?? record.timeMs);
    if (hold !== undefined) this.#state.putHold({ ...hold, resolveTimeMs });
    // A CAPTURE that names no hold was told above; it still captured.
    const { kind, amountMinor } = record;
    const counts = kind === "CAPTURE" && hold === undefined ? ([["captures", amountMinor]] as const) : countsOf({ kind, amountMinor, ...(hold && { hold }) });
    this.#change(met.wallet, effect.wallet, record, record, counts);
    if (record.receiver === undefined || met.receiver === undefined || record.receiver.walletId === record.walletId) return;
    this.#change(met.receiver, effect.receiver ?? met.receiver, record.receiver, record, countsOfReceiver(record.receiver.amountMinor));
  }

  #change(before: Wallet, effect: Wallet, { after }: WalletPart, { sequence, timeMs }: JournalRecord, counts: readonly Count[]): void {
    const wallet: Wallet = { ...effect, ...after, headSequence: sequence, updateTimeMs: timeMs, totals: withCounts(before.totals, counts) };
    this.#state.putWallet(wallet);
    if (!isOpened(wallet)) return;
    if (counts.length > 0) this.currencies.count(wallet, counts);
    this.currencies.move(wallet, totalMinor(wallet) - totalMinor(before));
  }
}

/** Whose a wallet is, and in what decimals it counts. */
type Owner = Pick<Wallet, "userId" | "exponent">;

/**
 * A hash over what both records of an operation in two partitions must say: all but their places, and what only the payer's says. Of the two wallets' owners each
 * partition knows its own, and has the other one from the record.
 */
function sharedContentHash(record: JournalRecord, { payer, receiver }: { readonly payer: Owner; readonly receiver: Owner }): Uint8Array {
  const shared = { ...record, partition: 0, sequence: 0n, hold: undefined, keyHash: undefined, apart: undefined };
  const owners = JSON.stringify([payer.userId, payer.exponent, receiver.userId, receiver.exponent]);
  return digest("sha256", Buffer.concat([canonicalContent(shared), Buffer.from(owners)]), "buffer");
}

/** The wallet that the record opens; one of nobody's, which `isOpened` tells from others, where it opens none. */
function openedBy({ walletId, opened: identity, timeMs }: Pick<JournalRecord, "walletId" | "opened" | "timeMs">): Wallet {
  const { userId, currency, exponent } = identity ?? { userId: "" as UserId, currency: "" as CurrencyCode, exponent: 0 };
  return opened({ walletId, userId, currency, exponent, createTimeMs: timeMs }, undefined);
}
