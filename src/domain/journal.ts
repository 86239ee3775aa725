// The journal: what was done, in order, each record sealed by a hash over its content and its predecessor's hash.

import assert from "node:assert/strict";
import type { HoldStatus } from "./hold.ts";
import type { CurrencyCode, UserId, WalletState } from "./wallet.ts";

/** Which part of an operation a record is about, with its stored numbers, which never change. */
export const sideNumbers = { PAYER: 1, RECEIVER: 2 } as const;
export type Side = keyof typeof sideNumbers;

/** Kinds of operations with their stored numbers, which are those of the proto's OperationKind and never change. */
export const operationKindNumbers = {
  INIT: 1,
  ADD: 2,
  HOLD: 3,
  RELEASE: 4,
  REVERSE: 5,
  CAPTURE: 6,
  WITHDRAW: 7,
  TRANSFER: 8,
  EXTEND: 9,
  FREEZE: 10,
  UNFREEZE: 11,
  CLOSE: 12,
  SET_LIMITS: 13,
} as const;
export type OperationKind = keyof typeof operationKindNumbers;

/** What a wallet is directly after an operation. */
export interface WalletAfter {
  readonly availableMinor: bigint;
  readonly heldMinor: bigint;
  readonly state: WalletState;
  readonly version: bigint;
  readonly balanceMaxMinor: bigint | undefined;
}

/** The same of a wallet before its first operation, as far as it is told. */
export const beforeOpening: Pick<WalletAfter, "availableMinor" | "heldMinor" | "version"> = { availableMinor: 0n, heldMinor: 0n, version: 0n };

/** The part of an operation that happens to one wallet. */
export interface WalletPart {
  readonly walletId: bigint;
  readonly after: WalletAfter;
  /** The previous operation on this wallet; 0 for its first. A wallet's history is this chain. */
  readonly previousSequence: bigint;
}

/** The wallet that receives what an operation takes from another. */
export interface ReceiverPart extends WalletPart {
  /** What comes in, in the receiver's own minor units. */
  readonly amountMinor: bigint;
}

/** An operation before it has its place and seal. */
export interface OperationContent {
  readonly kind: OperationKind;
  readonly walletId: bigint;
  readonly amountMinor: bigint;
  /** The wallet directly after the operation. */
  readonly after: WalletAfter;
  /** The hold directly after the operation, where it placed or changed one. */
  readonly hold:
    | {
        readonly holdId: bigint;
        readonly status: HoldStatus;
        readonly capturedMinor: bigint;
        readonly eligibleTimeMs: number;
      }
    | undefined;
  /** Whose wallet this opens, in what. Only where kind is INIT. */
  readonly opened: { readonly userId: UserId; readonly currency: CurrencyCode; readonly exponent: number } | undefined;
  readonly relatedOperationId: bigint | undefined;
  /** The other wallet, of a transfer or of a capture into a wallet. */
  readonly receiver: ReceiverPart | undefined;
  /**
   * Where the two wallets are in different partitions, each of the two journals has a record of the operation: whose this one is, and to whom the other wallet belongs. The
   * payer's record is the operation, and its place is the operation's id; the receiver's names it, and says nothing of hold and key. Undefined: every wallet is in this partition.
   */
  readonly apart: { readonly side: Side; readonly other: { readonly userId: UserId; readonly exponent: number } } | undefined;
  /** Hash of the idempotency key that the request carried. */
  readonly keyHash: string | undefined;
  readonly reference: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** An operation in its place. Never changed, never removed. */
export interface JournalRecord extends OperationContent {
  readonly partition: number;
  /** Place in the partition's journal, from 1 without gaps. */
  readonly sequence: bigint;
  /** `partition << 48 | sequence` at birth; never changes. */
  readonly operationId: bigint;
  /** The previous operation on the same wallet; 0 for its first. A wallet's history is this chain. */
  readonly previousSequence: bigint;
  /** On the ledger's clock, milliseconds since 1970. */
  readonly timeMs: number;
  /** SHA-256 over the predecessor's hash and the canonical content: 32 bytes. */
  readonly hash: Uint8Array;
}

/** What the operation did to the wallets of the record's own partition. */
export function partsHere(record: JournalRecord): readonly WalletPart[] {
  if (record.receiver === undefined || record.apart?.side === "PAYER") return [record];
  return record.apart === undefined ? [record, record.receiver] : [record.receiver];
}

/** What the operation did to this wallet, which must be one of its own. */
export function partOf(record: JournalRecord, walletId: bigint): WalletPart {
  if (record.walletId === walletId) return record;
  assert(record.receiver?.walletId === walletId, "an operation is asked about its own wallets");
  return record.receiver;
}

/** A place in a partition's journal: directly after a record. */
export interface JournalPlace {
  readonly partition: number;
  /** The record's sequence; 0 before the first one. */
  readonly sequence: bigint;
  /** The record's hash; 32 zero bytes before the first one. */
  readonly hash: Uint8Array;
}

/** The end of a partition's journal. */
export interface JournalHead extends JournalPlace {
  /** The ledger's clock at the last change: it never goes behind this. */
  readonly timeMs: number;
}

/** What the first record of a partition is chained to, as if it were the hash of a record before it. */
export const genesisHash: Uint8Array = new Uint8Array(32);

/** Before the first record of a partition. */
export function journalStart(partition: number): JournalPlace {
  return { partition, sequence: 0n, hash: genesisHash };
}

/** Directly after this record. */
export function placeAfter({ partition, sequence, hash }: JournalPlace): JournalPlace {
  return { partition, sequence, hash };
}

/** Bits of an id that hold the sequence; the partition is above them. */
const sequenceBits = 48n;

/** The highest sequence that an id has room for. */
export const sequenceMax = (1n << sequenceBits) - 1n;

/** The id of the operation born at this place. */
export function operationIdAt(partition: number, sequence: bigint): bigint {
  return (BigInt(partition) << sequenceBits) | sequence;
}

/** Where the operation with this id was born. */
export function birthplaceOf(operationId: bigint): { partition: number; sequence: bigint } {
  return { partition: Number(operationId >> sequenceBits), sequence: operationId & sequenceMax };
}
