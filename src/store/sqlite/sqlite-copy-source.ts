// A SQLite ledger as the source of a copy: its lock is taken, so that no service starts on it.

import { existsSync } from "node:fs";
import type Database from "better-sqlite3";
import type { Selectable } from "kysely";
import { StartError } from "../../start-error.ts";
import type { CopiedRow, CopiedTable } from "../copy/copied-tables.ts";
import type { CopySource } from "../copy/copy-source.ts";
import { assertUnchanged } from "../copy/source-unchanged.ts";
import type { LedgerHeadTable, LedgerTable } from "../tables.ts";
import { openForReading } from "./connection.ts";
import { copiedTableStatements } from "./copied-rows.ts";
import { faultOf } from "./fault.ts";
import { lockFile } from "./file-lock.ts";
import { truePathOf } from "./ledger-file.ts";
import { assertServable, assertUpToDate } from "./migrate.ts";
import { NewerWallets } from "./newer-wallets/newer-wallets.ts";
import { startFailure } from "./sqlite-store.ts";
import { statement } from "./query.ts";
import { prepareAll } from "./statement.ts";
import { writtenQueries } from "./written-queries.ts";

/** Throws StartError where there is no ledger of this version's, or a service has it open. */
export function openSqliteCopySource(path: string): CopySource {
  let lock: ReturnType<typeof lockFile> | undefined;
  let connection: Database.Database | undefined;
  try {
    if (!existsSync(path)) throw new StartError(`There is no ledger ${path}. Give --from the path of one.`);
    const truePath = truePathOf(path);
    assertServable(truePath);
    assertUpToDate(truePath);
    lock = lockFile(truePath);
    connection = openForReading(truePath);
    return sourceOn(connection, lock, path);
  } catch (error) {
    connection?.close();
    lock?.release();
    throw startFailure(error, path);
  }
}

function sourceOn(connection: Database.Database, lock: { release(): void }, path: string): CopySource {
  const ledger = statement<object, Selectable<LedgerTable>>(connection, (db) => db.selectFrom("ledger").selectAll()).get({});
  if (ledger === undefined) throw new StartError(`${path} is not a ledger yet. Give --from the path of one.`);
  const heads = readHeads(connection);
  const of = copiedTableStatements(connection);
  // The lock is held and nothing is written any more, so that the first snapshot is everyone's. Read now: states that cannot be read are told before anything is copied.
  const newer = new NewerWallets(prepareAll(connection, writtenQueries.stateRows));
  for (const { partition } of heads) newer.of(partition);
  const newestOf = <Table extends CopiedTable>(table: Table, rows: CopiedRow<Table>[]): CopiedRow<Table>[] =>
    table === "wallets" ? ((rows as CopiedRow<"wallets">[]).map((row) => newer.newest(row)) as CopiedRow<Table>[]) : rows;
  return {
    ledger,
    heads,
    async rowsAfter(table, range) {
      try {
        return newestOf(table, of(table).after(range));
      } catch (error) {
        throw faultOf(error, "reading");
      }
    },
    async assertUnchanged() {
      // The system keeps the lock for as long as this process lives. But somebody may have removed the lock's file and started a service, and a file system of another machine's may forget locks.
      try {
        assertUnchanged({ ledger, heads }, readHeads(connection));
      } catch (error) {
        throw faultOf(error, "reading");
      }
    },
    async close() {
      connection.close();
      lock.release();
    },
  };
}

/** The ends of all journals, in the order of the partitions. */
export function readHeads(connection: Database.Database): Selectable<LedgerHeadTable>[] {
  return statement<object, Selectable<LedgerHeadTable>>(connection, (db) => db.selectFrom("ledger_head").selectAll().orderBy("partition")).all({});
}
