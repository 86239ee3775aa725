// The ledger's answers and reads in the model's words, and the comparison of everything that can be read with everything that the model has.

import { expect } from "vitest";
import type { Answer } from "../../src/domain/answer.ts";
import type { Hold, HoldOrigin } from "../../src/domain/hold.ts";
import { keyHash } from "../../src/domain/idempotency.ts";
import type { JournalRecord, WalletPart } from "../../src/domain/journal.ts";
import { activeHolds, totalKinds, type Total, type TotalKind, type Totals } from "../../src/domain/totals.ts";
import type { CurrencyCode, UserId, Wallet, WalletName } from "../../src/domain/wallet.ts";
import type { Reads } from "../../src/store/store.ts";
import type { NaiveHold, NaiveWallet, Seen, SeenOperation, SeenPart } from "./naive-state.ts";
import type { Counted, NaiveLedger } from "./naive-wallet.ts";

export function seenIn(answer: Answer): Seen {
  switch (answer.type) {
    case "applied":
      return { type: "applied", replayed: answer.replayed, operation: seenOperation(answer), walletCreateTimeMs: answer.wallet.createTimeMs };
    case "rejected":
      return answer;
    case "released":
      return { type: "released", count: answer.count, amounts: answer.amounts.map(({ currency, minor }) => [currency, minor]), moreRemain: answer.moreRemain };
    case "batch":
    case "notYet":
      throw new Error("the model asks for no batches and releases nothing by itself");
    default:
      return answer satisfies never;
  }
}

interface Recorded {
  readonly record: JournalRecord;
  readonly wallet: WalletName;
  readonly receiver: WalletName | undefined;
  readonly hold: HoldOrigin | undefined;
}

