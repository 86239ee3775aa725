// Loads what a batch touches, inside its transaction.

import type Database from "better-sqlite3";
import type { Touched } from "../../domain/command.ts";
import type { Hold } from "../../domain/hold.ts";
import { birthplaceOf, type JournalRecord } from "../../domain/journal.ts";
import type { LoadedState } from "../../domain/ledger-state.ts";
import type { Wallet } from "../../domain/wallet.ts";
import { currencyTotalsFromRow, headFromRow, holdFromRow, recordFromRow, walletFromRow } from "../rows.ts";
import { prepareEligibleHolds } from "./eligible-holds.ts";
import type { KeyIndexes } from "./keys/key-index.ts";
import type { Queries } from "./queries.ts";
import { walletRowsOf } from "./user-wallets.ts";

/** Answers a function that loads from this connection. Call it inside a transaction. */
export function prepareLoad(connection: Database.Database, queries: Queries, keyIndexes: KeyIndexes): (partition: number, touched: Touched, machineTimeMs: number) => LoadedState {
  const eligible = prepareEligibleHolds(connection, queries);
  return (partitionNumber, touched, machineTimeMs) => {
    const partition = BigInt(partitionNumber);
    const headRow = queries.head.get({ partition });
    if (headRow === undefined) throw new Error(`partition ${partitionNumber} has no journal`);
    const head = headFromRow(headRow);
    const nowMs = Math.max(machineTimeMs, head.timeMs);
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
      records.set(sequence, recordFromRow(row));
      loadWallet(row.wallet_id);
      if (row.receiver_wallet_id !== null) loadWallet(row.receiver_wallet_id);
      if (row.hold_id !== null) loadHold(row.hold_id);
    };

    for (const { userId, currency } of unique(touched.wallets)) {
      for (const row of walletRowsOf(queries, { partition, userId, currency })) if (!wallets.has(row.wallet_id)) wallets.set(row.wallet_id, walletFromRow(row));
    }
    const keyIndex = keyIndexes.of(partitionNumber);
    const keys = [...new Set(touched.keyHashes)].flatMap((hash) => keyIndex.find(hash) ?? []);
    for (const { outcome } of keys) if ("sequence" in outcome) loadRecord(outcome.sequence);
    for (const operationId of touched.operationIds) {
      const birthplace = birthplaceOf(operationId);
      if (birthplace.partition === partitionNumber) loadRecord(birthplace.sequence);
    }
    touched.holdIds.forEach(loadHold);
    const found = touched.eligibleHolds === undefined ? { holdIds: [], moreRemain: false } : eligible(partition, touched.eligibleHolds, nowMs, wallets.keys());
    found.holdIds.forEach(loadHold);

    return {
      head,
      nowMs,
      wallets: [...wallets.values()],
      holds: [...holds.values()],
      records: [...records.values()],
      keys,
      currencyTotals: queries.currencyTotals.all({ partition }).map(currencyTotalsFromRow),
      eligible: found,
    };
  };
}

function unique(wallets: Touched["wallets"]): Touched["wallets"] {
  return [...new Map(wallets.map((wallet) => [`${wallet.userId} ${wallet.currency ?? ""}`, wallet])).values()];
}
