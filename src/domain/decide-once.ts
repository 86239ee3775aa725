// Decides one command, or answers as the first time where its idempotency key is known: the key is looked up before any state is, in the same breath.

import type { AppliedAnswer, RejectedAnswer } from "./answer.ts";
import type { WalletCommand } from "./command.ts";
import { decide } from "./decide.ts";
import { requestIdentity, type RememberedKey } from "./idempotency.ts";
import type { JournalRecord } from "./journal.ts";
import type { LedgerState } from "./ledger-state.ts";
import { isRemembered } from "./rejection.ts";
import type { LedgerRules } from "./rules.ts";
import type { UserId, Wallet, WalletIdentity, WalletName } from "./wallet.ts";

/** Answers the command, and makes its effect and its key part of the state. */
export function decideOnce(state: LedgerState, command: WalletCommand, rules: LedgerRules): AppliedAnswer | RejectedAnswer {
  if (command.idempotencyKey === undefined) return decideNow(state, command, rules, undefined);
  const { keyHash: hash, fingerprint: print } = requestIdentity(command, command.idempotencyKey);
  const known = rememberedKey(state, hash, rules);
  if (known !== undefined) {
    if (known.fingerprint === print) return replay(state, command.userId, known);
    return { type: "rejected", rejection: { reason: "IDEMPOTENCY_KEY_REUSED", idempotencyKey: command.idempotencyKey }, replayed: false };
  }
  const first = decideNow(state, command, rules, hash);
  const isKept = !command.validateOnly && (first.type === "applied" || isRemembered[first.rejection.reason]);
  if (isKept) {
    const outcome = first.type === "applied" ? { sequence: first.record.sequence } : { rejection: first.rejection };
    state.remember(command.userId, { keyHash: hash, fingerprint: print, timeMs: state.nowMs, outcome });
  }
  return first;
}

/** What is remembered under a key, unless its retention is over. */
export function rememberedKey(state: LedgerState, hash: string, { idempotencyRetentionMs }: LedgerRules): RememberedKey | undefined {
  const known = state.key(hash);
  return known !== undefined && known.timeMs > state.nowMs - idempotencyRetentionMs ? known : undefined;
}

function decideNow(state: LedgerState, command: WalletCommand, rules: LedgerRules, hash: string | undefined): AppliedAnswer | RejectedAnswer {
  const decision = decide(state, command, rules);
  if ("rejection" in decision) return { type: "rejected", rejection: decision.rejection, replayed: false };
  const { effect } = decision;
  const draft = state.drafted(effect, { keyHash: hash, reference: command.reference, metadata: command.metadata });
  if (!command.validateOnly) state.apply(effect, draft);
  return applied({ record: draft.record, wallet: effect.wallet, receiver: effect.receiver?.wallet, hold: effect.hold, replayed: false });
}

function replay(state: LedgerState, userId: UserId, known: RememberedKey): AppliedAnswer | RejectedAnswer {
  if ("rejection" in known.outcome) return { type: "rejected", rejection: known.outcome.rejection, replayed: true };
  const record = state.record(userId, known.outcome.sequence);
  const wallet = state.wallet(record.walletId);
  return applied({ record, wallet, receiver: receiverOf(state, record, wallet), hold: record.hold && state.hold(record.hold.holdId), replayed: true });
}

/** Who received. A wallet in another partition is told by the record: nothing of that partition is looked at for a replay. */
function receiverOf(state: LedgerState, { receiver, apart }: JournalRecord, payer: Wallet): WalletName | undefined {
  if (receiver === undefined) return undefined;
  return apart === undefined ? state.wallet(receiver.walletId) : { walletId: receiver.walletId, currency: payer.currency, ...apart.other };
}

/** Keeps of wallets and hold only what never changes: the rest of the answer is the record's, so that a replay cannot differ. */
function applied({ record, wallet, receiver, hold, replayed }: Omit<AppliedAnswer, "type">): AppliedAnswer {
  return {
    type: "applied",
    record,
    wallet: identityOf(wallet),
    receiver: receiver && nameOf(receiver),
    hold: hold && { holdId: hold.holdId, walletId: hold.walletId, amountMinor: hold.amountMinor, createTimeMs: hold.createTimeMs },
    replayed,
  };
}

function nameOf({ walletId, userId, currency, exponent }: WalletName): WalletName {
  return { walletId, userId, currency, exponent };
}

function identityOf({ walletId, userId, currency, exponent, createTimeMs }: WalletIdentity): WalletIdentity {
  return { walletId, userId, currency, exponent, createTimeMs };
}
