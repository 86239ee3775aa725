// The ledger's answers and reads in the model's words, and the comparison of everything that can be read with everything that the model has.

import { expect } from "vitest";
import type { Answer } from "../../src/domain/answer.ts";
import type { Hold, HoldOrigin } from "../../src/domain/hold.ts";
import { keyHash } from "../../src/domain/idempotency.ts";
import type { JournalRecord } from "../../src/domain/journal.ts";
import { activeHolds, type Totals } from "../../src/domain/totals.ts";
import type { CurrencyCode, UserId, Wallet, WalletIdentity } from "../../src/domain/wallet.ts";
import type { Reads } from "../../src/store/store.ts";
import type { Counted, NaiveHold, NaiveLedger, NaiveWallet, Seen, SeenOperation } from "./naive-wallet.ts";

export function seenIn(answer: Answer): Seen {
  switch (answer.type) {
    case "applied":
      return { type: "applied", replayed: answer.replayed, operation: seenOperation(answer.record, answer.wallet, answer.hold) };
    case "rejected":
      return answer;
    case "released":
      return { type: "released", count: answer.count, amounts: answer.amounts.map(({ currency, minor }) => [currency, minor]), moreRemain: answer.moreRemain };
    case "batch":
      throw new Error("the model knows no batches yet");
    default:
      return answer satisfies never;
  }
}

function seenOperation(record: JournalRecord, wallet: WalletIdentity, hold: HoldOrigin | undefined): SeenOperation {
  const { operationId, previousSequence, kind, timeMs, amountMinor, after, relatedOperationId, reference, metadata } = record;
  expect({ partition: record.partition, sequence: record.sequence, walletId: record.walletId }).toEqual({ partition: 0, sequence: operationId, walletId: wallet.walletId });
  expect(record.hold?.holdId).toEqual(hold?.holdId);
  return {
    operationId,
    previousOperationId: previousSequence,
    kind,
    timeMs,
    amount: amountMinor,
    related: relatedOperationId,
    reference,
    metadata,
    wallet: { walletId: wallet.walletId, user: wallet.userId, currency: wallet.currency, exponent: wallet.exponent, createTimeMs: wallet.createTimeMs },
    after: { available: after.availableMinor, held: after.heldMinor, state: after.state, version: after.version, balanceMax: after.balanceMaxMinor },
    hold: record.hold &&
      hold && {
        holdId: hold.holdId,
        amount: hold.amountMinor,
        captured: record.hold.capturedMinor,
        status: record.hold.status,
        createTimeMs: hold.createTimeMs,
        eligibleTimeMs: record.hold.eligibleTimeMs,
      },
  };
}

/** The same without times of day, for ledgers that run on the real clock: of a hold its period is left. */
export function timeless(seen: Seen): Seen {
  if (seen.type !== "applied") return seen;
  const { hold, wallet, ...operation } = seen.operation;
  const shifted = hold && { ...hold, createTimeMs: 0, eligibleTimeMs: hold.eligibleTimeMs - hold.createTimeMs };
  return { ...seen, operation: { ...operation, timeMs: 0, wallet: { ...wallet, createTimeMs: 0 }, hold: shifted } };
}

const users = (ledger: NaiveLedger): readonly string[] => [...new Set(ledger.wallets.map(({ user }) => user))];

