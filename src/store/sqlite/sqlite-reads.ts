// The SQLite engine's reading side: a connection of its own that sees the last commit, wherever the writer is.

import type Database from "better-sqlite3";
import type { Selectable } from "kysely";
import type { JournalHead } from "../../domain/journal.ts";
import type { CurrencyTotals } from "../../domain/loaded-state.ts";
import { partitionOf } from "../../domain/partitions.ts";
import type { UserId } from "../../domain/wallet.ts";
import { currencyTotalsFromRow, headFromRow, holdFromRow, keyFromRow, walletFromRow } from "../rows.ts";
import type { Reads, RecordedOperation, WalletKey } from "../store.ts";
import type { JournalTable } from "../tables.ts";
import { openForReading } from "./connection.ts";
import { activeHolds } from "./active-holds.ts";
import { eligibleHolds } from "./eligible-holds.ts";
import { faultOf } from "./fault.ts";
import { historyOf, type History } from "./history.ts";
import { holdLists } from "./hold-lists.ts";
import { keyLookup } from "./keys/key-lookup.ts";
import { NewerWallets } from "./newer-wallets/newer-wallets.ts";
import { operationRow, partitionCountOf, withNewest } from "./queries.ts";
import { prepareReading, type WrittenQueries } from "./reading-statements.ts";
import { recordedIn } from "./recorded.ts";
import { walletRowsOf } from "./user-wallets.ts";

/**
 * Opens a reading connection on a ledger that a store has opened. `clock` is the machine's time in milliseconds since 1970. The queries are
 * those of written-queries.ts, whichever thread has written them.
 */
export function openSqliteReads(path: string, clock: () => number, written: WrittenQueries): Reads {
  const connection = openForReading(path);
  const statements = prepareReading(connection, written);
  const newer = new NewerWallets(statements.stateRows);
  const queries = withNewest(statements.queries, newer);
  const partitionCount = partitionCountOf(queries);
  const active = activeHolds(statements.activeHolds, queries);
  const eligible = eligibleHolds(active, queries);
  const holds = holdLists({ statements: statements.holdLists, active, queries });
  const key = keyLookup(statements.keyRows, statements.keyRuns);
  const snapshot = <T>(read: () => T): Promise<T> => inSnapshot(connection, newer, read);

  const partitionFor = (userId: UserId): bigint => BigInt(partitionOf(userId, partitionCount));
  const everyPartition = Array.from({ length: partitionCount }, (_, partition) => BigInt(partition));
  /** Those that a filter is about. */
  const partitionsFor = (userId: UserId | undefined): readonly bigint[] => (userId === undefined ? everyPartition : [partitionFor(userId)]);
  const historyFor = ({ userId }: WalletKey): History => historyOf(statements.history, queries, partitionFor(userId));
  const headOf = (partition: bigint): JournalHead => {
    const row = queries.head.get({ partition });
    if (row === undefined) throw new Error(`partition ${partition} has no journal`);
    return headFromRow(row);
  };
  const recorded = (row: Selectable<JournalTable> | undefined): RecordedOperation | undefined => row && recordedIn(queries, row.partition)(row);

  return {
    partitionCount,

    wallets: (userId, currency) => snapshot(() => walletRowsOf(queries, { partition: partitionFor(userId), userId, currency }).map(walletFromRow)),

    hold: (userId, holdId) =>
      snapshot(() => {
        const partition = partitionFor(userId);
        const hold = queries.hold.get({ partition, holdId });
        return hold && { hold: holdFromRow(hold), wallet: walletFromRow(queries.wallet.get({ partition, walletId: hold.wallet_id })!) };
      }),

    operation: (operationId) => snapshot(() => recorded(operationRow(queries, operationId))),

    head: (partition) => snapshot(() => headOf(BigInt(partition))),
    heads: (partitions) => snapshot(() => partitions.map((partition) => headOf(BigInt(partition)))),

    start: (partition) =>
      snapshot(() => {
        const row = queries.head.get({ partition: BigInt(partition) })!;
        return { partition, sequence: row.start_sequence, hash: row.start_hash };
      }),

    operationsAfter: (partition, sequence, limit) =>
      snapshot(() => queries.recordsAfter.all({ partition: BigInt(partition), after: sequence, limit: BigInt(limit) }).map(recordedIn(queries, BigInt(partition)))),

    key: (userId, keyHash) =>
      snapshot(() => {
        const partition = partitionFor(userId);
        const row = key(partition, Buffer.from(keyHash, "hex"));
        return row && { key: keyFromRow(row), operation: row.sequence === null ? undefined : recorded(queries.record.get({ partition, sequence: row.sequence })) };
      }),

    totals: ({ userId, currency }) =>
      snapshot((): CurrencyTotals[] => {
        if (userId !== undefined) return walletRowsOf(queries, { partition: partitionFor(userId), userId, currency }).map(walletFromRow);
        const all = everyPartition.flatMap((partition) => queries.currencyTotals.all({ partition }).map(currencyTotalsFromRow));
        return currency === undefined ? all : all.filter((totals) => totals.currency === currency);
      }),

    hasOverdue: (filter) =>
      // By each partition's own clock, as a release goes: by a clock that is ahead of it there would be holds that no release releases.
      snapshot(() =>
        partitionsFor(filter.userId).some((partition) => eligible(partition, { ...filter, max: 0 }, Math.max(clock(), headOf(partition).timeMs), []).moreRemain),
      ),

    walletAsOf: (wallet, point) => snapshot(() => historyFor(wallet).walletAsOf(wallet.walletId, point)),
    operations: (query) => snapshot(() => historyFor(query.wallet).operations(query)),
    period: (wallet, period) => snapshot(() => historyFor(wallet).period(wallet.walletId, period)),
    operationsForward: (wallet, between) => snapshot(() => historyFor(wallet).operationsForward(wallet.walletId, between)),
    holds: (query) => snapshot(() => holds(partitionsFor(query.userId), query)),

    nowMs: (userId) => snapshot(() => partitionsFor(userId).reduce((last, partition) => Math.max(last, headOf(partition).timeMs), clock())),

    async close() {
      connection.close();
    },
  };
}

/** Several statements that see the same commit. */
async function inSnapshot<T>(connection: Database.Database, newer: NewerWallets, read: () => T): Promise<T> {
  try {
    newer.beginSnapshot();
    return connection.transaction(read)();
  } catch (error) {
    throw faultOf(error, "reading");
  }
}
