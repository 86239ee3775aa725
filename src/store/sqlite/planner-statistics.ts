// What SQLite's planner is told about the tables, so that it chooses the same plans in a new ledger as in a large one.
//
// Every key leads with the partition, which tells nothing: a partition has nearly all rows. Without statistics SQLite takes each leading column for
// selective, and looks for one user's wallets by walking all wallets. Statistics are plain rows (https://sqlite.org/fileformat2.html#stat1tab): how many rows an index has, and
// how many share the same first column, the same first two, and so on. Only the proportions matter.

import type Database from "better-sqlite3";

/** Index (a table's own key has the table's name) → rows in all, and for each further leading column. */
const statistics: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  wallets: { wallets: "1000000 1000000 1", wallets_by_user: "1000000 1000000 2 1" },
  holds: { holds: "1000000 1000000 1", active_holds_by_currency: "100000 100000 20000 2 1", active_holds_by_wallet: "100000 100000 10 2 1" },
  journal: { journal: "10000000 10000000 1" },
  history_marks: { history_marks: "150000 150000 10 1" },
  idempotency_keys: { idempotency_keys: "10000000 10000000 1" },
  moved_operations: { moved_operations: "1000000 1000000 1" },
  newer_wallets: { newer_wallets: "1000 1000 1" },
  key_runs: { key_runs: "30 30 1" },
  key_chunks: { sqlite_autoindex_key_chunks_1: "60000 60000 2000 1" },
  key_filters: { sqlite_autoindex_key_filters_1: "6000 6000 200 1" },
};

/** States what is not stated yet: the figures of somebody who ran ANALYZE are as good. */
export function statePlannerStatistics(connection: Database.Database): void {
  connection.exec("ANALYZE sqlite_schema");
  const isStated = connection.prepare("select 1 from sqlite_stat1 where tbl = ? and idx = ?");
  const insert = connection.prepare("insert into sqlite_stat1 (tbl, idx, stat) values (?, ?, ?)");
  connection.transaction(() => {
    for (const [table, indexes] of Object.entries(statistics)) {
      for (const [index, stat] of Object.entries(indexes)) if (isStated.get(table, index) === undefined) insert.run(table, index, stat);
    }
  })();
  // Reads them into this connection; others read them when they open the file.
  connection.exec("ANALYZE sqlite_schema");
}
