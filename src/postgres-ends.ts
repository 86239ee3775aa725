// The ends of a PostgreSQL ledger: each network thread of each server writes and reads through connections of its own.

import type { Config } from "./config.ts";
import type { PostgresDatabase } from "./database.ts";
import { currencyRegistry } from "./domain/currency.ts";
import type { LedgerEnds } from "./ledger-ends.ts";
import { announcing, executorOn } from "./ledger/executor.ts";
import { openGrowthNotices } from "./store/postgres/growth-notices.ts";
import { openPostgresStore, startFailure } from "./store/postgres/open-postgres.ts";
import { openPostgresReads } from "./store/postgres/postgres-reads.ts";

/**
 * Batches that go side by side; as many again may be made ready behind them, and as many go apart. Each has a connection; a server with few processors writes no faster with more of them, and what waits meanwhile shares the next one's commit.
 */
const batchesMax = 4;

/**
 * As many operations there are to be for each of them: what a transaction and each partition in it cost by themselves is shared. Of 64 calls in flight on 8 partitions, each cost PostgreSQL 250 to
 * 300 µs in four batches of two partitions, and 90 to 110 in one.
 */
const batchLengthMin = 64;

/** As many operations are to wait for a batch to be made ready behind another: fewer cost less where they share the next one's transaction (docs/decisions/0028). */
const behindLengthMin = 256;

/** Each takes some 12 statements. All of a transaction's are sent at once, and each is to be answered within `answerMaxDefaultMs` (store/postgres/connection.ts) from then on. */
const partitionsABatchMax = 64;

type EndsConfig = Pick<Config, "partitions" | "assets" | "holdPeriodMs" | "autoRelease" | "idempotencyRetentionMs" | "batchLengthMax">;

/** Opens the ledger, creating or migrating it first. Throws StartError where the database is no ledger that this version can serve, or cannot be reached. */
export async function openPostgresEnds({ url }: PostgresDatabase, { partitions, assets, batchLengthMax, ...rules }: EndsConfig): Promise<LedgerEnds> {
  const { store, durability } = await openPostgresStore(url, Date.now, { partitions });
  const reads = await openPostgresReads(url, Date.now).catch(async (error: unknown) => {
    await store.close();
    throw startFailure(error);
  });
  const notices = openGrowthNotices(url);
  return {
    executor: announcing(executorOn(store, { currencies: currencyRegistry(assets), ...rules }), () => notices.tell()),
    reads,
    lanes: { partitionCount: store.partitionCount, batchesMax, partitionsABatchMax, batchLengthMin, behindLengthMin, batchLengthMax },
    durability,
    whenGrown: (listener) => notices.whenTold(listener),
    async close() {
      await Promise.all([notices.close(), reads.close()]);
      await store.close();
    },
  };
}
