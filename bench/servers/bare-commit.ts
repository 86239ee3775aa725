// The least that a durable call can do: one row into one table, synced to disk.

import Database from "better-sqlite3";

/** Opens the file, making it and its table where they are not there. What it returns inserts a row and is done when that is on disk. */
export function openBareCommit(path: string): (userId: string) => void {
  const connection = new Database(path);
  connection.pragma("journal_mode = WAL");
  connection.pragma("synchronous = FULL");
  connection.exec("create table if not exists rows (id integer primary key, user_id text not null) strict");
  const insert = connection.prepare("insert into rows (user_id) values (?)");
  return (userId) => void insert.run(userId);
}