/** Wallets, holds, operations, remembered keys, reports and the clock, all that `reads` can tell. `withTimes`: times of day are the model's too. */
export async function expectReadsToEqual(ledger: NaiveLedger, reads: Reads, machineTimeMs: number, { withTimes }: { withTimes: boolean }): Promise<void> {
  const time = (ms: number | undefined): number | undefined => (withTimes ? ms : ms && 0);
  const inModel = (wallet: NaiveWallet): object => ({ ...wallet, createTimeMs: time(wallet.createTimeMs), updateTimeMs: time(wallet.updateTimeMs) });
  const inReads = (wallet: Wallet): object => ({
    walletId: wallet.walletId,
    user: wallet.userId,
    currency: wallet.currency,
    exponent: wallet.exponent,
    createTimeMs: time(wallet.createTimeMs),
    balanceMax: wallet.balanceMaxMinor,
    available: wallet.availableMinor,
    held: wallet.heldMinor,
    version: wallet.version,
    lastOperationId: wallet.headSequence,
    updateTimeMs: time(wallet.updateTimeMs),
  });
  const holdInModel = ({ wallet: _wallet, ...hold }: NaiveHold): object => ({
    ...hold,
    createTimeMs: time(hold.createTimeMs),
    eligibleTimeMs: hold.eligibleTimeMs - hold.createTimeMs,
    resolveTimeMs: time(hold.resolveTimeMs),
  });
  const holdInReads = ({ amountMinor, capturedMinor, walletId: _walletId, ...hold }: Hold): object => {
    expect(capturedMinor).toBe(0n);
    return {
      ...hold,
      amount: amountMinor,
      createTimeMs: time(hold.createTimeMs),
      eligibleTimeMs: hold.eligibleTimeMs - hold.createTimeMs,
      resolveTimeMs: time(hold.resolveTimeMs),
    };
  };

  for (const user of users(ledger)) {
    const own = ledger.wallets.filter((wallet) => wallet.user === user);
    expect((await reads.wallets(user as UserId, undefined)).map(inReads)).toEqual(own.map(inModel));
    for (const wallet of own) expect((await reads.wallets(user as UserId, wallet.currency as CurrencyCode)).map(inReads)).toEqual([inModel(wallet)]);
    await expectReportsToEqual(ledger, reads, user);
  }
  await expectReportsToEqual(ledger, reads, undefined);
  for (const hold of ledger.holds) {
    const found = await reads.hold(hold.holdId);
    expect(found && [holdInReads(found.hold), inReads(found.wallet)]).toEqual([holdInModel(hold), inModel(hold.wallet)]);
  }
  for (const operation of ledger.operations) {
    const found = await reads.operation(operation.operationId);
    const seen = found && { type: "applied" as const, replayed: false, operation: seenOperation(found.record, found.wallet, found.hold) };
    const expected = { type: "applied" as const, replayed: false, operation };
    expect(seen && (withTimes ? seen : timeless(seen))).toEqual(withTimes ? expected : timeless(expected));
  }
  expect(await reads.operation(BigInt(ledger.operations.length + 1))).toBeUndefined();
  for (const { user, key, answer } of withTimes ? ledger.keysAt(machineTimeMs) : []) {
    const found = await reads.key(user as UserId, keyHash(user as UserId, key));
    const outcome = found?.operation?.record.operationId ?? (found !== undefined && "rejection" in found.key.outcome && found.key.outcome.rejection);
    expect(outcome).toEqual(answer.type === "applied" ? answer.operation.operationId : answer.rejection);
  }
  if (withTimes) expect(await reads.nowMs()).toBe(ledger.clock(machineTimeMs));
}

const sorted = (counted: Map<string, Counted>): Map<string, Counted> => new Map([...counted].toSorted(([a], [b]) => (a < b ? -1 : 1)));

async function expectReportsToEqual(ledger: NaiveLedger, reads: Reads, user: string | undefined): Promise<void> {
  const kept = await reads.totals({ userId: user as UserId | undefined, currency: undefined });
  const report = (pick: (totals: Totals) => { count: bigint; minor: bigint }): Map<string, Counted> =>
    new Map(
      kept
        .map(({ currency, totals }): [string, Counted] => [currency, { count: Number(pick(totals).count), amount: pick(totals).minor }])
        .filter(([, { count }]) => count > 0)
        .toSorted(([a], [b]) => (a < b ? -1 : 1)),
    );
  expect(report(({ adds }) => adds)).toEqual(sorted(ledger.report("ADD", user)));
  expect(report(({ holds }) => holds)).toEqual(sorted(ledger.report("HOLD", user)));
  expect(report(({ releases }) => releases)).toEqual(sorted(ledger.report("RELEASE", user)));
  expect(report(({ reversals }) => reversals)).toEqual(sorted(ledger.report("REVERSE", user)));
  const active = new Map<string, Counted>();
  for (const { status, amount, wallet } of ledger.holds) {
    if (status !== "ACTIVE" || (user ?? wallet.user) !== wallet.user) continue;
    const before = active.get(wallet.currency) ?? { count: 0, amount: 0n };
    active.set(wallet.currency, { count: before.count + 1, amount: before.amount + amount });
  }
  expect(report(activeHolds)).toEqual(sorted(active));
}
