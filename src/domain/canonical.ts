// The canonical encoding of a journal record: the bytes that its hash covers, the same on every machine and in every version.
//
// A sequence of fields in ascending order of their number; a field that is absent is left out. Each is its number as one byte, then
//   an integer:  zigzag LEB128, as protobuf's sint64;
//   bytes, text: length as LEB128, then the bytes (text in UTF-8).
// Numbers: 1 partition, 2 sequence, 3 operation id, 4 kind, 5 wallet id, 6 amount, 7 available after, 8 held after, 9 state after
// (1 ACTIVE, 2 FROZEN, 3 CLOSED), 10 version, 11 balance_max after, 12 previous sequence, 13 time in ms; of the hold 14 id, 15 status
// (1 ACTIVE, 2 RELEASED, 3 REVERSED, 4 CAPTURED), 16 captured, 17 eligible time in ms; of an opening 18 user id, 19 currency, 20 exponent;
// 21 related operation id, 22 key hash, 23 reference where not empty, 24 metadata: key and value of each entry as text, in the order of
// the keys' UTF-16 units, one field an entry; of the receiving wallet 25 id, 26 amount, 27 available after, 28 held after, 29 state after,
// 30 version, 31 balance_max after, 32 previous sequence; where the wallets are in different partitions 33 side (1 the payer's, 2 the receiver's), 34 the other
// wallet's user id, 35 its exponent. Amounts are minor units. New fields take new numbers, so old hashes stay right.

import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { holdStatusNumbers } from "./hold.ts";
import { operationKindNumbers, sideNumbers, type JournalRecord } from "./journal.ts";
import { walletStateNumbers } from "./wallet.ts";

/** The seal of a record: SHA-256 over its predecessor's hash and its own canonical content. */
export function recordHash(previousHash: Uint8Array, record: Omit<JournalRecord, "hash">): Uint8Array {
  scratch.begin(previousHash);
  writeContent(scratch, record);
  // By way of a text: docs/decisions/0026.
  return Buffer.from(hash("sha256", scratch.bytesSoFar(), "binary"), "binary");
}

/** The bytes of a record that its hash covers. */
export function canonicalContent(record: Omit<JournalRecord, "hash">): Uint8Array {
  const writer = new FieldWriter();
  writeContent(writer, record);
  return writer.bytesSoFar();
}

function writeContent(writer: FieldWriter, record: Omit<JournalRecord, "hash">): void {
  writer.integer(1, record.partition);
  writer.integer(2, record.sequence);
  writer.integer(3, record.operationId);
  writer.integer(4, operationKindNumbers[record.kind]);
  writer.integer(5, record.walletId);
  writer.integer(6, record.amountMinor);
  writer.integer(7, record.after.availableMinor);
  writer.integer(8, record.after.heldMinor);
  writer.integer(9, walletStateNumbers[record.after.state]);
  writer.integer(10, record.after.version);
  if (record.after.balanceMaxMinor !== undefined) writer.integer(11, record.after.balanceMaxMinor);
  writer.integer(12, record.previousSequence);
  writer.integer(13, record.timeMs);
  if (record.hold !== undefined) {
    writer.integer(14, record.hold.holdId);
    writer.integer(15, holdStatusNumbers[record.hold.status]);
    writer.integer(16, record.hold.capturedMinor);
    writer.integer(17, record.hold.eligibleTimeMs);
  }
  if (record.opened !== undefined) {
    writer.text(18, record.opened.userId);
    writer.text(19, record.opened.currency);
    writer.integer(20, record.opened.exponent);
  }
  if (record.relatedOperationId !== undefined) writer.integer(21, record.relatedOperationId);
  if (record.keyHash !== undefined) writer.hex(22, record.keyHash);
  if (record.reference !== "") writer.text(23, record.reference);
  for (const key of Object.keys(record.metadata).toSorted()) writer.pair(24, key, record.metadata[key]!);
  if (record.receiver !== undefined) {
    const { walletId, amountMinor, after, previousSequence } = record.receiver;
    writer.integer(25, walletId);
    writer.integer(26, amountMinor);
    writer.integer(27, after.availableMinor);
    writer.integer(28, after.heldMinor);
    writer.integer(29, walletStateNumbers[after.state]);
    writer.integer(30, after.version);
    if (after.balanceMaxMinor !== undefined) writer.integer(31, after.balanceMaxMinor);
    writer.integer(32, previousSequence);
  }
  if (record.apart !== undefined) {
    writer.integer(33, sideNumbers[record.apart.side]);
    writer.text(34, record.apart.other.userId);
    writer.integer(35, record.apart.other.exponent);
  }
}

/** Longest encodings: a field number, a 64-bit integer's ten bytes. */
const integerMaxBytes = 11;

class FieldWriter {
  #buffer = Buffer.allocUnsafe(512);
  #length = 0;

  /** Starts over behind these bytes. */
  begin(bytes: Uint8Array): void {
    this.#length = 0;
    this.#reserve(bytes.length);
    this.#buffer.set(bytes);
    this.#length = bytes.length;
  }

  integer(field: number, value: bigint | number): void {
    this.#reserve(integerMaxBytes);
    this.#buffer[this.#length++] = field;
    if (typeof value === "number" || (value >= 0n && value < 0x3fff_ffff_ffffn)) this.#safeVarint(Number(value) * 2);
    else this.#bigVarint(BigInt.asUintN(64, (value << 1n) ^ (value >> 63n)));
  }

  /** The bytes that these digits are. */
  hex(field: number, digits: string): void {
    this.#reserve(1);
    this.#buffer[this.#length++] = field;
    this.#lengthDelimited(digits, "hex");
  }

  text(field: number, value: string): void {
    this.#reserve(1);
    this.#buffer[this.#length++] = field;
    this.#lengthDelimited(value, "utf8");
  }

  pair(field: number, key: string, value: string): void {
    this.text(field, key);
    this.#lengthDelimited(value, "utf8");
  }

  /** Valid until more is written. */
  bytesSoFar(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Written where it goes: a buffer of its own would cost more than all of this. */
  #lengthDelimited(value: string, encoding: "utf8" | "hex"): void {
    const length = Buffer.byteLength(value, encoding);
    this.#reserve(integerMaxBytes + length);
    this.#safeVarint(length);
    const written = this.#buffer.write(value, this.#length, length, encoding);
    assert(written === length, "a hash has hex digits");
    this.#length += written;
  }

  /** LEB128 of a non-negative safe integer; `% 128` rather than bit operations, which end at 32 bits. */
  #safeVarint(value: number): void {
    while (value >= 128) {
      this.#buffer[this.#length++] = (value % 128) | 128;
      value = Math.floor(value / 128);
    }
    this.#buffer[this.#length++] = value;
  }

  #bigVarint(value: bigint): void {
    while (value >= 128n) {
      this.#buffer[this.#length++] = Number(value & 127n) | 128;
      value >>= 7n;
    }
    this.#buffer[this.#length++] = Number(value);
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(2 * (this.#length + bytes));
    larger.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = larger;
  }
}

/** For what is hashed at once and then forgotten: every operation is. */
const scratch = new FieldWriter();
