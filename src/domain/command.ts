// What callers ask the ledger to do, parsed into types that cannot be wrong in form, and what of the ledger each of them touches.

import type { Decimal } from "./money.ts";
import type { CurrencyCode, UserId } from "./wallet.ts";

/** What every command about one wallet may carry. */
export interface CommandEnvelope {
  readonly userId: UserId;
  /** Scoped to the user. Undefined: every call is a new one. */
  readonly idempotencyKey: string | undefined;
  readonly reference: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly expectedVersion: bigint | undefined;
  readonly validateOnly: boolean;
}

export interface InitWallet extends CommandEnvelope {
  readonly type: "initWallet";
  readonly currency: CurrencyCode;
  readonly balanceMax: Decimal | undefined;
}

export interface AddMoney extends CommandEnvelope {
  readonly type: "addMoney";
  readonly currency: CurrencyCode | undefined;
  readonly amount: Decimal;
  readonly relatedOperationId: bigint | undefined;
}

export interface HoldMoney extends CommandEnvelope {
  readonly type: "holdMoney";
  readonly currency: CurrencyCode | undefined;
  readonly amount: Decimal;
  /** Undefined: the server's. */
  readonly holdPeriodMs: number | undefined;
}

export interface ReverseHold extends CommandEnvelope {
  readonly type: "reverseHold";
  readonly holdId: bigint;
}

/** Releases what is eligible; repeating it is harmless, so it has no key. */
export interface ReleaseHolds {
  readonly type: "releaseHolds";
  readonly userId: UserId | undefined;
  readonly currency: CurrencyCode | undefined;
  readonly validateOnly: boolean;
}

/** A command about one wallet, answered with one operation. */
export type WalletCommand = InitWallet | AddMoney | HoldMoney | ReverseHold;

export type Command = WalletCommand | ReleaseHolds;

/** At most this many holds are released by one command: a transaction of a thousand rows keeps everybody else's wait to some 10 ms. */
export const releaseHoldsMax = 1000;

/** The parts of the ledger that a batch of commands needs to see, in the callers' own terms. The store loads them. */
export interface Touched {
  /** Users' wallets: one where the currency is given, all of the user's where it is not. */
  readonly wallets: readonly { readonly userId: UserId; readonly currency: CurrencyCode | undefined }[];
  readonly holdIds: readonly bigint[];
  readonly operationIds: readonly bigint[];
  /** Hashes of idempotency keys; what the remembered ones point at is loaded too. */
  readonly keyHashes: readonly string[];
  /** Which eligible holds, if any: at most `max`, oldest eligibility first. */
  readonly eligibleHolds: { readonly userId: UserId | undefined; readonly currency: CurrencyCode | undefined; readonly max: number } | undefined;
}
