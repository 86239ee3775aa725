// Several commands in one call: in order, each seeing those before it; and, where the caller wants it so, all of them or none.

import type { AppliedAnswer, AppliedItem, BatchAnswer, RejectedAnswer } from "./answer.ts";
import type { ExecuteBatch, WalletCommand } from "./command.ts";
import { decideOnce, rememberedKey } from "./decide-once.ts";
import { batchFingerprint, fingerprint, keyHash } from "./idempotency.ts";
import type { LedgerState } from "./ledger-state.ts";
import type { Rejection } from "./rejection.ts";
import type { LedgerRules } from "./rules.ts";

/** The answer, and the state to go on from: of an aborted batch the one from before it, with nothing added but what its keys are to remember. */
export function executeBatch(
  state: LedgerState,
  command: ExecuteBatch,
  rules: LedgerRules,
): { readonly state: LedgerState; readonly answer: BatchAnswer | RejectedAnswer } {
  if (!command.atomic) {
    return { state, answer: { type: "batch", results: command.items.map((item) => lean(decideOnce(state, item, rules))) } };
  }
  const attempt = state.copy();
  const results: AppliedItem[] = [];
  for (const [index, item] of command.items.entries()) {
    const answer = decideOnce(attempt, item, rules);
    if (answer.type === "rejected") return { state, answer: aborted(state, command, { index, answer }, rules) };
    results.push(leanItem(answer));
  }
  return { state: attempt, answer: { type: "batch", results } };
}

/** BATCH_ABORTED, remembered under the key of every item that has one; keys that were known before the batch keep what they know. */
function aborted(
  state: LedgerState,
  { items }: ExecuteBatch,
  { index, answer }: { readonly index: number; readonly answer: RejectedAnswer },
  rules: LedgerRules,
): RejectedAnswer {
  const batch = batchFingerprint(items);
  const cause = answer.rejection;
  // The same batch again: its first item with a key already knows how it ended, and the one that was rejected knows most.
  if (isAbortOf(batch, cause)) return { ...answer, rejection: rememberedAbort(state, items[cause.index], batch, rules) ?? cause };
  const rejection: Rejection = { reason: "BATCH_ABORTED", batch, index, causeReason: cause.reason, cause };
  for (const item of items) {
    if (item.idempotencyKey === undefined) continue;
    const hash = keyHash(item.userId, item.idempotencyKey);
    if (rememberedKey(state, hash, rules) !== undefined) continue;
    // What was wrong with one user's item is not for another's eyes.
    const outcome = { rejection: item.userId === items[index]!.userId ? rejection : { ...rejection, cause: undefined } };
    state.remember({ keyHash: hash, fingerprint: fingerprint(item), timeMs: state.nowMs, outcome });
  }
  return { type: "rejected", rejection, replayed: false };
}

type Abort = Extract<Rejection, { reason: "BATCH_ABORTED" }>;

function isAbortOf(batch: string, rejection: Rejection): rejection is Abort {
  return rejection.reason === "BATCH_ABORTED" && rejection.batch === batch;
}

/** How this batch ended, as this item's key remembers it. */
function rememberedAbort(state: LedgerState, item: WalletCommand | undefined, batch: string, rules: LedgerRules): Abort | undefined {
  if (item?.idempotencyKey === undefined) return undefined;
  const outcome = rememberedKey(state, keyHash(item.userId, item.idempotencyKey), rules)?.outcome;
  return outcome !== undefined && "rejection" in outcome && isAbortOf(batch, outcome.rejection) ? outcome.rejection : undefined;
}

function lean(answer: AppliedAnswer | RejectedAnswer): AppliedItem | RejectedAnswer {
  return answer.type === "applied" ? leanItem(answer) : answer;
}

function leanItem({ record, wallet, replayed }: AppliedAnswer): AppliedItem {
  const { availableMinor, heldMinor } = record.after;
  return { type: "applied", operationId: record.operationId, exponent: wallet.exponent, after: { availableMinor, heldMinor }, holdId: record.hold?.holdId, replayed };
}
