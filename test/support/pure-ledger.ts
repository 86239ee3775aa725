// A ledger without a database: loads what a batch touches from maps, lets the domain decide, and folds the changes back into the maps.

import assert from "node:assert/strict";
import type { Answer } from "../../src/domain/answer.ts";
import { decideBatch, decideRelease, touchedBy, touchedByRelease } from "../../src/domain/batch.ts";
import { releaseHoldsMax, type Command, type ReleaseHolds, type Touched } from "../../src/domain/command.ts";
import type { Hold } from "../../src/domain/hold.ts";
import type { RememberedKey } from "../../src/domain/idempotency.ts";
import { birthplaceOf, journalStart, partsHere, type JournalHead, type JournalRecord } from "../../src/domain/journal.ts";
import type { Changes, CurrencyTotals, EligibleHolds, LoadedPartition, LoadedState } from "../../src/domain/loaded-state.ts";
import { partitionOf } from "../../src/domain/partitions.ts";
import type { LedgerRules } from "../../src/domain/rules.ts";
import type { Wallet } from "../../src/domain/wallet.ts";

export class PurePartition {
  head: JournalHead;
  readonly wallets = new Map<bigint, Wallet>();
  readonly holds = new Map<bigint, Hold>();
  readonly records = new Map<bigint, JournalRecord>();
  readonly keys = new Map<string, RememberedKey>();
  readonly currencyTotals = new Map<string, CurrencyTotals>();

  constructor(partition: number, nowMs: number) {
    this.head = { ...journalStart(partition), timeMs: nowMs };
  }
}

export class PureLedger {
  readonly partitions: readonly PurePartition[];
  rules: LedgerRules;

  constructor(rules: LedgerRules, nowMs: number, partitionCount = 1) {
    this.rules = rules;
    this.partitions = Array.from({ length: partitionCount }, (_, partition) => new PurePartition(partition, nowMs));
  }

  /** The only partition of a ledger that has one. */
  get only(): PurePartition {
    assert.equal(this.partitions.length, 1);
    return this.partitions[0]!;
  }

  /** Decides the commands as one batch at this time of the machine's clock. */
  execute(commands: readonly Command[], machineTimeMs: number): { answers: readonly Answer[]; changes: readonly Changes[] } {
    const [first] = commands;
    if (first?.type === "releaseHolds" && commands.length === 1) return this.#release(first, machineTimeMs);
    const { changes, answers } = decideBatch(this.loaded(touchedBy(commands, this.rules, this.partitions.length), machineTimeMs), commands, this.rules);
    this.fold(changes);
    return answers[0]?.type === "notYet" ? this.execute(commands, machineTimeMs) : { answers, changes };
  }

  /** In one partition: a release of everybody's holds in several is more than one transaction. */
  #release(command: ReleaseHolds, machineTimeMs: number): { answers: readonly Answer[]; changes: readonly Changes[] } {
    const { userId, currency } = command;
    const partition = userId === undefined ? this.only.head.partition : partitionOf(userId, this.partitions.length);
    const { changes, result } = decideRelease(this.loaded([touchedByRelease({ partition, userId, currency, max: releaseHoldsMax })], machineTimeMs), command, this.rules);
    this.fold(changes);
    return { answers: [result], changes };
  }

  /** Exactly what is touched and nothing more, so that a decision which looks at anything else fails. */
  loaded(touched: readonly Touched[], machineTimeMs: number): LoadedState {
    const nowMs = touched.reduce((last, { partition }) => Math.max(last, this.partitions[partition]!.head.timeMs), machineTimeMs);
    return { partitionCount: this.partitions.length, nowMs, partitions: touched.map((each) => this.#loadedPartition(each, nowMs)) };
  }

  #loadedPartition(touched: Touched, nowMs: number): LoadedPartition {
    const { head, wallets: allWallets, holds: allHolds, records: allRecords, keys: allKeys, currencyTotals } = this.partitions[touched.partition]!;
    const keys = unique(touched.keyHashes.map((hash) => allKeys.get(hash)));
    const records = unique(keys.map(({ outcome }) => ("sequence" in outcome ? allRecords.get(outcome.sequence) : undefined)));
    const named = unique([...touched.holdIds, ...records.map((record) => record.hold?.holdId ?? 0n)].map((holdId) => allHolds.get(holdId)));
    const walletIdsOf = (holds: readonly Hold[]): bigint[] => [...holds, ...records.flatMap(partsHere)].map(({ walletId }) => walletId);
    const walletsNamed = [...allWallets.values()].filter((wallet) =>
      touched.wallets.some(({ userId, currency }) => userId === wallet.userId && (currency ?? wallet.currency) === wallet.currency),
    );
    const walletsOf = (holds: readonly Hold[]): Wallet[] => unique([...walletsNamed, ...walletIdsOf(holds).map((walletId) => allWallets.get(walletId))]);
    const eligible = this.#eligible(touched, nowMs, walletsOf(named));
    const holds = unique([...named, ...eligible.holdIds.map((holdId) => allHolds.get(holdId))]);
    const operationIds = touched.operationIds.filter((operationId) => this.#hasOperation(operationId));
    return { head, wallets: walletsOf(holds), holds, records, operationIds, keys, currencyTotals: [...currencyTotals.values()], eligible };
  }

  /** Of two records the payer's is the operation. */
  #hasOperation(operationId: bigint): boolean {
    const { partition, sequence } = birthplaceOf(operationId);
    return this.partitions[partition]?.records.get(sequence)?.operationId === operationId;
  }

  #eligible({ partition, eligibleHolds: filter }: Touched, nowMs: number, touched: readonly Wallet[]): EligibleHolds {
    if (filter === undefined) return { holdIds: [], moreRemain: false };
    const { holds, wallets } = this.partitions[partition]!;
    const found = [...holds.values()]
      .filter((hold) => hold.status === "ACTIVE" && hold.eligibleTimeMs <= nowMs)
      .filter((hold) => {
        if ("of" in filter) return touched.some(({ walletId }) => walletId === hold.walletId);
        const { userId, currency } = wallets.get(hold.walletId)!;
        return (filter.userId ?? userId) === userId && (filter.currency ?? currency) === currency;
      })
      .toSorted((a, b) => a.eligibleTimeMs - b.eligibleTimeMs || Number(a.holdId - b.holdId));
    return { holdIds: found.slice(0, filter.max).map((hold) => hold.holdId), moreRemain: found.length > filter.max };
  }

  /** Writes what a transaction changed. */
  fold(changes: readonly Changes[]): void {
    for (const each of changes) foldInto(this.partitions[each.head.partition]!, each);
  }
}

function foldInto(partition: PurePartition, { head, records, wallets, holds, keys, currencyTotals, forgetKeysBeforeMs }: Changes): void {
  partition.head = head;
  for (const record of records) partition.records.set(record.sequence, record);
  for (const wallet of wallets) partition.wallets.set(wallet.walletId, wallet);
  for (const hold of holds) partition.holds.set(hold.holdId, hold);
  for (const key of keys) partition.keys.set(key.keyHash, key);
  for (const totals of currencyTotals) partition.currencyTotals.set(`${totals.currency}:${totals.exponent}`, totals);
  for (const key of partition.keys.values()) if (key.timeMs < forgetKeysBeforeMs) partition.keys.delete(key.keyHash);
}

function unique<Item>(items: readonly (Item | undefined)[]): Item[] {
  return [...new Set(items)].filter((item) => item !== undefined);
}
