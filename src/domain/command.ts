// What callers ask the ledger to do, parsed into types that cannot be wrong in form, and what of the ledger each of them touches.

import type { Decimal } from "./money.ts";
import type { CurrencyCode, UserId } from "./wallet.ts";

/** By what a request that carries a key is recognised. */
export interface RequestIdentity {
  /** Hash of user and key, 32 hex digits. */
  readonly keyHash: string;
  /** Hash of the request, 32 hex digits. */
  readonly fingerprint: string;
}

/** What every command about one wallet may carry. */
export interface CommandEnvelope {
  readonly userId: UserId;
  /** Scoped to the user. Undefined: every call is a new one. */
  readonly idempotencyKey: string | undefined;
  /** Of exactly this command, where it has a key and that was worked out before it came here; undefined: it is worked out when it is needed. Whoever changes a field drops it. */
  readonly identity?: RequestIdentity | undefined;
  readonly reference: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly expectedVersion: bigint | undefined;
  readonly validateOnly: boolean;
}

/** Opens an empty wallet. */
export interface InitWallet extends CommandEnvelope {
  readonly type: "initWallet";
  readonly currency: CurrencyCode;
  readonly balanceMax: Decimal | undefined;
}

/** Adds money from outside the ledger. */
export interface AddMoney extends CommandEnvelope {
  readonly type: "addMoney";
  readonly currency: CurrencyCode | undefined;
  readonly amount: Decimal;
  readonly relatedOperationId: bigint | undefined;
}

/** Sets available money aside. */
export interface HoldMoney extends CommandEnvelope {
  readonly type: "holdMoney";
  readonly currency: CurrencyCode | undefined;
  readonly amount: Decimal;
  /** Undefined: the server's. */
  readonly holdPeriodMs: number | undefined;
}

/** Cancels an active hold. */
export interface ReverseHold extends CommandEnvelope {
  readonly type: "reverseHold";
  readonly holdId: bigint;
}

/** Spends a hold or a part of it. */
export interface CaptureHold extends CommandEnvelope {
  readonly type: "captureHold";
  readonly holdId: bigint;
  readonly amount: Decimal;
  /** Whose wallet in the hold's currency receives the money. Undefined: it leaves the ledger. */
  readonly toUserId: UserId | undefined;
  /** What then remains goes back to available, and the hold ends. */
  readonly isFinal: boolean;
}

/** Lengthens an active hold's period. */
export interface ExtendHold extends CommandEnvelope {
  readonly type: "extendHold";
  readonly holdId: bigint;
  /** Counted from the hold's creation. */
  readonly holdPeriodMs: number;
}

/** Takes available money out of the ledger. */
export interface WithdrawMoney extends CommandEnvelope {
  readonly type: "withdrawMoney";
  readonly currency: CurrencyCode | undefined;
  readonly amount: Decimal;
}

/** Moves available money to another user's wallet in the same currency. The user of the envelope pays. */
export interface TransferMoney extends CommandEnvelope {
  readonly type: "transferMoney";
  readonly currency: CurrencyCode | undefined;
  readonly amount: Decimal;
  readonly toUserId: UserId;
}

/** Freezes, unfreezes or closes a wallet. */
export interface ChangeWalletState extends CommandEnvelope {
  readonly type: "freezeWallet" | "unfreezeWallet" | "closeWallet";
  readonly currency: CurrencyCode | undefined;
}

/** Changes the most that a wallet may contain. */
export interface SetWalletLimits extends CommandEnvelope {
  readonly type: "setWalletLimits";
  readonly currency: CurrencyCode | undefined;
  /** Undefined: no limit. */
  readonly balanceMax: Decimal | undefined;
}

/** Releases what is eligible; repeating it is harmless, so it has no key. */
export interface ReleaseHolds {
  readonly type: "releaseHolds";
  readonly userId: UserId | undefined;
  readonly currency: CurrencyCode | undefined;
  readonly validateOnly: boolean;
}

/** A command at one user's wish, answered with one operation. */
export type WalletCommand =
  | InitWallet
  | AddMoney
  | HoldMoney
  | ReverseHold
  | CaptureHold
  | ExtendHold
  | WithdrawMoney
  | TransferMoney
  | ChangeWalletState
  | SetWalletLimits;

/** Several commands in one call and one transaction, decided in order. */
export interface ExecuteBatch {
  readonly type: "executeBatch";
  readonly items: readonly WalletCommand[];
  /** One rejection undoes all. */
  readonly atomic: boolean;
}

export type Command = WalletCommand | ReleaseHolds | ExecuteBatch;

/** At most this many holds are released in one transaction: a thousand rows keep everybody else's wait to some 10 ms. */
export const releaseHoldsMax = 1000;

/** What a batch of commands needs to see of one partition, in the callers' own terms. The store loads it. */
export interface Touched {
  readonly partition: number;
  /** Users' wallets: one where the currency is given, all of the user's where it is not. */
  readonly wallets: readonly { readonly userId: UserId; readonly currency: CurrencyCode | undefined }[];
  readonly holdIds: readonly bigint[];
  /** Operations of any partition, of which only whether they exist is asked: what exists once is never taken back. */
  readonly operationIds: readonly bigint[];
  /** Hashes of idempotency keys; what the remembered ones point at is loaded too. */
  readonly keyHashes: readonly string[];
  /** Which eligible holds, if any: at most `max`, oldest eligibility first. */
  readonly eligibleHolds: (HoldFilter & { readonly max: number }) | { readonly of: "touched wallets"; readonly max: number } | undefined;
}

/** Holds of a user, of a currency, of both, or all. */
export interface HoldFilter {
  readonly userId: UserId | undefined;
  readonly currency: CurrencyCode | undefined;
}
