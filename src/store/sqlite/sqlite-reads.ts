// The SQLite engine's reading side: a connection of its own that sees the last commit, wherever the writer is.

import type Database from "better-sqlite3";
import { birthplaceOf, onlyPartition } from "../../domain/journal.ts";
import type { CurrencyTotals } from "../../domain/ledger-state.ts";
import { currencyTotalsFromRow, headFromRow, holdFromRow, keyFromRow, walletFromRow } from "../rows.ts";
import type { Reads, RecordedOperation } from "../store.ts";
import { openForReading } from "./connection.ts";
import { prepareEligibleHolds } from "./eligible-holds.ts";
import { faultOf } from "./fault.ts";
import { prepareHistory } from "./history.ts";
import { prepareHoldLists } from "./hold-lists.ts";
import { prepareKeyLookup } from "./keys/key-lookup.ts";
import { prepareQueries, type Queries } from "./queries.ts";
import { recordedIn } from "./recorded.ts";
import { walletRowsOf } from "./user-wallets.ts";

const partition = BigInt(onlyPartition);

/** Opens a reading connection on a ledger that a store has opened. `clock` is the machine's time in milliseconds since 1970. */
export function openSqliteReads(path: string, clock: () => number): Reads {
  const connection = openForReading(path);
  const queries = prepareQueries(connection);
  const eligible = prepareEligibleHolds(connection, queries);
  const now = (): number => Math.max(clock(), headFromRow(queries.head.get({ partition })!).timeMs);
  const history = prepareHistory(connection, queries, partition);
  const holds = prepareHoldLists(connection, queries, partition);
  const key = prepareKeyLookup(connection);
  const snapshot = <T>(read: () => T): Promise<T> => inSnapshot(connection, read);

  return {
    wallets: (userId, currency) => snapshot(() => walletRowsOf(queries, { partition, userId, currency }).map(walletFromRow)),

    hold: (holdId) =>
      snapshot(() => {
        const hold = queries.hold.get({ partition, holdId });
        return hold && { hold: holdFromRow(hold), wallet: walletFromRow(queries.wallet.get({ partition, walletId: hold.wallet_id })!) };
      }),

    operation: (operationId) =>
      snapshot(() => {
        const birthplace = birthplaceOf(operationId);
        return BigInt(birthplace.partition) === partition ? recorded(queries, birthplace.sequence) : undefined;
      }),

    head: (ofPartition) =>
      snapshot(() => {
        const row = queries.head.get({ partition: BigInt(ofPartition) });
        if (row === undefined) throw new Error(`partition ${ofPartition} has no journal`);
        return headFromRow(row);
      }),

    operationsAfter: (ofPartition, sequence, limit) =>
      snapshot(() => queries.recordsAfter.all({ partition: BigInt(ofPartition), after: sequence, limit: BigInt(limit) }).map(recordedIn(queries, BigInt(ofPartition)))),

    key: (_userId, keyHash) =>
      snapshot(() => {
        const row = key(partition, Buffer.from(keyHash, "hex"));
        return row && { key: keyFromRow(row), operation: row.sequence === null ? undefined : recorded(queries, row.sequence) };
      }),

    totals: ({ userId, currency }) =>
      snapshot((): CurrencyTotals[] => {
        if (userId !== undefined) return walletRowsOf(queries, { partition, userId, currency }).map(walletFromRow);
        const all = queries.currencyTotals.all({ partition }).map(currencyTotalsFromRow);
        return currency === undefined ? all : all.filter((totals) => totals.currency === currency);
      }),

    hasOverdue: (filter) => snapshot(() => eligible(partition, { ...filter, max: 0 }, now(), []).moreRemain),

    walletAsOf: (walletId, point) => snapshot(() => history.walletAsOf(walletId, point)),
    operations: (query) => snapshot(() => history.operations(query)),
    period: (walletId, period) => snapshot(() => history.period(walletId, period)),
    operationsForward: (walletId, between) => snapshot(() => history.operationsForward(walletId, between)),
    holds: (query) => snapshot(() => holds(query)),

    nowMs: () => snapshot(now),

    async close() {
      connection.close();
    },
  };
}

function recorded(queries: Queries, sequence: bigint): RecordedOperation | undefined {
  const row = queries.record.get({ partition, sequence });
  return row && recordedIn(queries, partition)(row);
}

/** Several statements that see the same commit. */
async function inSnapshot<T>(connection: Database.Database, read: () => T): Promise<T> {
  try {
    return connection.transaction(read)();
  } catch (error) {
    throw faultOf(error, "reading");
  }
}
