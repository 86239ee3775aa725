// What a command about one hold begins with: the caller's own hold, active, and the caller's precondition.

import type { CommandEnvelope } from "../command.ts";
import { rejected } from "../decision.ts";
import type { Hold } from "../hold.ts";
import type { LedgerState } from "../ledger-state.ts";
import type { Rejection } from "../rejection.ts";
import type { Wallet } from "../wallet.ts";
import { checkedVersion } from "./checked-version.ts";

/** The hold and its wallet. Rejections: HOLD_NOT_FOUND (also for another user's hold, so that ids tell nothing), VERSION_MISMATCH. */
export function ownHold(
  state: LedgerState,
  command: CommandEnvelope & { readonly holdId: bigint },
): { readonly hold: Hold; readonly wallet: Wallet } | { readonly rejection: Rejection } {
  const { userId, holdId } = command;
  const hold = state.hold(holdId);
  const wallet = hold && state.wallet(hold.walletId);
  if (hold === undefined || wallet?.userId !== userId) return rejected({ reason: "HOLD_NOT_FOUND", userId, holdId });
  const mismatch = checkedVersion(command, wallet.version);
  return mismatch === undefined ? { hold, wallet } : rejected(mismatch);
}

/** Why nothing more can be done with the hold: HOLD_NOT_ACTIVE. Undefined while it is active. */
export function notActive({ holdId, status }: Hold): Rejection | undefined {
  return status === "ACTIVE" ? undefined : { reason: "HOLD_NOT_ACTIVE", holdId, status };
}
