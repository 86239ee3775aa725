// The PostgreSQL engine's reading side: connections of its own, which see the last commit, whichever server made it.

import { birthplaceOf, type JournalHead } from "../../domain/journal.ts";
import type { CurrencyTotals } from "../../domain/loaded-state.ts";
import { partitionOf } from "../../domain/partitions.ts";
import type { UserId } from "../../domain/wallet.ts";
import { currencyTotalsFromRow, headFromRow, holdFromRow, keyFromRow, walletFromRow } from "../rows.ts";
import type { Reads, WalletKey } from "../store.ts";
import { openReadingConnections, type PoolOptions } from "./connection.ts";
import { eligibleHolds } from "./eligible-holds.ts";
import { History } from "./history.ts";
import { holdList } from "./hold-lists.ts";
import { MovedOperations } from "./moved-operations.ts";
import { queries } from "./queries.ts";
import { recorded, recordedAt } from "./recorded.ts";
import type { Session } from "./session.ts";
import { inSnapshot } from "./snapshot.ts";
import { SnapshotsOfAll } from "./snapshots-of-all.ts";
import { walletRowsOf } from "./user-wallets.ts";

/** Opens reading connections to a ledger that a store has opened. `clock` is the machine's time in milliseconds since 1970. Throws StoreFault where it cannot be reached. */
export async function openPostgresReads(url: string, clock: () => number, options: PoolOptions = {}): Promise<Reads> {
  const connections = openReadingConnections(url, options);
  const snapshot = <T>(read: (session: Session) => Promise<T>): Promise<T> => inSnapshot(connections, read);
  const movedOperations = new MovedOperations();
  const [partitionCount, snapshotsOfAll] = await Promise.all([snapshot(partitionCountOf), SnapshotsOfAll.of(connections)]).catch(async (error: unknown) => {
    await connections.close();
    throw error;
  });

  const partitionFor = (userId: UserId): bigint => BigInt(partitionOf(userId, partitionCount));
  const everyPartition = Array.from({ length: partitionCount }, (_, partition) => BigInt(partition));
  /** Those that a filter is about. */
  const partitionsFor = (userId: UserId | undefined): readonly bigint[] => (userId === undefined ? everyPartition : [partitionFor(userId)]);
  const inHistory = <T>(wallet: WalletKey, read: (history: History) => Promise<T>): Promise<T> => snapshot((session) => read(new History(session, partitionFor(wallet.userId))));
  const headOf = async (session: Session, partition: bigint): Promise<JournalHead> => {
    const row = await session.get(queries.head, { partition });
    if (row === undefined) throw new Error(`partition ${partition} has no journal`);
    return headFromRow(row);
  };

  return {
    partitionCount,

    wallets: (userId, currency) => snapshot(async (session) => (await walletRowsOf(session, { partition: partitionFor(userId), userId, currency })).map(walletFromRow)),

    hold: (userId, holdId) =>
      snapshot(async (session) => {
        const partition = partitionFor(userId);
        const hold = await session.get(queries.holds, { partition, holdIds: [holdId] });
        if (hold === undefined) return undefined;
        const wallet = await session.get(queries.wallets, { partition, walletIds: [hold.wallet_id] });
        return { hold: holdFromRow(hold), wallet: walletFromRow(wallet!) };
      }),

    operation: (operationId) =>
      snapshot(async (session) => {
        const { partition, sequence } = birthplaceOf(operationId);
        const found = await recordedAt(session, BigInt(partition), sequence);
        if (found?.record.operationId === operationId) return found;
        const [moved] = await movedOperations.find(session, [operationId]);
        return moved && recordedAt(session, moved.partition, moved.sequence);
      }),

    head: (partition) => snapshot((session) => headOf(session, BigInt(partition))),

    heads: (partitions) => snapshot((session) => Promise.all(partitions.map((partition) => headOf(session, BigInt(partition))))),

    start: (partition) =>
      snapshot(async (session) => {
        const row = await session.get(queries.head, { partition: BigInt(partition) });
        return { partition, sequence: row!.start_sequence, hash: row!.start_hash };
      }),

    operationsAfter: (partition, sequence, limit) =>
      snapshot(async (session) => {
        const rows = await session.all(queries.recordsAfter, { partition: BigInt(partition), after: sequence, limit: BigInt(limit) });
        return recorded(session, BigInt(partition), rows);
      }),

    key: (userId, keyHash) =>
      snapshot(async (session) => {
        const partition = partitionFor(userId);
        const row = await session.get(queries.keys, { partition, keyHashes: [Buffer.from(keyHash, "hex")] });
        if (row === undefined) return undefined;
        return { key: keyFromRow(row), operation: row.sequence === null ? undefined : await recordedAt(session, partition, row.sequence) };
      }),

    totals({ userId, currency }) {
      if (userId !== undefined) return snapshot(async (session): Promise<CurrencyTotals[]> => (await walletRowsOf(session, { partition: partitionFor(userId), userId, currency })).map(walletFromRow));
      return snapshotsOfAll.read(async (session) => {
        const rows = await Promise.all(everyPartition.map((partition) => session.all(queries.currencyTotals, { partition })));
        const all = rows.flat().map(currencyTotalsFromRow);
        return currency === undefined ? all : all.filter((totals) => totals.currency === currency);
      });
    },

    hasOverdue: (filter) =>
      // By each partition's own clock, as a release goes: by a clock that is ahead of it there would be holds that no release releases.
      snapshot(async (session) => {
        const found = await Promise.all(
          partitionsFor(filter.userId).map(async (partition) => {
            const nowMs = Math.max(clock(), (await headOf(session, partition)).timeMs);
            return eligibleHolds(session, partition, { filter: { ...filter, max: 0 }, nowMs, touchedWalletIds: [] });
          }),
        );
        return found.some(({ moreRemain }) => moreRemain);
      }),

    walletAsOf: (wallet, point) => inHistory(wallet, (history) => history.walletAsOf(wallet.walletId, point)),
    operations: (query) => inHistory(query.wallet, (history) => history.operations(query)),
    period: (wallet, period) => inHistory(wallet, (history) => history.period(wallet.walletId, period)),
    operationsForward: (wallet, between) => inHistory(wallet, (history) => history.operationsForward(wallet.walletId, between)),
    holds: (query) => snapshot((session) => holdList(session, partitionsFor(query.userId), query)),

    nowMs: (userId) =>
      snapshot(async (session) => {
        const heads = await Promise.all(partitionsFor(userId).map((partition) => headOf(session, partition)));
        return heads.reduce((last, { timeMs }) => Math.max(last, timeMs), clock());
      }),

    close: () => connections.close(),
  };
}

/** How many partitions the ledger has; it never changes. */
export async function partitionCountOf(session: Session): Promise<number> {
  const row = await session.get(queries.ledger, {});
  if (row === undefined) throw new Error("the ledger has no row of its own");
  return Number(row.partitions);
}
