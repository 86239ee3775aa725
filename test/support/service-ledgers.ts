// The ledgers that suites over the whole service run on: a file, and databases of the run's PostgreSQL with one partition and with eight.

import { makeDatabase } from "./postgres-place.ts";

/** The flags of a ledger of its own, and how it is removed. */
export interface ServiceLedger {
  readonly flags: readonly string[];
  remove(): Promise<void>;
}

export interface LedgerKind {
  readonly name: string;
  readonly isSqlite: boolean;
  readonly partitions: number;
  make(): Promise<ServiceLedger>;
}

const onPostgres = (partitions: number): LedgerKind => ({
  name: `PostgreSQL, ${partitions} ${partitions === 1 ? "partition" : "partitions"}`,
  isSqlite: false,
  partitions,
  async make() {
    const { url, remove } = await makeDatabase("empty");
    return { flags: [`--database-url=${url}`, `--partitions=${partitions}`], remove };
  },
});

const onSqlite = (partitions: number): LedgerKind => ({
  name: `SQLite, ${partitions} ${partitions === 1 ? "partition" : "partitions"}`,
  isSqlite: true,
  partitions,
  // The service of a test makes a file where no flag names a database.
  make: async () => ({ flags: [`--partitions=${partitions}`], remove: async () => {} }),
});

export const sqliteLedgers = { one: onSqlite(1), eight: onSqlite(8) } as const;
export const postgresLedgers = { one: onPostgres(1), eight: onPostgres(8) } as const;
