// Finds the holds that may be released: all of them, a currency's, or a user's, oldest eligibility first.

import type Database from "better-sqlite3";
import { sql } from "kysely";
import { holdStatusNumbers } from "../../domain/canonical.ts";
import type { Touched } from "../../domain/command.ts";
import type { LoadedState } from "../../domain/ledger-state.ts";
import type { Queries } from "./queries.ts";
import { statement } from "./statement.ts";

type Filter = NonNullable<Touched["eligibleHolds"]>;
type Row = { hold_id: bigint; eligible_time_ms: bigint };
type Window = { partition: bigint; nowMs: bigint; limit: bigint };

/** Answers a function that looks for at most `max` holds, and for one more to know whether more remain. */
export function prepareEligibleHolds(connection: Database.Database, queries: Queries): (partition: bigint, filter: Filter, nowMs: number) => LoadedState["eligible"] {
  // Written into the query, since only a literal lets SQLite use the indexes on active holds.
  const active = sql.lit(BigInt(holdStatusNumbers.ACTIVE));

  const ofAll = statement<Window, Row>(connection, (db, arg) =>
    db
      .selectFrom("holds")
      .select(["hold_id", "eligible_time_ms"])
      .where("partition", "=", arg("partition"))
      .where("status", "=", active)
      .where("eligible_time_ms", "<=", arg("nowMs"))
      .orderBy("eligible_time_ms")
      .orderBy("hold_id")
      .limit(arg("limit")),
  );

  const ofCurrency = statement<Window & { currency: string }, Row>(connection, (db, arg) =>
    db
      .selectFrom("holds")
      .innerJoin("wallets", (join) => join.onRef("wallets.partition", "=", "holds.partition").onRef("wallets.wallet_id", "=", "holds.wallet_id"))
      .select(["hold_id", "eligible_time_ms"])
      .where("holds.partition", "=", arg("partition"))
      .where("status", "=", active)
      .where("eligible_time_ms", "<=", arg("nowMs"))
      .where("currency", "=", arg("currency"))
      .orderBy("eligible_time_ms")
      .orderBy("hold_id")
      .limit(arg("limit")),
  );

  const ofWallet = statement<Window & { walletId: bigint }, Row>(connection, (db, arg) =>
    db
      .selectFrom("holds")
      .select(["hold_id", "eligible_time_ms"])
      .where("partition", "=", arg("partition"))
      .where("wallet_id", "=", arg("walletId"))
      .where("status", "=", active)
      .where("eligible_time_ms", "<=", arg("nowMs"))
      .orderBy("eligible_time_ms")
      .orderBy("hold_id")
      .limit(arg("limit")),
  );

  /** A user has few wallets: each one's oldest are found through its index, and the oldest of those are the user's. */
  const ofUser = (window: Window, userId: string, currency: string | undefined): Row[] =>
    queries.walletsOfUser
      .all({ partition: window.partition, userId })
      .filter((wallet) => currency === undefined || wallet.currency === currency)
      .flatMap((wallet) => ofWallet.all({ ...window, walletId: wallet.wallet_id }))
      .toSorted((a, b) => Number(a.eligible_time_ms - b.eligible_time_ms) || Number(a.hold_id - b.hold_id))
      .slice(0, Number(window.limit));

  return (partition, { userId, currency, max }, nowMs) => {
    const window = { partition, nowMs: BigInt(nowMs), limit: BigInt(max + 1) };
    const found = userId !== undefined ? ofUser(window, userId, currency) : currency !== undefined ? ofCurrency.all({ ...window, currency }) : ofAll.all(window);
    return { holdIds: found.slice(0, max).map((row) => row.hold_id), moreRemain: found.length > max };
  };
}
