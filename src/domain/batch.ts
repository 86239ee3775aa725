// Decides a batch: each command in order, seeing what those before it did; idempotency keys are looked up first, in the same breath.

import assert from "node:assert/strict";
import { releaseHoldsMax, type Command, type ReleaseHolds, type Touched, type WalletCommand } from "./command.ts";
import { decide } from "./decide.ts";
import { releaseOf } from "./decide/release-holds.ts";
import type { HoldOrigin } from "./hold.ts";
import { fingerprint, keyHash, type RememberedKey } from "./idempotency.ts";
import type { JournalRecord } from "./journal.ts";
import { LedgerState, type Changes, type LoadedState } from "./ledger-state.ts";
import { isRemembered, type MoneyFact, type Rejection } from "./rejection.ts";
import type { LedgerRules } from "./rules.ts";
import { fact, type WalletIdentity } from "./wallet.ts";

/** An applied operation, from which the whole answer follows, the first time and every time it is replayed. */
export interface AppliedAnswer {
  readonly type: "applied";
  readonly record: JournalRecord;
  readonly wallet: WalletIdentity;
  readonly receiver: WalletIdentity | undefined;
  readonly hold: HoldOrigin | undefined;
  readonly replayed: boolean;
}

export interface RejectedAnswer {
  readonly type: "rejected";
  readonly rejection: Rejection;
  readonly replayed: boolean;
}

export interface ReleasedAnswer {
  readonly type: "released";
  readonly count: number;
  /** One for each currency and exponent, in the order of the currencies. */
  readonly amounts: readonly MoneyFact[];
  readonly moreRemain: boolean;
}

export type Answer = AppliedAnswer | RejectedAnswer | ReleasedAnswer;

/** What of the ledger the commands need to see. */
export function touchedBy(commands: readonly Command[]): Touched {
  const wallets: Touched["wallets"][number][] = [];
  const holdIds: bigint[] = [];
  const operationIds: bigint[] = [];
  const keyHashes: string[] = [];
  let eligibleHolds: Touched["eligibleHolds"];
  for (const command of commands) {
    if (command.type === "releaseHolds") {
      // Which holds are eligible is looked up before anything of the batch is decided, so nothing else may be in it.
      assert(commands.length === 1, "a release is a batch of its own");
      eligibleHolds = { userId: command.userId, currency: command.currency, max: releaseHoldsMax };
      continue;
    }
    if (command.idempotencyKey !== undefined) keyHashes.push(keyHash(command.userId, command.idempotencyKey));
    if ("holdId" in command) holdIds.push(command.holdId);
    else wallets.push({ userId: command.userId, currency: command.currency });
    // In which currency is known only when the payer's wallet is.
    if ("toUserId" in command && command.toUserId !== undefined) wallets.push({ userId: command.toUserId, currency: undefined });
    if ("relatedOperationId" in command && command.relatedOperationId !== undefined) operationIds.push(command.relatedOperationId);
  }
  return { wallets, holdIds, operationIds, keyHashes, eligibleHolds };
}

/** Decides the commands in order. The answers stand in the commands' order; `changes` is undefined where nothing is to be written. */
export function decideBatch(loaded: LoadedState, commands: readonly Command[], rules: LedgerRules): { changes: Changes | undefined; answers: Answer[] } {
  const state = new LedgerState(loaded);
  const answers = commands.map((command) => (command.type === "releaseHolds" ? release(state, command) : answerOnce(state, command, rules)));
  return { changes: state.changes(state.nowMs - rules.idempotencyRetentionMs), answers };
}

function answerOnce(state: LedgerState, command: WalletCommand, rules: LedgerRules): Answer {
  if (command.idempotencyKey === undefined) return answer(state, command, rules, undefined);
  const hash = keyHash(command.userId, command.idempotencyKey);
  const print = fingerprint(command);
  const known = state.key(hash);
  if (known !== undefined && known.timeMs > state.nowMs - rules.idempotencyRetentionMs) {
    if (known.fingerprint === print) return replay(state, known);
    return { type: "rejected", rejection: { reason: "IDEMPOTENCY_KEY_REUSED", idempotencyKey: command.idempotencyKey }, replayed: false };
  }
  const first = answer(state, command, rules, hash);
  const isKept = !command.validateOnly && (first.type === "applied" || isRemembered[first.rejection.reason]);
  if (isKept) {
    const outcome = first.type === "applied" ? { sequence: first.record.sequence } : { rejection: first.rejection };
    state.remember({ keyHash: hash, fingerprint: print, timeMs: state.nowMs, outcome });
  }
  return first;
}

function answer(state: LedgerState, command: WalletCommand, rules: LedgerRules, hash: string | undefined): AppliedAnswer | RejectedAnswer {
  const decision = decide(state, command, rules);
  if ("rejection" in decision) return { type: "rejected", rejection: decision.rejection, replayed: false };
  const { effect } = decision;
  const record = state.drafted(effect, { keyHash: hash, reference: command.reference, metadata: command.metadata });
  if (!command.validateOnly) state.apply(effect, record);
  return applied(record, { wallet: effect.wallet, receiver: effect.receiver?.wallet, hold: effect.hold }, false);
}

function replay(state: LedgerState, known: RememberedKey): Answer {
  if ("rejection" in known.outcome) return { type: "rejected", rejection: known.outcome.rejection, replayed: true };
  const record = state.record(known.outcome.sequence);
  const wallet = state.wallet(record.walletId);
  const receiver = record.receiver && state.wallet(record.receiver.walletId);
  return applied(record, { wallet, receiver, hold: record.hold && state.hold(record.hold.holdId) }, true);
}

function release(state: LedgerState, command: ReleaseHolds): ReleasedAnswer {
  const sums = new Map<string, MoneyFact>();
  for (const holdId of state.eligible.holdIds) {
    const effect = releaseOf(state, holdId);
    if (!command.validateOnly) state.apply(effect, state.drafted(effect, { keyHash: undefined, reference: "", metadata: {} }));
    const { currency, exponent } = effect.wallet;
    const sum = sums.get(`${currency}:${exponent}`)?.minor ?? 0n;
    sums.set(`${currency}:${exponent}`, fact(effect.wallet, sum + effect.amountMinor));
  }
  const amounts = [...sums.values()].toSorted((a, b) => (a.currency < b.currency ? -1 : a.currency > b.currency ? 1 : a.exponent - b.exponent));
  return { type: "released", count: state.eligible.holdIds.length, amounts, moreRemain: state.eligible.moreRemain };
}

/** Keeps of wallet and hold only what never changes: the rest of the answer is the record's, so that a replay cannot differ. */
function applied(
  record: JournalRecord,
  { wallet, receiver, hold }: Pick<AppliedAnswer, "wallet" | "receiver" | "hold">,
  replayed: boolean,
): AppliedAnswer {
  return {
    type: "applied",
    record,
    wallet: identityOf(wallet),
    receiver: receiver && identityOf(receiver),
    hold: hold && { holdId: hold.holdId, walletId: hold.walletId, amountMinor: hold.amountMinor, createTimeMs: hold.createTimeMs },
    replayed,
  };
}

function identityOf({ walletId, userId, currency, exponent, createTimeMs }: WalletIdentity): WalletIdentity {
  return { walletId, userId, currency, exponent, createTimeMs };
}
