// What the ledger answers to commands: facts, of which the edge makes responses.

import type { HoldOrigin } from "./hold.ts";
import type { JournalRecord } from "./journal.ts";
import type { MoneyFact, Rejection } from "./rejection.ts";
import type { WalletIdentity, WalletName } from "./wallet.ts";

/** An applied operation, from which the whole answer follows, the first time and every time it is replayed. */
export interface AppliedAnswer {
  readonly type: "applied";
  readonly record: JournalRecord;
  readonly wallet: WalletIdentity;
  readonly receiver: WalletName | undefined;
  readonly hold: HoldOrigin | undefined;
  readonly replayed: boolean;
}

/** A command that the ledger said no to. `replayed`: the no was remembered under its idempotency key. */
export interface RejectedAnswer {
  readonly type: "rejected";
  readonly rejection: Rejection;
  readonly replayed: boolean;
}

/** What a release gave back. */
export interface ReleasedAnswer {
  readonly type: "released";
  readonly count: number;
  /** One for each currency and exponent, in the order of the currencies. */
  readonly amounts: readonly MoneyFact[];
  readonly moreRemain: boolean;
}

/** An applied item of a batch: lean, since ten thousand of them travel together. */
export interface AppliedItem {
  readonly type: "applied";
  readonly operationId: bigint;
  readonly exponent: number;
  readonly after: { readonly availableMinor: bigint; readonly heldMinor: bigint };
  readonly holdId: bigint | undefined;
  readonly replayed: boolean;
}

/** What became of a batch. */
export interface BatchAnswer {
  readonly type: "batch";
  /** In the order of the items. */
  readonly results: readonly (AppliedItem | RejectedAnswer)[];
}

/** Nothing was decided: so many holds of the touched wallets were overdue that releasing some of them was all. The command is to be given again. */
export interface NotYetAnswer {
  readonly type: "notYet";
}

export type Answer = AppliedAnswer | RejectedAnswer | ReleasedAnswer | BatchAnswer | NotYetAnswer;
