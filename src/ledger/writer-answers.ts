// Answers as words, for their way back from the writer thread. Those that are rare, or have many forms, go beside the words as they are.

import assert from "node:assert/strict";
import type { Answer, AppliedAnswer, AppliedItem, BatchAnswer, RejectedAnswer } from "../domain/answer.ts";
import type { HoldOrigin } from "../domain/hold.ts";
import type { JournalRecord, OperationContent, OperationKind, ReceiverPart, Side, WalletAfter } from "../domain/journal.ts";
import type { CurrencyCode, UserId, WalletIdentity, WalletName } from "../domain/wallet.ts";
import { integerWord, optionalIntegerWord, WordReader, type Word } from "./writer-words.ts";

/** A batch's answers as they cross: plain data, which `readAnswers` makes the same answers of. */
export interface AnswerWords {
  readonly words: string;
  /** The hashes of the records, behind each other. */
  readonly hashes: Uint8Array;
  /** What is not written as words, in its order. */
  readonly others: readonly Answer[];
}

/** SHA-256. */
const hashBytes = 32;

/** Stands for the next of the others. */
const other = "other";

/** The answers in their order. */
export function writeAnswers(answers: readonly Answer[]): AnswerWords {
  const words: Word[] = [];
  const hashes: Uint8Array[] = [];
  const others: Answer[] = [];
  for (const answer of answers) {
    if (answer.type === "applied") writeApplied(words, hashes, answer);
    else if (answer.type === "batch") writeBatch(words, others, answer);
    else writeOther(words, others, answer);
  }
  return { words: JSON.stringify(words), hashes: joined(hashes), others };
}

/** The answers that were written. Throws for what was not written by `writeAnswers`. */
export function readAnswers({ words, hashes, others }: AnswerWords): Answer[] {
  const reader = new WordReader(words);
  const answers: Answer[] = [];
  let hashAt = hashes.byteOffset;
  let otherAt = 0;
  const nextHash = (): Uint8Array => {
    const hash = new Uint8Array(hashes.buffer, hashAt, hashBytes);
    hashAt += hashBytes;
    return hash;
  };
  const nextOther = (): Answer => {
    const answer = others[otherAt++];
    assert(answer !== undefined, "as many others are there as words for them");
    return answer;
  };
  while (!reader.isAtEnd) {
    const type = reader.next() as "applied" | "batch" | typeof other;
    if (type === "applied") answers.push(readApplied(reader, nextHash()));
    else if (type === "batch") answers.push(readBatch(reader, nextOther));
    else answers.push(nextOther());
  }
  return answers;
}

function writeOther(words: Word[], others: Answer[], answer: Answer): void {
  words.push(other);
  others.push(answer);
}

function joined(hashes: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(hashes.length * hashBytes);
  for (const [index, hash] of hashes.entries()) {
    assert(hash.length === hashBytes, "a record's hash is one of SHA-256");
    bytes.set(hash, index * hashBytes);
  }
  return bytes;
}

function writeApplied(words: Word[], hashes: Uint8Array[], { record, wallet, receiver, hold, replayed }: AppliedAnswer): void {
  words.push("applied");
  writeRecord(words, record);
  hashes.push(record.hash);
  writeIdentity(words, wallet);
  if (receiver === undefined) words.push(null);
  else writeName(words, receiver);
  if (hold === undefined) words.push(null);
  else words.push(integerWord(hold.holdId), integerWord(hold.walletId), integerWord(hold.amountMinor), hold.createTimeMs);
  words.push(replayed);
}

/** Here and below: fields are read in the order in which they stand, which is the one in which they were written. */
function readApplied(reader: WordReader, hash: Uint8Array): AppliedAnswer {
  return {
    type: "applied",
    record: readRecord(reader, hash),
    wallet: readIdentity(reader),
    receiver: readReceiverName(reader),
    hold: readHoldOrigin(reader),
    replayed: reader.next() as boolean,
  };
}

function writeRecord(words: Word[], record: JournalRecord): void {
  words.push(record.kind, integerWord(record.walletId), integerWord(record.amountMinor));
  writeAfter(words, record.after);
  const { hold, opened, receiver, apart } = record;
  if (hold === undefined) words.push(null);
  else words.push(integerWord(hold.holdId), hold.status, integerWord(hold.capturedMinor), hold.eligibleTimeMs);
  if (opened === undefined) words.push(null);
  else words.push(opened.userId, opened.currency, opened.exponent);
  words.push(optionalIntegerWord(record.relatedOperationId));
  if (receiver === undefined) {
    words.push(null);
  } else {
    words.push(integerWord(receiver.walletId));
    writeAfter(words, receiver.after);
    words.push(integerWord(receiver.previousSequence), integerWord(receiver.amountMinor));
  }
  if (apart === undefined) words.push(null);
  else words.push(apart.side, apart.other.userId, apart.other.exponent);
  words.push(record.keyHash ?? null, record.reference, record.metadata, record.partition);
  words.push(integerWord(record.sequence), integerWord(record.operationId), integerWord(record.previousSequence), record.timeMs);
}

