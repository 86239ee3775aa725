// What a copy that spreads a ledger anew has to know of what it has read: in bounded memory, whatever its size.

import type { UserId } from "../../../domain/wallet.ts";

/** A wallet, as far as its records have been spread. */
export interface SpreadWallet {
  readonly userId: UserId;
  readonly exponent: number;
  /** Of the new ledger. */
  readonly partition: number;
  /** Its last record there; 0 before the first. */
  readonly lastSequence: bigint;
}

/** A place in a journal. */
export interface SpreadPlace {
  readonly partition: number;
  readonly sequence: bigint;
}

export interface CopyScratch {
  wallet(walletId: bigint): SpreadWallet | undefined;
  putWallet(walletId: bigint, wallet: SpreadWallet): void;
  /** Where a keyed operation has gone. */
  place(old: SpreadPlace): SpreadPlace | undefined;
  putPlace(old: SpreadPlace, place: SpreadPlace): void;
  close(): void;
}
