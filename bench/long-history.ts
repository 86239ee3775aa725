// A ledger with one wallet and a long history, written straight into the tables: rows, links and marks are as the writer leaves them, the hashes are not.

import Database from "better-sqlite3";
import { operationKindNumbers } from "../src/domain/journal.ts";
import { recordsPerMark } from "../src/store/history-marks.ts";
import { fillLedger } from "./filled-ledger.ts";

/** Where the history is in time: one operation a millisecond, the last a second ago. */
export interface LongHistory {
  readonly operations: number;
  readonly endTimeMs: number;
}

/** Opens a wallet, adds money to it, and makes further additions of one cent until there are so many operations in all. */
export async function writeLongHistory(databasePath: string, operations: number): Promise<LongHistory> {
  await fillLedger(databasePath, 1);
  const connection = new Database(databasePath);
  connection.pragma("synchronous = OFF");
  connection.pragma("journal_mode = WAL");
  const endTimeMs = Date.now() - 1_000;
  const beginTimeMs = endTimeMs - operations;
  connection.transaction(() => {
    connection.prepare("update journal set time_ms = ? + sequence").run(beginTimeMs);
    connection
      .prepare(
        `with recursive numbers (n) as (select 3 union all select n + 1 from numbers where n < @operations)
         insert into journal ("partition", sequence, operation_id, kind, wallet_id, amount_minor, available_after_minor, held_after_minor, state_after, version_after, previous_sequence, time_ms, hash)
         select first."partition", n, n, @kind, first.wallet_id, 1, first.available_after_minor + n - 2, 0, first.state_after, n, n - 1, @beginTimeMs + n, zeroblob(32)
         from numbers cross join (select * from journal where sequence = 2) as first where n <= @operations`,
      )
      .run({ operations, beginTimeMs, kind: operationKindNumbers.ADD });
    connection
      .prepare(`insert into history_marks ("partition", wallet_id, sequence) select "partition", wallet_id, sequence from journal where version_after % ? = 0`)
      .run(recordsPerMark);
    connection.prepare("update wallets set available_minor = available_minor + @more, version = @operations, head_sequence = @operations, update_time_ms = @endTimeMs").run({ more: operations - 2, operations, endTimeMs });
    connection.prepare("update ledger_head set sequence = ?, time_ms = ?").run(operations, endTimeMs);
  })();
  connection.pragma("wal_checkpoint(TRUNCATE)");
  connection.close();
  return { operations, endTimeMs };
}
