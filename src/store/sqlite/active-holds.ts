// Active holds in the order of their eligibility, of one wallet or of all wallets of a currency: both found through an index.

import type { SelectQueryBuilder, Sql } from "kysely";
import { holdStatusNumbers } from "../../domain/hold.ts";
import type { EligibilityPlace, EligibilityWindow } from "../eligibility.ts";
import type { Tables } from "../tables.ts";
import type { Queries } from "./queries.ts";
import type { Arguments, Statement, WriteQuery, Written } from "./statement.ts";

/** Each by the index that serves it. */
export interface ActiveHoldStatements {
  readonly ofWallet: Statement<EligibilityWindow & { readonly walletId: bigint }, EligibilityPlace>;
  readonly ofCurrency: Statement<EligibilityWindow & { readonly currency: string }, EligibilityPlace>;
}

/** The two statements, and the currencies to ask the second one about. */
export interface ActiveHolds extends ActiveHoldStatements {
  /** The currencies that may have holds. */
  currencies(partition: bigint): readonly string[];
}

/** The queries of `ActiveHoldStatements`. */
export function writeActiveHolds(query: WriteQuery): Written<ActiveHoldStatements> {
  const within = <Args extends EligibilityWindow>(holds: SelectQueryBuilder<Tables, "holds", object>, arg: Arguments<Args>, sql: Sql) =>
    holds
      .select(["eligible_time_ms", "hold_id"])
      .where("partition", "=", arg("partition"))
      // Written into the query, since only a literal lets SQLite use the indexes on active holds.
      .where("status", "=", sql.lit(BigInt(holdStatusNumbers.ACTIVE)))
      .where(sql<boolean>`(eligible_time_ms, hold_id) > (${arg("afterMs")}, ${arg("afterId")})`)
      .where("eligible_time_ms", "<=", arg("untilMs"))
      .orderBy("eligible_time_ms")
      .orderBy("hold_id")
      .limit(arg("limit"));
  return {
    ofWallet: query((db, arg, sql) => within(db.selectFrom("holds").where("wallet_id", "=", arg("walletId")), arg, sql)),
    ofCurrency: query((db, arg, sql) => within(db.selectFrom("holds").where("currency", "=", arg("currency")), arg, sql)),
  };
}

/** Adds the currencies to the two statements. */
export function activeHolds(statements: ActiveHoldStatements, queries: Queries): ActiveHolds {
  return {
    ...statements,
    // A currency that ever had a hold has counters.
    currencies: (partition) => [...new Set(queries.currencyTotals.all({ partition }).map((totals) => totals.currency))],
  };
}
