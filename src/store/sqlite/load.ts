// Loads what a batch touches, inside its transaction.

import type Database from "better-sqlite3";
import type { Selectable } from "kysely";
import type { Touched } from "../../domain/command.ts";
import type { Hold } from "../../domain/hold.ts";
import { partsHere, type JournalHead, type JournalRecord } from "../../domain/journal.ts";
import type { LoadedPartition, LoadedState } from "../../domain/loaded-state.ts";
import type { Wallet } from "../../domain/wallet.ts";
import { currencyTotalsFromRow, headFromRow, holdFromRow, recordFromRow, walletFromRow } from "../rows.ts";
import type { LedgerHeadTable } from "../tables.ts";
import { activeHolds } from "./active-holds.ts";
import { eligibleHolds } from "./eligible-holds.ts";
import type { KeyIndexes } from "./keys/key-index.ts";
import { operationRow, type Queries } from "./queries.ts";
import { prepareAll } from "./statement.ts";
import { walletRowsOf } from "./user-wallets.ts";
import { writtenQueries } from "./written-queries.ts";

/** The heads of the partitions that are touched, in their order. To be read inside the transaction that loads. */
export type Heads = readonly Selectable<LedgerHeadTable>[];

/** Answers a function that loads from this connection what is touched behind the heads, of a ledger with so many partitions. Call it inside the transaction that read them. */
export function prepareLoad(
  connection: Database.Database,
  queries: Queries,
  keyIndexes: KeyIndexes,
  partitionCount: number,
): (heads: Heads, touched: readonly Touched[], machineTimeMs: number) => LoadedState {
  const loadPartition = prepareLoadPartition(connection, queries, keyIndexes);
  return (headRows, touched, machineTimeMs) => {
    const heads = headRows.map(headFromRow);
    const nowMs = heads.reduce((last, { timeMs }) => Math.max(last, timeMs), machineTimeMs);
    return { partitionCount, nowMs, partitions: touched.map((each, index) => loadPartition(heads[index]!, each, nowMs)) };
  };
}

function prepareLoadPartition(connection: Database.Database, queries: Queries, keyIndexes: KeyIndexes): (head: JournalHead, touched: Touched, nowMs: number) => LoadedPartition {
  const eligible = eligibleHolds(activeHolds(prepareAll(connection, writtenQueries.activeHolds), queries), queries);
  return (head, touched, nowMs) => {
    const partition = BigInt(head.partition);
    const wallets = new Map<bigint, Wallet>();
    const holds = new Map<bigint, Hold>();
    const records = new Map<bigint, JournalRecord>();

    const loadWallet = (walletId: bigint): void => {
      if (wallets.has(walletId)) return;
      const row = queries.wallet.get({ partition, walletId });
      if (row !== undefined) wallets.set(walletId, walletFromRow(row));
    };
    const loadHold = (holdId: bigint): void => {
      if (holds.has(holdId)) return;
      const row = queries.hold.get({ partition, holdId });
      if (row === undefined) return;
      holds.set(holdId, holdFromRow(row));
      loadWallet(row.wallet_id);
    };
    const loadRecord = (sequence: bigint): void => {
      if (records.has(sequence)) return;
      const row = queries.record.get({ partition, sequence });
      if (row === undefined) return;
      const record = recordFromRow(row);
      records.set(sequence, record);
      for (const { walletId } of partsHere(record)) loadWallet(walletId);
      if (row.hold_id !== null) loadHold(row.hold_id);
    };

    const asked = new Set<string>();
    for (const { userId, currency } of touched.wallets) {
      const name = `${userId} ${currency ?? ""}`;
      if (asked.has(name)) continue;
      asked.add(name);
      for (const row of walletRowsOf(queries, { partition, userId, currency })) if (!wallets.has(row.wallet_id)) wallets.set(row.wallet_id, walletFromRow(row));
    }
    const keyIndex = keyIndexes.of(head.partition);
    const keys = [...new Set(touched.keyHashes)].flatMap((hash) => keyIndex.find(hash) ?? []);
    for (const { outcome } of keys) if ("sequence" in outcome) loadRecord(outcome.sequence);
    touched.holdIds.forEach(loadHold);
    const found = touched.eligibleHolds === undefined ? { holdIds: [], moreRemain: false } : eligible(partition, touched.eligibleHolds, nowMs, wallets.keys());
    found.holdIds.forEach(loadHold);

    return {
      head,
      wallets: [...wallets.values()],
      holds: [...holds.values()],
      records: [...records.values()],
      operationIds: touched.operationIds.filter((operationId) => operationRow(queries, operationId) !== undefined),
      keys,
      currencyTotals: queries.currencyTotals.all({ partition }).map(currencyTotalsFromRow),
      eligible: found,
    };
  };
}
