// A table for what wallets' rows have yet to learn: a migration of SQLite's own.

import type Database from "better-sqlite3";

/** To be called inside a transaction. Without rowids, unlike the tables of keys: most rows are small, and a commit of one operation would write a page more for each index. */
export function addNewerWallets(connection: Database.Database): void {
  connection
    .prepare("create table newer_wallets (partition integer not null, sequence integer not null, states blob not null, primary key (partition, sequence)) strict, without rowid")
    .run();
}