function readRecord(reader: WordReader, hash: Uint8Array): JournalRecord {
  return {
    kind: reader.next() as OperationKind,
    walletId: reader.integer(),
    amountMinor: reader.integer(),
    after: readAfter(reader),
    hold: readHold(reader),
    opened: readOpened(reader),
    relatedOperationId: reader.optionalInteger(),
    receiver: readReceiver(reader),
    apart: readApart(reader),
    keyHash: reader.optional() as string | undefined,
    reference: reader.next() as string,
    metadata: reader.next() as Record<string, string>,
    partition: reader.next() as number,
    sequence: reader.integer(),
    operationId: reader.integer(),
    previousSequence: reader.integer(),
    timeMs: reader.next() as number,
    hash,
  };
}

function writeAfter(words: Word[], { availableMinor, heldMinor, state, version, balanceMaxMinor }: WalletAfter): void {
  words.push(integerWord(availableMinor), integerWord(heldMinor), state, integerWord(version), optionalIntegerWord(balanceMaxMinor));
}

function readAfter(reader: WordReader): WalletAfter {
  return {
    availableMinor: reader.integer(),
    heldMinor: reader.integer(),
    state: reader.next() as WalletAfter["state"],
    version: reader.integer(),
    balanceMaxMinor: reader.optionalInteger(),
  };
}

type HoldAfter = NonNullable<OperationContent["hold"]>;

function readHold(reader: WordReader): HoldAfter | undefined {
  const holdId = reader.optionalInteger();
  if (holdId === undefined) return undefined;
  return { holdId, status: reader.next() as HoldAfter["status"], capturedMinor: reader.integer(), eligibleTimeMs: reader.next() as number };
}

function readOpened(reader: WordReader): OperationContent["opened"] {
  const userId = reader.optional() as UserId | undefined;
  return userId === undefined ? undefined : { userId, currency: reader.next() as CurrencyCode, exponent: reader.next() as number };
}

function readReceiver(reader: WordReader): ReceiverPart | undefined {
  const walletId = reader.optionalInteger();
  return walletId === undefined ? undefined : { walletId, after: readAfter(reader), previousSequence: reader.integer(), amountMinor: reader.integer() };
}

function writeName(words: Word[], { walletId, userId, currency, exponent }: WalletName): void {
  words.push(integerWord(walletId), userId, currency, exponent);
}

function readName(walletId: bigint, reader: WordReader): WalletName {
  return { walletId, userId: reader.next() as UserId, currency: reader.next() as CurrencyCode, exponent: reader.next() as number };
}

function writeIdentity(words: Word[], wallet: WalletIdentity): void {
  writeName(words, wallet);
  words.push(wallet.createTimeMs);
}

function readIdentity(reader: WordReader): WalletIdentity {
  return { ...readName(reader.integer(), reader), createTimeMs: reader.next() as number };
}

function readReceiverName(reader: WordReader): WalletName | undefined {
  const walletId = reader.optionalInteger();
  return walletId === undefined ? undefined : readName(walletId, reader);
}

function readApart(reader: WordReader): OperationContent["apart"] {
  const side = reader.optional() as Side | undefined;
  return side === undefined ? undefined : { side, other: { userId: reader.next() as UserId, exponent: reader.next() as number } };
}

function readHoldOrigin(reader: WordReader): HoldOrigin | undefined {
  const holdId = reader.optionalInteger();
  return holdId === undefined ? undefined : { holdId, walletId: reader.integer(), amountMinor: reader.integer(), createTimeMs: reader.next() as number };
}

function writeBatch(words: Word[], others: Answer[], { results }: BatchAnswer): void {
  words.push("batch", results.length);
  for (const result of results) {
    if (result.type === "rejected") {
      writeOther(words, others, result);
      continue;
    }
    const { operationId, exponent, after, holdId, replayed } = result;
    words.push(result.type, integerWord(operationId), exponent, integerWord(after.availableMinor), integerWord(after.heldMinor), optionalIntegerWord(holdId), replayed);
  }
}

function readBatch(reader: WordReader, nextOther: () => Answer): BatchAnswer {
  const results: (AppliedItem | RejectedAnswer)[] = [];
  for (let left = reader.next() as number; left > 0; left--) {
    if (reader.next() === other) results.push(nextOther() as RejectedAnswer);
    else results.push(readItem(reader));
  }
  return { type: "batch", results };
}

function readItem(reader: WordReader): AppliedItem {
  return {
    type: "applied",
    operationId: reader.integer(),
    exponent: reader.next() as number,
    after: { availableMinor: reader.integer(), heldMinor: reader.integer() },
    holdId: reader.optionalInteger(),
    replayed: reader.next() as boolean,
  };
}
