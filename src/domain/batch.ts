// Decides what goes into one transaction: each command in order, seeing what those before it did.

import assert from "node:assert/strict";
import type { Answer } from "./answer.ts";
import { releaseHoldsMax, type Command, type Touched, type WalletCommand } from "./command.ts";
import { decideOnce } from "./decide-once.ts";
import { releaseHolds } from "./decide/release-holds.ts";
import { executeBatch } from "./execute-batch.ts";
import { keyHash } from "./idempotency.ts";
import { LedgerState, type Changes, type LoadedState } from "./ledger-state.ts";
import type { LedgerRules } from "./rules.ts";

/** What of the ledger the commands need to see. */
export function touchedBy(commands: readonly Command[], { autoRelease }: Pick<LedgerRules, "autoRelease">): Touched {
  const [first] = commands;
  if (first?.type === "releaseHolds") {
    // Which holds are eligible is looked up before anything is decided, so nothing else may be decided with it.
    assert(commands.length === 1, "a release goes alone");
    const { userId, currency } = first;
    return { wallets: [], holdIds: [], operationIds: [], keyHashes: [], eligibleHolds: { userId, currency, max: releaseHoldsMax } };
  }
  const wallets: Touched["wallets"][number][] = [];
  const holdIds: bigint[] = [];
  const operationIds: bigint[] = [];
  const keyHashes: string[] = [];
  for (const command of commands.flatMap(walletCommands)) {
    if (command.idempotencyKey !== undefined) keyHashes.push(keyHash(command.userId, command.idempotencyKey));
    if ("holdId" in command) holdIds.push(command.holdId);
    else wallets.push({ userId: command.userId, currency: command.currency });
    if ("toUserId" in command && command.toUserId !== undefined) {
      // Where the request names no currency, it is known only when the payer's wallet is.
      wallets.push({ userId: command.toUserId, currency: "currency" in command ? command.currency : undefined });
    }
    if ("relatedOperationId" in command && command.relatedOperationId !== undefined) operationIds.push(command.relatedOperationId);
  }
  return { wallets, holdIds, operationIds, keyHashes, eligibleHolds: autoRelease ? { of: "touched wallets", max: releaseHoldsMax } : undefined };
}

/**
 * Decides the commands in order. The answers stand in the commands' order; `changes` is undefined where nothing is to be written. Where there are too many overdue
 * holds to release in one transaction, some are released and every answer is "not yet".
 */
export function decideBatch(
  loaded: LoadedState,
  commands: readonly Command[],
  rules: LedgerRules,
): { readonly changes: Changes | undefined; readonly answers: readonly Answer[] } {
  const state = new LedgerState(loaded);
  const forgetKeysBeforeMs = state.nowMs - rules.idempotencyRetentionMs;
  const isSweep = commands.every((command) => command.type !== "releaseHolds") && state.eligible.holdIds.length > 0;
  if (isSweep) {
    const { moreRemain } = releaseHolds(state, { validateOnly: false });
    if (moreRemain) return { changes: state.changes(forgetKeysBeforeMs), answers: commands.map(() => ({ type: "notYet" })) };
  }
  const answers: Answer[] = [];
  for (const command of commands) {
    if (command.type === "releaseHolds") answers.push(releaseHolds(state, command));
    else if (command.type === "executeBatch") answers.push(executeBatch(state, command, rules));
    else answers.push(decideOnce(state, command, rules));
  }
  return { changes: state.changes(forgetKeysBeforeMs), answers };
}

/** How many operations the command may make, as far as is known before it is decided. */
export function weightOf(command: Command): number {
  return command.type === "executeBatch" ? command.items.length : 1;
}

function walletCommands(command: Command): readonly WalletCommand[] {
  if (command.type === "executeBatch") return command.items;
  return command.type === "releaseHolds" ? [] : [command];
}
