// The queries that both the writer and the readers make, prepared on one connection.

import type Database from "better-sqlite3";
import type { Selectable } from "kysely";
import type { CurrencyTotalsTable, HoldTable, JournalTable, LedgerHeadTable, WalletTable } from "../tables.ts";
import { statement, type Statement } from "./statement.ts";

/** Each by the key or index that serves it. */
export interface Queries {
  head: Statement<{ partition: bigint }, Selectable<LedgerHeadTable>>;
  wallet: Statement<{ partition: bigint; walletId: bigint }, Selectable<WalletTable>>;
  walletOfUser: Statement<{ partition: bigint; userId: string; currency: string }, Selectable<WalletTable>>;
  /** In no order: they are few, and an ORDER BY tempts SQLite to walk the partition instead. */
  walletsOfUser: Statement<{ partition: bigint; userId: string }, Selectable<WalletTable>>;
  hold: Statement<{ partition: bigint; holdId: bigint }, Selectable<HoldTable>>;
  record: Statement<{ partition: bigint; sequence: bigint }, Selectable<JournalTable>>;
  recordsAfter: Statement<{ partition: bigint; after: bigint; limit: bigint }, Selectable<JournalTable>>;
  currencyTotals: Statement<{ partition: bigint }, Selectable<CurrencyTotalsTable>>;
}

/** Prepares them on this connection. */
export function prepareQueries(connection: Database.Database): Queries {
  return {
    head: statement(connection, (db, arg) => db.selectFrom("ledger_head").selectAll().where("partition", "=", arg("partition"))),
    wallet: statement(connection, (db, arg) =>
      db.selectFrom("wallets").selectAll().where("partition", "=", arg("partition")).where("wallet_id", "=", arg("walletId")),
    ),
    walletOfUser: statement(connection, (db, arg) =>
      db.selectFrom("wallets").selectAll().where("partition", "=", arg("partition")).where("user_id", "=", arg("userId")).where("currency", "=", arg("currency")),
    ),
    walletsOfUser: statement(connection, (db, arg) =>
      db.selectFrom("wallets").selectAll().where("partition", "=", arg("partition")).where("user_id", "=", arg("userId")),
    ),
    hold: statement(connection, (db, arg) => db.selectFrom("holds").selectAll().where("partition", "=", arg("partition")).where("hold_id", "=", arg("holdId"))),
    record: statement(connection, (db, arg) =>
      db.selectFrom("journal").selectAll().where("partition", "=", arg("partition")).where("sequence", "=", arg("sequence")),
    ),
    recordsAfter: statement(connection, (db, arg) =>
      db.selectFrom("journal").selectAll().where("partition", "=", arg("partition")).where("sequence", ">", arg("after")).orderBy("sequence").limit(arg("limit")),
    ),
    currencyTotals: statement(connection, (db, arg) =>
      db.selectFrom("currency_totals").selectAll().where("partition", "=", arg("partition")).orderBy("currency").orderBy("exponent"),
    ),
  };
}
