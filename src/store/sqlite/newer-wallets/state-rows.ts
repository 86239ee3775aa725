// The queries on the states that wallets' rows do not have yet.

import type { Selectable } from "kysely";
import type { NewerWalletsTable } from "../../tables.ts";
import { rowArguments, type Statement, type WriteQuery, type Written } from "../statement.ts";

/** Each by the key of the table. */
export interface StateRowStatements {
  /** Those that were written after this place of the journal, in its order. */
  readonly after: Statement<{ partition: bigint; sequence: bigint }, Selectable<NewerWalletsTable>>;
  /** Where the first one was written. */
  readonly first: Statement<{ partition: bigint }, { sequence: bigint }>;
  readonly insert: Statement<NewerWalletsTable, unknown>;
  /** Of those up to a place, the first so many. */
  readonly remove: Statement<{ partition: bigint; upTo: bigint; limit: bigint }, unknown>;
}

/** The queries of `StateRowStatements`. */
export function writeStateRows(query: WriteQuery): Written<StateRowStatements> {
  return {
    after: query((db, arg) =>
      db.selectFrom("newer_wallets").selectAll().where("partition", "=", arg("partition")).where("sequence", ">", arg("sequence")).orderBy("sequence"),
    ),
    first: query((db, arg) => db.selectFrom("newer_wallets").select("sequence").where("partition", "=", arg("partition")).orderBy("sequence").limit(1n)),
    insert: query((db, arg) => db.insertInto("newer_wallets").values(rowArguments(arg, ["partition", "sequence", "states"]))),
    remove: query((db, arg) =>
      db
        .deleteFrom("newer_wallets")
        .where("partition", "=", arg("partition"))
        .where("sequence", "in", (first) =>
          first.selectFrom("newer_wallets").select("sequence").where("partition", "=", arg("partition")).where("sequence", "<=", arg("upTo")).orderBy("sequence").limit(arg("limit")),
        ),
    ),
  };
}
