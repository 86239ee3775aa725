// Decides what goes into one transaction: each command in order, seeing what those before it did.

import assert from "node:assert/strict";
import type { Answer, ReleasedAnswer } from "./answer.ts";
import { releaseHoldsMax, type Command, type HoldFilter, type ReleaseHolds, type Touched, type WalletCommand } from "./command.ts";
import { decideOnce } from "./decide-once.ts";
import { releaseHolds } from "./decide/release-holds.ts";
import { executeBatch } from "./execute-batch.ts";
import { keyHashOf } from "./idempotency.ts";
import { LedgerState } from "./ledger-state.ts";
import type { Changes, LoadedState } from "./loaded-state.ts";
import { partitionOf } from "./partitions.ts";
import type { LedgerRules } from "./rules.ts";
import type { UserId } from "./wallet.ts";

/** Everything that a release looks at: a filter's holds in one partition, and at most so many of them. */
export type ReleaseScope = HoldFilter & { readonly partition: number; readonly max: number };

/** What a release needs to see. Which holds are eligible is looked up before anything is decided, so nothing else may be decided with it. */
export function touchedByRelease({ partition, ...eligibleHolds }: ReleaseScope): Touched {
  return { partition, wallets: [], holdIds: [], operationIds: [], keyHashes: [], eligibleHolds };
}

/** What of the ledger, which has so many partitions, the commands need to see: partition by partition in ascending order. */
export function touchedBy(commands: readonly Command[], { autoRelease }: Pick<LedgerRules, "autoRelease">, partitionCount: number): readonly Touched[] {
  const touched = new Map<number, Parts>();
  const partOf = (userId: UserId): Parts => {
    const partition = partitionOf(userId, partitionCount);
    let part = touched.get(partition);
    if (part === undefined) touched.set(partition, (part = { partition, wallets: [], holdIds: [], operationIds: [], keyHashes: [] }));
    return part;
  };
  for (const command of commands.flatMap(walletCommands)) {
    const part = partOf(command.userId);
    if (command.idempotencyKey !== undefined) part.keyHashes.push(keyHashOf(command, command.idempotencyKey));
    if ("holdId" in command) part.holdIds.push(command.holdId);
    else part.wallets.push({ userId: command.userId, currency: command.currency });
    if ("toUserId" in command && command.toUserId !== undefined) {
      // Where the request names no currency, it is known only when the payer's wallet is.
      partOf(command.toUserId).wallets.push({ userId: command.toUserId, currency: "currency" in command ? command.currency : undefined });
    }
    if ("relatedOperationId" in command && command.relatedOperationId !== undefined) part.operationIds.push(command.relatedOperationId);
  }
  const eligibleHolds = autoRelease ? ({ of: "touched wallets", max: releaseHoldsMax } as const) : undefined;
  return [...touched.values()].toSorted((a, b) => a.partition - b.partition).map((part) => ({ ...part, eligibleHolds }));
}

/** What of a partition is touched, while it is being gathered. */
interface Parts {
  readonly partition: number;
  readonly wallets: Touched["wallets"][number][];
  readonly holdIds: bigint[];
  readonly operationIds: bigint[];
  readonly keyHashes: string[];
}

/** The partitions of a ledger with so many that the command touches, each once and ascending; none of a release of everybody, which takes one after the other. */
export function partitionsTouchedBy(command: Command, partitionCount: number): readonly number[] {
  const users = command.type === "releaseHolds" ? (command.userId === undefined ? [] : [command.userId]) : walletCommands(command).flatMap(usersOf);
  if (partitionCount === 1) return users.length === 0 ? [] : [0];
  return [...new Set(users.map((userId) => partitionOf(userId, partitionCount)))].toSorted((a, b) => a - b);
}

/**
 * Decides the commands in order. The answers stand in the commands' order; `changes` is empty where nothing is to be written. Where there are too many overdue
 * holds to release in one transaction, some are released and every answer is "not yet".
 */
export function decideBatch(
  loaded: LoadedState,
  commands: readonly Command[],
  rules: LedgerRules,
): { readonly changes: readonly Changes[]; readonly answers: readonly Answer[] } {
  const state = new LedgerState(loaded);
  const forgetKeysBeforeMs = state.nowMs - rules.idempotencyRetentionMs;
  if (state.eligible.holdIds.length > 0) {
    const { moreRemain } = releaseHolds(state, { validateOnly: false });
    if (moreRemain) return { changes: state.changes(forgetKeysBeforeMs), answers: commands.map(() => ({ type: "notYet" })) };
  }
  const answers: Answer[] = [];
  for (const command of commands) {
    assert(command.type !== "releaseHolds", "a release goes alone");
    if (command.type === "executeBatch") answers.push(executeBatch(state, command, rules));
    else answers.push(decideOnce(state, command, rules));
  }
  return { changes: state.changes(forgetKeysBeforeMs), answers };
}

/** Releases what was loaded as eligible. */
export function decideRelease(loaded: LoadedState, command: ReleaseHolds, { idempotencyRetentionMs }: LedgerRules): { readonly changes: readonly Changes[]; readonly result: ReleasedAnswer } {
  const state = new LedgerState(loaded);
  const result = releaseHolds(state, command);
  return { changes: state.changes(state.nowMs - idempotencyRetentionMs), result };
}

/** How many operations the command may make, as far as is known before it is decided. */
export function weightOf(command: Command): number {
  return command.type === "executeBatch" ? command.items.length : 1;
}

function usersOf(command: WalletCommand): readonly UserId[] {
  return "toUserId" in command && command.toUserId !== undefined ? [command.userId, command.toUserId] : [command.userId];
}

function walletCommands(command: Command): readonly WalletCommand[] {
  if (command.type === "executeBatch") return command.items;
  return command.type === "releaseHolds" ? [] : [command];
}
