// A ledger without a database: loads what a batch touches from maps, lets the domain decide, and folds the changes back into the maps.

import type { Answer } from "../../src/domain/answer.ts";
import { decideBatch, touchedBy } from "../../src/domain/batch.ts";
import type { Command, Touched } from "../../src/domain/command.ts";
import type { Hold } from "../../src/domain/hold.ts";
import type { RememberedKey } from "../../src/domain/idempotency.ts";
import { birthplaceOf, genesisHash, type JournalHead, type JournalRecord } from "../../src/domain/journal.ts";
import type { Changes, CurrencyTotals, LoadedState } from "../../src/domain/ledger-state.ts";
import type { LedgerRules } from "../../src/domain/rules.ts";
import type { Wallet } from "../../src/domain/wallet.ts";

export class PureLedger {
  head: JournalHead;
  readonly wallets = new Map<bigint, Wallet>();
  readonly holds = new Map<bigint, Hold>();
  readonly records = new Map<bigint, JournalRecord>();
  readonly keys = new Map<string, RememberedKey>();
  readonly currencyTotals = new Map<string, CurrencyTotals>();
  rules: LedgerRules;

  constructor(rules: LedgerRules, nowMs: number) {
    this.rules = rules;
    this.head = { partition: 0, sequence: 0n, hash: genesisHash, timeMs: nowMs };
  }

  /** Decides the commands as one batch at this time of the machine's clock. */
  execute(commands: readonly Command[], machineTimeMs: number): { answers: readonly Answer[]; changes: Changes | undefined } {
    const { changes, answers } = decideBatch(this.loaded(touchedBy(commands, this.rules), machineTimeMs), commands, this.rules);
    if (changes !== undefined) this.fold(changes);
    return answers[0]?.type === "notYet" ? this.execute(commands, machineTimeMs) : { answers, changes };
  }

  /** Exactly what is touched and nothing more, so that a decision which looks at anything else fails. */
  loaded(touched: Touched, machineTimeMs: number): LoadedState {
    const nowMs = Math.max(machineTimeMs, this.head.timeMs);
    const keys = unique(touched.keyHashes.map((hash) => this.keys.get(hash)));
    const pointedAt = keys.map(({ outcome }) => ("sequence" in outcome ? outcome.sequence : undefined));
    const sequences = [...pointedAt, ...touched.operationIds.map((id) => birthplaceOf(id).sequence)];
    const records = unique(sequences.map((sequence) => (sequence === undefined ? undefined : this.records.get(sequence))));
    const named = unique([...touched.holdIds, ...records.map((record) => record.hold?.holdId ?? 0n)].map((holdId) => this.holds.get(holdId)));
    const walletIdsOf = (holds: readonly Hold[]): bigint[] => [...holds.map((hold) => hold.walletId), ...records.flatMap((record) => [record.walletId, record.receiver?.walletId ?? 0n])];
    const walletsNamed = [...this.wallets.values()].filter((wallet) =>
      touched.wallets.some(({ userId, currency }) => userId === wallet.userId && (currency ?? wallet.currency) === wallet.currency),
    );
    const walletsOf = (holds: readonly Hold[]): Wallet[] => unique([...walletsNamed, ...walletIdsOf(holds).map((walletId) => this.wallets.get(walletId))]);
    const eligible = this.#eligible(touched.eligibleHolds, nowMs, walletsOf(named));
    const holds = unique([...named, ...eligible.holdIds.map((holdId) => this.holds.get(holdId))]);
    const wallets = walletsOf(holds);
    return { head: this.head, nowMs, wallets, holds, records, keys, currencyTotals: [...this.currencyTotals.values()], eligible };
  }

  #eligible(filter: Touched["eligibleHolds"], nowMs: number, touched: readonly Wallet[]): LoadedState["eligible"] {
    if (filter === undefined) return { holdIds: [], moreRemain: false };
    const found = [...this.holds.values()]
      .filter((hold) => hold.status === "ACTIVE" && hold.eligibleTimeMs <= nowMs)
      .filter((hold) => {
        if ("of" in filter) return touched.some(({ walletId }) => walletId === hold.walletId);
        const { userId, currency } = this.wallets.get(hold.walletId)!;
        return (filter.userId ?? userId) === userId && (filter.currency ?? currency) === currency;
      })
      .toSorted((a, b) => a.eligibleTimeMs - b.eligibleTimeMs || Number(a.holdId - b.holdId));
    return { holdIds: found.slice(0, filter.max).map((hold) => hold.holdId), moreRemain: found.length > filter.max };
  }

  /** Writes what a transaction changed. */
  fold({ head, records, wallets, holds, keys, currencyTotals, forgetKeysBeforeMs }: Changes): void {
    this.head = head;
    for (const record of records) this.records.set(record.sequence, record);
    for (const wallet of wallets) this.wallets.set(wallet.walletId, wallet);
    for (const hold of holds) this.holds.set(hold.holdId, hold);
    for (const key of keys) this.keys.set(key.keyHash, key);
    for (const totals of currencyTotals) this.currencyTotals.set(`${totals.currency}:${totals.exponent}`, totals);
    for (const key of this.keys.values()) if (key.timeMs < forgetKeysBeforeMs) this.keys.delete(key.keyHash);
  }
}

function unique<Item>(items: readonly (Item | undefined)[]): Item[] {
  return [...new Set(items)].filter((item) => item !== undefined);
}
