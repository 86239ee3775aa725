// A table for what wallets' rows have yet to learn: a migration of SQLite's own.

import type Database from "better-sqlite3";

export function addNewerWallets(connection: Database.Database): void {
  connection
    .prepare("create table newer_wallets (partition integer not null, sequence integer not null, states blob not null, primary key (partition, sequence)) strict, without rowid")
    .run();
}
