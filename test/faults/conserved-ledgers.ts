// The ledgers that money is conserved in: a file, and databases of the run's PostgreSQL with one partition and with eight. How each is looked at past the service.

import { join } from "node:path";
import { checkBooks, type CheckedBooks } from "../support/books.ts";
import { checkPostgresBooks, makeDatabase } from "../support/postgres-place.ts";
import { journalLines } from "./journal-file.ts";
import { operationLines } from "./postgres/journal-tables.ts";
import type { PartitionLine } from "./seen-partitions.ts";
import { newFolder, type Place } from "./service-process.ts";

export interface ConservedLedger {
  /** What the service is started with. */
  readonly place: Place;
  readonly flags: readonly string[];
  /** Every operation once, in the order of its partition. */
  lines(): Promise<Iterable<PartitionLine>>;
  /** Everything that section 6 of the contract says. */
  checkBooks(): Promise<CheckedBooks>;
  remove(): Promise<void>;
}

export interface ConservedKind {
  readonly name: string;
  /** How many operations a short run applies, and on how many wallets that are not hot. */
  readonly shortRun: { readonly operations: number; readonly cold: number };
  make(): Promise<ConservedLedger>;
}

const onSqlite: ConservedKind = {
  name: "SQLite",
  shortRun: { operations: 10_000, cold: 1_000 },
  async make() {
    const databasePath = join(newFolder("conservation"), "wallet.db");
    return {
      place: { databasePath },
      flags: [],
      lines: async () => inPartition(0, journalLines(databasePath)),
      checkBooks: async () => checkBooks(databasePath),
      remove: async () => {},
    };
  },
};

const onPostgres = (partitions: number): ConservedKind => ({
  name: `PostgreSQL, ${partitions} ${partitions === 1 ? "partition" : "partitions"}`,
  shortRun: { operations: 4_000, cold: 100 },
  async make() {
    const { url, remove } = await makeDatabase("empty");
    return {
      place: { databaseUrl: url },
      flags: [`--partitions=${partitions}`],
      lines: () => operationLines(url),
      checkBooks: () => checkPostgresBooks(url),
      remove,
    };
  },
});

export const conservedLedgers: readonly ConservedKind[] = [onSqlite, onPostgres(1), onPostgres(8)];

function* inPartition(partition: number, lines: Iterable<Omit<PartitionLine, "partition">>): Generator<PartitionLine> {
  for (const line of lines) yield { ...line, partition };
}
