// A SQLite file as the target of a copy: empty at first, with a note of the copy until it is a ledger.

import Database from "better-sqlite3";
import type { Selectable } from "kysely";
import { StartError } from "../../start-error.ts";
import type { CopiedRows } from "../copy/copied-tables.ts";
import { alreadyLedgerSentence, noteTable, type CopyNote } from "../copy/copy-note.ts";
import type { CopyTarget } from "../copy/copy-target.ts";
import type { LedgerHeadTable, LedgerTable } from "../tables.ts";
import { openForWriting } from "./connection.ts";
import { copiedTableStatements } from "./copied-rows.ts";
import { faultOf } from "./fault.ts";
import { lockFile } from "./file-lock.ts";
import { writeKeyRuns } from "./keys/all-key-runs.ts";
import { closeToOthers, isMade, makeLedgerFile, truePathOf } from "./ledger-file.ts";
import { assertOurs, makeTables, markAsLedger } from "./migrate.ts";
import { statePlannerStatistics } from "./planner-statistics.ts";
import { readHeads } from "./sqlite-copy-source.ts";
import { startFailure } from "./sqlite-store.ts";
import { statement } from "./query.ts";
import { rowArguments } from "./statement.ts";

/** Throws StartError where the file is a ledger already or another program's, or another process has it open. */
export function openSqliteCopyTarget(path: string): CopyTarget {
  let lock: ReturnType<typeof lockFile> | undefined;
  let connection: Database.Database | undefined;
  try {
    const truePath = truePathOf(path);
    if (isMade(truePath)) assertOurs(truePath);
    lock = lockFile(truePath);
    if (!isMade(truePath)) makeLedgerFile(truePath);
    closeToOthers(truePath);
    connection = openForWriting(truePath);
    if (hasTable(connection, "ledger") && connection.prepare("select 1 from ledger").get() !== undefined) throw new StartError(alreadyLedgerSentence(path));
    return targetOn(connection, lock);
  } catch (error) {
    connection?.close();
    lock?.release();
    throw startFailure(error, path);
  }
}

function targetOn(connection: Database.Database, lock: { release(): void }): CopyTarget {
  const of = copiedTableStatements(connection);

  const transaction = (work: () => void): void => {
    let isCommitting = false;
    try {
      connection.exec("BEGIN IMMEDIATE");
      work();
      isCommitting = true;
      connection.exec("COMMIT");
      // Nobody waits for it, and the log would otherwise be as long as the ledger.
      connection.pragma("wal_checkpoint(PASSIVE)");
    } catch (error) {
      if (connection.inTransaction) connection.exec("ROLLBACK");
      throw faultOf(error, isCommitting ? "committing" : "writing");
    }
  };

  const insertRows = ({ table, rows }: CopiedRows): void => {
    const { insert } = of(table);
    for (const row of rows) insert(row);
  };

  return {
    // Its settings are stated and read back, or it is not opened.
    durability: { durable: true, reasons: [] },

    async begin(note) {
      // The note first: from then on no service takes the tables for a ledger that it is to create.
      markAsLedger(connection);
      if (!hasTable(connection, noteTable)) {
        transaction(() => {
          connection.exec(`create table ${noteTable} (heads text not null, partitions integer not null) strict`);
          connection.prepare(`insert into ${noteTable} (heads, partitions) values (?, ?)`).run(note.heads, note.partitions);
        });
      }
      await makeTables(connection);
      // Only now: who makes the tables reckons with JavaScript's own numbers.
      connection.defaultSafeIntegers(true);
      return connection.prepare<[], CopyNote>(`select heads, partitions from ${noteTable}`).get()!;
    },

    lastRow: async (table, partition) => of(table).last(partition),

    write: async (chunk) => transaction(() => chunk.forEach(insertRows)),

    async finish(ledger, heads) {
      const insertHead = statement<Selectable<LedgerHeadTable>>(connection, (db, arg) => db.insertInto("ledger_head").values(rowArguments(arg, ["partition", "sequence", "hash", "time_ms", "key_ordinal", "start_sequence", "start_hash", "moved_sequence"])));
      const insertLedger = statement<Selectable<LedgerTable>>(connection, (db, arg) => db.insertInto("ledger").values(rowArguments(arg, ["id", "partitions", "create_time_ms"])));
      transaction(() => {
        for (const head of heads) {
          insertHead.run(head);
          writeKeyRuns(connection, head.partition);
        }
        insertLedger.run(ledger);
        connection.exec(`drop table ${noteTable}`);
      });
      statePlannerStatistics(connection);
    },

    heads: async () => readHeads(connection),

    async close() {
      connection.close();
      lock.release();
    },
  };
}

function hasTable(connection: Database.Database, name: string): boolean {
  return connection.prepare("select 1 from sqlite_schema where type = 'table' and name = ?").get(name) !== undefined;
}
