// Several commands in one call: in order, each seeing those before it; and, where the caller wants it so, all of them or none.

import type { AppliedAnswer, AppliedItem, BatchAnswer, RejectedAnswer } from "./answer.ts";
import type { ExecuteBatch } from "./command.ts";
import { decideOnce, rememberedKey } from "./decide-once.ts";
import { batchFingerprint, keyHashOf, requestIdentity } from "./idempotency.ts";
import type { LedgerState } from "./ledger-state.ts";
import type { Rejection } from "./rejection.ts";
import type { LedgerRules } from "./rules.ts";

type Abort = Extract<Rejection, { reason: "BATCH_ABORTED" }>;

/** Each item's outcome in the items' order; of an atomic batch, where one is rejected, BATCH_ABORTED and nothing done. */
export function executeBatch(state: LedgerState, command: ExecuteBatch, rules: LedgerRules): BatchAnswer | RejectedAnswer {
  const { items, atomic } = command;
  return atomic ? executeAtomically(state, command, rules) : { type: "batch", results: items.map((item) => lean(decideOnce(state, item, rules))) };
}

function executeAtomically(state: LedgerState, command: ExecuteBatch, rules: LedgerRules): BatchAnswer | RejectedAnswer {
  const before = rememberedAbort(state, command, rules);
  if (before !== undefined) return { type: "rejected", rejection: before, replayed: true };
  const results: AppliedItem[] = [];
  let abort: { readonly index: number; readonly cause: Rejection } | undefined;
  state.attempt(() => {
    for (const [index, item] of command.items.entries()) {
      const answer = decideOnce(state, item, rules);
      if (answer.type === "applied") results.push(leanItem(answer));
      else {
        abort = { index, cause: answer.rejection };
        return false;
      }
    }
    return true;
  });
  return abort === undefined ? { type: "batch", results } : aborted(state, command, abort, rules);
}

/** How this very batch ended before, where a key of its items knows: in the words of the one that was rejected, which knows most. */
function rememberedAbort(state: LedgerState, { items }: ExecuteBatch, rules: LedgerRules): Abort | undefined {
  let batch: string | undefined;
  let found: Abort | undefined;
  for (const item of items) {
    const outcome = item.idempotencyKey === undefined ? undefined : rememberedKey(state, keyHashOf(item, item.idempotencyKey), rules)?.outcome;
    if (outcome === undefined || !("rejection" in outcome) || outcome.rejection.reason !== "BATCH_ABORTED") continue;
    batch ??= batchFingerprint(items);
    if (outcome.rejection.batch !== batch) continue;
    found = outcome.rejection;
    if (found.cause !== undefined) return found;
  }
  return found;
}

/** BATCH_ABORTED, remembered under the key of every item that has one; keys that were known before the batch keep what they know. */
function aborted(state: LedgerState, { items }: ExecuteBatch, { index, cause }: { readonly index: number; readonly cause: Rejection }, rules: LedgerRules): RejectedAnswer {
  // An item may have been aborted with another batch before: what counts is what was wrong then.
  const root = cause.reason === "BATCH_ABORTED" ? cause : { causeReason: cause.reason, cause };
  const rejection: Abort = { reason: "BATCH_ABORTED", batch: batchFingerprint(items), index, causeReason: root.causeReason, cause: root.cause };
  const withoutFacts: Abort = { ...rejection, cause: undefined };
  for (const item of items) {
    if (item.idempotencyKey === undefined) continue;
    const identity = requestIdentity(item, item.idempotencyKey);
    if (rememberedKey(state, identity.keyHash, rules) !== undefined) continue;
    // What was wrong with one user's item is not for another's eyes.
    const outcome = { rejection: item.userId === items[index]!.userId ? rejection : withoutFacts };
    state.remember(item.userId, { ...identity, timeMs: state.nowMs, outcome });
  }
  return { type: "rejected", rejection, replayed: false };
}

function lean(answer: AppliedAnswer | RejectedAnswer): AppliedItem | RejectedAnswer {
  return answer.type === "applied" ? leanItem(answer) : answer;
}

function leanItem({ record, wallet, replayed }: AppliedAnswer): AppliedItem {
  const { availableMinor, heldMinor } = record.after;
  return { type: "applied", operationId: record.operationId, exponent: wallet.exponent, after: { availableMinor, heldMinor }, holdId: record.hold?.holdId, replayed };
}
