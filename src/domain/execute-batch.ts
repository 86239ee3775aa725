// Several commands in one call: in order, each seeing those before it; and, where the caller wants it so, all of them or none.

import type { AppliedAnswer, AppliedItem, BatchAnswer, RejectedAnswer } from "./answer.ts";
import type { ExecuteBatch } from "./command.ts";
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
  // The same batch again: its first item with a key already knows how it ended.
  if (cause.reason === "BATCH_ABORTED" && cause.batch === batch) return answer;
  const rejection: Rejection = { reason: "BATCH_ABORTED", batch, index, cause };
  for (const item of items) {
    if (item.idempotencyKey === undefined) continue;
    const hash = keyHash(item.userId, item.idempotencyKey);
    if (rememberedKey(state, hash, rules) !== undefined) continue;
    state.remember({ keyHash: hash, fingerprint: fingerprint(item), timeMs: state.nowMs, outcome: { rejection } });
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
