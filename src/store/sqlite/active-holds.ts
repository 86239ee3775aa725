// Active holds in the order of their eligibility, of one wallet or of all wallets of a currency: both found through an index.

import type Database from "better-sqlite3";
import { sql, type SelectQueryBuilder } from "kysely";
import { holdStatusNumbers } from "../../domain/hold.ts";
import type { Tables } from "../tables.ts";
import type { Queries } from "./queries.ts";
import { statement, type Arguments, type Statement } from "./statement.ts";

/** A place in the order of eligibility: time, then id. */
export interface EligibilityPlace {
  readonly eligible_time_ms: bigint;
  readonly hold_id: bigint;
}

/** At most `limit` holds that are eligible by `untilMs`, all behind the place `afterMs` and `afterId`. */
export interface EligibilityWindow {
  readonly partition: bigint;
  readonly afterMs: bigint;
  readonly afterId: bigint;
  readonly untilMs: bigint;
  readonly limit: bigint;
}

/** The two queries, and the currencies to ask the second one about. */
export interface ActiveHolds {
  readonly ofWallet: Statement<EligibilityWindow & { readonly walletId: bigint }, EligibilityPlace>;
  readonly ofCurrency: Statement<EligibilityWindow & { readonly currency: string }, EligibilityPlace>;
  /** The currencies that may have holds. */
  currencies(partition: bigint): readonly string[];
}

/** The place before every hold. */
export const firstPlace = { afterMs: -(2n ** 63n), afterId: -(2n ** 63n) } as const;

/** Soonest to become eligible first: for sorting what was found of several wallets or currencies. */
export function byEligibility(a: EligibilityPlace, b: EligibilityPlace): number {
  return Number(a.eligible_time_ms - b.eligible_time_ms) || Number(a.hold_id - b.hold_id);
}

/** Prepares the two queries on this connection. */
export function prepareActiveHolds(connection: Database.Database, queries: Queries): ActiveHolds {
  // Written into the query, since only a literal lets SQLite use the indexes on active holds.
  const active = sql.lit(BigInt(holdStatusNumbers.ACTIVE));
  const within = <Args extends EligibilityWindow>(holds: SelectQueryBuilder<Tables, "holds", object>, arg: Arguments<Args>) =>
    holds
      .select(["eligible_time_ms", "hold_id"])
      .where("partition", "=", arg("partition"))
      .where("status", "=", active)
      .where(sql<boolean>`(eligible_time_ms, hold_id) > (${arg("afterMs")}, ${arg("afterId")})`)
      .where("eligible_time_ms", "<=", arg("untilMs"))
      .orderBy("eligible_time_ms")
      .orderBy("hold_id")
      .limit(arg("limit"));
  return {
    ofWallet: statement(connection, (db, arg) => within(db.selectFrom("holds").where("wallet_id", "=", arg("walletId")), arg)),
    ofCurrency: statement(connection, (db, arg) => within(db.selectFrom("holds").where("currency", "=", arg("currency")), arg)),
    // A currency that ever had a hold has counters.
    currencies: (partition) => [...new Set(queries.currencyTotals.all({ partition }).map((totals) => totals.currency))],
  };
}
