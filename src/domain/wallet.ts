// A wallet: one user's money in one currency, and the ways in which its two balances may change.

import { minorMax } from "./money.ts";
import type { MoneyFact } from "./rejection.ts";
import { noTotals, type Totals } from "./totals.ts";

/** 1 to 128 characters out of letters, digits and `._:@+-`; checked where requests are parsed. */
export type UserId = string & { readonly __brand: "UserId" };

/** An ISO 4217 code or a configured asset's name, in the form that either has; whether it is known is decided with the wallet. */
export type CurrencyCode = string & { readonly __brand: "CurrencyCode" };

/** States of a wallet with their stored numbers, which are those of the proto's WalletState and never change. */
export const walletStateNumbers = { ACTIVE: 1, FROZEN: 2, CLOSED: 3 } as const;
export type WalletState = keyof typeof walletStateNumbers;

/** Which wallet it is, and how its amounts are written. */
export interface WalletName {
  /** The id of the operation that opened it. */
  readonly walletId: bigint;
  readonly userId: UserId;
  readonly currency: CurrencyCode;
  /** The currency's decimals when the wallet was opened; kept whatever the configuration says later. */
  readonly exponent: number;
}

/** What never changes about a wallet. */
export interface WalletIdentity extends WalletName {
  /** On the ledger's clock, milliseconds since 1970. */
  readonly createTimeMs: number;
}

export interface Wallet extends WalletIdentity {
  readonly availableMinor: bigint;
  readonly heldMinor: bigint;
  readonly state: WalletState;
  /** How many operations have been applied to it, its opening included. */
  readonly version: bigint;
  /** The most that its total may reach through money coming in. */
  readonly balanceMaxMinor: bigint | undefined;
  /** The last operation on it: its place in the journal, where its linked history begins. */
  readonly headSequence: bigint;
  /** The newest hold placed on it, where its linked list of holds begins; 0 where there was none. */
  readonly lastHoldId: bigint;
  readonly updateTimeMs: number;
  readonly totals: Totals;
}

/** The wallet as it is when it is opened: active and empty. Its version and links come with its place in the journal. */
export function opened(identity: WalletIdentity, balanceMaxMinor: bigint | undefined): Wallet {
  return {
    ...identity,
    availableMinor: 0n,
    heldMinor: 0n,
    state: "ACTIVE",
    version: 0n,
    balanceMaxMinor,
    headSequence: 0n,
    lastHoldId: 0n,
    updateTimeMs: identity.createTimeMs,
    totals: noTotals,
  };
}

/** available + held. */
export function totalMinor(wallet: Wallet): bigint {
  return wallet.availableMinor + wallet.heldMinor;
}

/** The most that the wallet's total may be after money has come in. */
export function totalMaxMinor(wallet: Wallet): bigint {
  return wallet.balanceMaxMinor ?? minorMax;
}

/** Whether this much more would take the total above the wallet's limit or out of 64 bits. */
export function isOverLimit(wallet: Wallet, incomingMinor: bigint): boolean {
  return totalMinor(wallet) + incomingMinor > totalMaxMinor(wallet);
}

/** The wallet with money that came in. */
export function credited(wallet: Wallet, amountMinor: bigint): Wallet {
  return { ...wallet, availableMinor: wallet.availableMinor + amountMinor };
}

/** The wallet with available money gone. */
export function debited(wallet: Wallet, amountMinor: bigint): Wallet {
  return { ...wallet, availableMinor: wallet.availableMinor - amountMinor };
}

/** The wallet with held money gone. */
export function spent(wallet: Wallet, amountMinor: bigint): Wallet {
  return { ...wallet, heldMinor: wallet.heldMinor - amountMinor };
}

/** The wallet with available money set aside; a negative amount gives it back. */
export function reserved(wallet: Wallet, amountMinor: bigint): Wallet {
  return { ...wallet, availableMinor: wallet.availableMinor - amountMinor, heldMinor: wallet.heldMinor + amountMinor };
}

/** An amount of the wallet's currency, ready to be printed. */
export function fact(wallet: WalletIdentity, minor: bigint): MoneyFact {
  return { currency: wallet.currency, exponent: wallet.exponent, minor };
}
