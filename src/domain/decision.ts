// What deciding a command yields: a rejection, or an effect that has yet to take its place in the journal.

import type { Hold } from "./hold.ts";
import type { OperationContent } from "./journal.ts";
import type { Rejection } from "./rejection.ts";
import type { Wallet } from "./wallet.ts";

/** The change that an operation makes: the wallet and hold as they will be, without the version and links that their place gives them. */
export interface Effect {
  readonly kind: OperationContent["kind"];
  readonly wallet: Wallet;
  readonly hold?: Hold;
  readonly amountMinor: bigint;
  /** The wallet that receives, as it will be, and what comes in, in its own minor units. */
  readonly receiver?: { readonly wallet: Wallet; readonly amountMinor: bigint } | undefined;
  readonly relatedOperationId?: bigint | undefined;
}

export type Decision = { readonly effect: Effect } | { readonly rejection: Rejection };

/** Says no. A value, not a throw: it is as good an answer as a yes. */
export function rejected(rejection: Rejection): { readonly rejection: Rejection } {
  return { rejection };
}