function seenOperation({ record, wallet, receiver, hold }: Recorded): SeenOperation {
  const { operationId, kind, timeMs, relatedOperationId, reference, metadata } = record;
  const bornAt = { partition: Number(operationId / 2n ** 48n), sequence: operationId % 2n ** 48n };
  // The receiver's record is in another journal.
  if (record.apart?.side !== "RECEIVER") expect({ partition: record.partition, sequence: record.sequence }).toEqual(bornAt);
  expect(record.hold?.holdId).toEqual(hold?.holdId);
  expect(record.opened).toEqual(kind === "INIT" ? { userId: wallet.userId, currency: wallet.currency, exponent: wallet.exponent } : undefined);
  expect(receiver?.walletId).toEqual(record.receiver?.walletId);
  return {
    ...seenPart(record, wallet),
    operationId,
    kind,
    timeMs,
    related: relatedOperationId,
    reference,
    metadata,
    receiver: record.receiver && receiver && seenPart(record.receiver, receiver),
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

function seenPart({ walletId, amountMinor, after, previousSequence }: WalletPart & { readonly amountMinor: bigint }, wallet: WalletName): SeenPart {
  expect(walletId).toBe(wallet.walletId);
  return {
    previousSequence,
    amount: amountMinor,
    wallet: { walletId, user: wallet.userId, currency: wallet.currency, exponent: wallet.exponent },
    after: { available: after.availableMinor, held: after.heldMinor, state: after.state, version: after.version, balanceMax: after.balanceMaxMinor },
  };
}

/** The same without times of day, for ledgers that run on the real clock: of a hold its period is left. */
export function timeless(seen: Seen): Seen {
  if (seen.type !== "applied") return seen;
  return { ...seen, operation: timelessOperation(seen.operation), walletCreateTimeMs: 0 };
}

function timelessOperation(operation: SeenOperation): SeenOperation {
  const { hold } = operation;
  return { ...operation, timeMs: 0, hold: hold && { ...hold, createTimeMs: 0, eligibleTimeMs: hold.eligibleTimeMs - hold.createTimeMs } };
}

const users = (ledger: NaiveLedger): readonly string[] => [...new Set(ledger.wallets.map(({ user }) => user))];

/** Wallets, holds, operations, remembered keys, reports and the clock, all that `reads` can tell. `withTimes`: times of day are the model's too. */
export async function expectReadsToEqual(ledger: NaiveLedger, reads: Reads, machineTimeMs: number, { withTimes }: { withTimes: boolean }): Promise<void> {
  const time = (ms: number | undefined): number | undefined => (withTimes ? ms : ms && 0);
  const lastHoldId = (wallet: NaiveWallet, before?: NaiveHold): bigint =>
    ledger.holds.findLast((each) => each.wallet === wallet && (before === undefined || each.holdId < before.holdId))?.holdId ?? 0n;
  const inModel = (wallet: NaiveWallet): object => ({
    ...wallet,
    createTimeMs: time(wallet.createTimeMs),
    updateTimeMs: time(wallet.updateTimeMs),
    lastHoldId: lastHoldId(wallet),
  });
  const inReads = (wallet: Wallet): object => ({
    walletId: wallet.walletId,
    user: wallet.userId,
    currency: wallet.currency,
    exponent: wallet.exponent,
    createTimeMs: time(wallet.createTimeMs),
    balanceMax: wallet.balanceMaxMinor,
    state: wallet.state,
    available: wallet.availableMinor,
    held: wallet.heldMinor,
    version: wallet.version,
    lastSequence: wallet.headSequence,
    updateTimeMs: time(wallet.updateTimeMs),
    lastHoldId: wallet.lastHoldId,
  });
  const holdInModel = (held: NaiveHold): object => {
    const { wallet, ...hold } = held;
    return {
      ...hold,
      previousHoldId: lastHoldId(wallet, held),
      createTimeMs: time(hold.createTimeMs),
      eligibleTimeMs: hold.eligibleTimeMs - hold.createTimeMs,
      resolveTimeMs: time(hold.resolveTimeMs),
    };
  };
  const holdInReads = ({ amountMinor, capturedMinor, walletId: _walletId, ...hold }: Hold): object => ({
    ...hold,
    amount: amountMinor,
    captured: capturedMinor,
    createTimeMs: time(hold.createTimeMs),
    eligibleTimeMs: hold.eligibleTimeMs - hold.createTimeMs,
    resolveTimeMs: time(hold.resolveTimeMs),
  });

  for (const user of users(ledger)) {
    const own = ledger.wallets.filter((wallet) => wallet.user === user);
    expect((await reads.wallets(user as UserId, undefined)).map(inReads)).toEqual(own.map(inModel));
    for (const wallet of own) expect((await reads.wallets(user as UserId, wallet.currency as CurrencyCode)).map(inReads)).toEqual([inModel(wallet)]);
    await expectReportsToEqual(ledger, reads, user);
  }
  await expectReportsToEqual(ledger, reads, undefined);
  for (const hold of ledger.holds) {
    const found = await reads.hold(hold.wallet.user as UserId, hold.holdId);
    expect(found && [holdInReads(found.hold), inReads(found.wallet)]).toEqual([holdInModel(hold), inModel(hold.wallet)]);
  }
  for (const operation of ledger.operations) {
    const found = await reads.operation(operation.operationId);
    const seen = found && seenOperation(found);
    expect(seen && (withTimes ? seen : timelessOperation(seen))).toEqual(withTimes ? operation : timelessOperation(operation));
  }
  for (const user of users(ledger)) expect(await reads.operation(ledger.idFor(user, ledger.lengthFor(user) + 1n))).toBeUndefined();
  await expectReceiversRecordsToEqual(ledger, reads);
  for (const { user, key, answer } of withTimes ? ledger.keysAt(machineTimeMs) : []) {
    const found = await reads.key(user as UserId, keyHash(user as UserId, key));
    const outcome = found?.operation?.record.operationId ?? (found !== undefined && "rejection" in found.key.outcome && found.key.outcome.rejection);
    expect(outcome).toEqual(answer.type === "applied" ? answer.operation.operationId : answer.rejection);
  }
  if (withTimes) expect(await reads.nowMs(undefined)).toBe(ledger.clock(machineTimeMs));
}

/** In a receiver's partition each operation from another one is told again, but for the payer's hold. */
async function expectReceiversRecordsToEqual(ledger: NaiveLedger, reads: Reads): Promise<void> {
  const journals = await Promise.all(Array.from({ length: reads.partitionCount }, (_, partition) => reads.operationsAfter(partition, 0n, 10_000)));
  const received = journals.flat().filter(({ record }) => record.apart?.side === "RECEIVER");
  const partition = (user: string): bigint => ledger.idFor(user, 0n);
  const apart = ledger.operations.filter(({ wallet, receiver }) => receiver !== undefined && partition(receiver.wallet.user) !== partition(wallet.user));
  const inOrder = (operations: readonly SeenOperation[]): SeenOperation[] => operations.toSorted((a, b) => Number(a.operationId - b.operationId));
  expect(inOrder(received.map(seenOperation).map(timelessOperation))).toEqual(inOrder(apart.map((operation) => timelessOperation({ ...operation, hold: undefined }))));
}

/** What each kept counter means, counted over the model's operations and holds. */
const meanings: Readonly<Record<TotalKind, (ledger: NaiveLedger, user: string | undefined) => Map<string, Counted>>> = {
  adds: (ledger, user) => ledger.operationReport("ADD", user),
  holds: (ledger, user) => ledger.operationReport("HOLD", user),
  releases: (ledger, user) => ledger.operationReport("RELEASE", user),
  reversals: (ledger, user) => ledger.operationReport("REVERSE", user),
  captures: (ledger, user) => ledger.operationReport("CAPTURE", user),
  capturedHolds: (ledger, user) => ledger.holdReport("CAPTURED", ({ captured }) => captured, user),
  captureReturns: (ledger, user) => ledger.holdReport("CAPTURED", ({ amount, captured }) => amount - captured, user),
  withdrawals: (ledger, user) => ledger.operationReport("WITHDRAW", user),
  transfersOut: (ledger, user) => ledger.operationReport("TRANSFER", user),
  transfersIn: (ledger, user) => ledger.transfersInReport(user),
};

async function expectReportsToEqual(ledger: NaiveLedger, reads: Reads, user: string | undefined): Promise<void> {
  const kept = await reads.totals({ userId: user as UserId | undefined, currency: undefined });
  for (const { currency } of kept) {
    expect(await reads.totals({ userId: user as UserId | undefined, currency })).toEqual(kept.filter((each) => each.currency === currency));
  }
  const report = (pick: (totals: Totals) => Total): Map<string, Counted> => {
    const sums = new Map<string, Counted>();
    for (const { currency, totals } of kept) {
      const { count, amount } = sums.get(currency) ?? { count: 0, amount: 0n };
      sums.set(currency, { count: count + Number(pick(totals).count), amount: amount + pick(totals).minor });
    }
    return byCurrency(sums);
  };
  for (const kind of totalKinds) expect([kind, report((totals) => totals[kind])]).toEqual([kind, byCurrency(meanings[kind](ledger, user))]);
  expect(report(activeHolds)).toEqual(byCurrency(ledger.holdReport("ACTIVE", ({ amount, captured }) => amount - captured, user)));
}

/** In one order, and without currencies in which there was nothing. */
function byCurrency(counted: Iterable<[string, Counted]>): Map<string, Counted> {
  return new Map([...counted].filter(([, { count }]) => count > 0).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
