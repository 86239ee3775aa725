// What the model has: wallets, holds, operations and keys as plain data, so that all of it can be put back as it was.

import { createHash } from "node:crypto";
import type { HoldStatus } from "../../src/domain/hold.ts";
import type { OperationKind } from "../../src/domain/journal.ts";
import type { Rejection } from "../../src/domain/rejection.ts";

export interface NaiveRules {
  /** Decimals of the currencies that there are. */
  readonly exponents: Readonly<Record<string, number>>;
  readonly holdPeriodMs: number;
  readonly idempotencyRetentionMs: number;
}

/** What of a wallet never changes. */
interface SeenWallet {
  readonly walletId: bigint;
  readonly user: string;
  readonly currency: string;
  readonly exponent: number;
}

export interface NaiveWallet extends SeenWallet {
  readonly createTimeMs: number;
  balanceMax: bigint | undefined;
  state: "ACTIVE" | "FROZEN" | "CLOSED";
  available: bigint;
  held: bigint;
  version: bigint;
  /** Where in its partition's journal the last operation on it stands. */
  lastSequence: bigint;
  updateTimeMs: number;
}

export interface NaiveHold {
  readonly holdId: bigint;
  readonly wallet: NaiveWallet;
  readonly amount: bigint;
  readonly createTimeMs: number;
  captured: bigint;
  eligibleTimeMs: number;
  status: HoldStatus;
  resolveTimeMs: number | undefined;
}

/** An operation's part in one wallet, and what that is directly after it. */
export interface SeenPart {
  readonly previousSequence: bigint;
  readonly amount: bigint;
  readonly wallet: SeenWallet;
  readonly after: { readonly available: bigint; readonly held: bigint; readonly state: string; readonly version: bigint; readonly balanceMax: bigint | undefined };
}

/** An operation, its wallets and its hold directly after it, and what the request said. */
export interface SeenOperation extends SeenPart {
  readonly operationId: bigint;
  readonly kind: OperationKind;
  readonly timeMs: number;
  /** The other wallet, where the money went into one. */
  readonly receiver: SeenPart | undefined;
  readonly hold: Pick<NaiveHold, "holdId" | "amount" | "captured" | "status" | "createTimeMs" | "eligibleTimeMs"> | undefined;
  readonly related: bigint | undefined;
  readonly reference: string;
  readonly metadata: Readonly<Record<string, string>>;
}

export type Seen =
  | { readonly type: "applied"; readonly replayed: boolean; readonly operation: SeenOperation; readonly walletCreateTimeMs: number }
  | { readonly type: "rejected"; readonly replayed: boolean; readonly rejection: Rejection }
  | { readonly type: "released"; readonly count: number; readonly amounts: readonly (readonly [currency: string, amount: bigint])[]; readonly moreRemain: boolean };

export interface Remembered {
  readonly user: string;
  readonly key: string;
  readonly request: string;
  readonly timeMs: number;
  readonly answer: Exclude<Seen, { type: "released" }>;
}

/** Everything that there is. */
export interface State {
  wallets: NaiveWallet[];
  holds: NaiveHold[];
  operations: SeenOperation[];
  keys: Map<string, Remembered>;
  /** Of each partition: how long its journal is, and when it was last changed. */
  partitions: { length: bigint; lastChangeMs: number }[];
}

/** The partition of this user: the first four bytes of SHA-256 over the user id, as a number, modulo how many there are. */
export function partitionOf({ partitions }: Pick<State, "partitions">, user: string): number {
  return createHash("sha256").update(user, "utf8").digest().readUInt32BE(0) % partitions.length;
}

/** The id of the operation in this place of the user's partition. */
export function idAt(state: Pick<State, "partitions">, user: string, sequence: bigint): bigint {
  return BigInt(partitionOf(state, user)) * 2n ** 48n + sequence;
}

/** Thrown inside the model, so that every check is one line. */
export class No {
  readonly rejection: Rejection;
  constructor(rejection: Rejection) {
    this.rejection = rejection;
  }
}

export function no(rejection: Rejection): never {
  throw new No(rejection);
}
