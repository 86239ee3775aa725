// Finds the holds that may be released: all of them, a currency's, or a user's, oldest eligibility first.

import type Database from "better-sqlite3";
import { sql } from "kysely";
import { holdStatusNumbers } from "../../domain/hold.ts";
import type { Touched } from "../../domain/command.ts";
import type { LoadedState } from "../../domain/ledger-state.ts";
import type { Queries } from "./queries.ts";
import { statement } from "./statement.ts";

type Filter = NonNullable<Touched["eligibleHolds"]>;
type Find = (partition: bigint, filter: Filter, nowMs: number, touchedWalletIds: Iterable<bigint>) => LoadedState["eligible"];
type Row = { hold_id: bigint; eligible_time_ms: bigint };
type Window = { partition: bigint; nowMs: bigint; limit: bigint };

/**
 * Answers a function that looks for at most `max` holds, and for one more to know whether more remain: of all, of a filter, or of the wallets that
 * a batch touches. A user has few wallets and a ledger few currencies: the oldest of each are found through an index, and the oldest of those are the answer. Nothing else is looked at.
 */
export function prepareEligibleHolds(connection: Database.Database, queries: Queries): Find {
  // Written into the query, since only a literal lets SQLite use the indexes on active holds.
  const active = sql.lit(BigInt(holdStatusNumbers.ACTIVE));

  const ofCurrency = statement<Window & { currency: string }, Row>(connection, (db, arg) =>
    db
      .selectFrom("holds")
      .select(["hold_id", "eligible_time_ms"])
      .where("partition", "=", arg("partition"))
      .where("currency", "=", arg("currency"))
      .where("status", "=", active)
      .where("eligible_time_ms", "<=", arg("nowMs"))
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

  const candidates = (window: Window, filter: Filter, touchedWalletIds: Iterable<bigint>): Row[] => {
    if ("of" in filter) return [...touchedWalletIds].flatMap((walletId) => ofWallet.all({ ...window, walletId }));
    const { userId, currency } = filter;
    const { partition } = window;
    if (userId !== undefined) {
      const wallets = queries.walletsOfUser.all({ partition, userId }).filter((wallet) => currency === undefined || wallet.currency === currency);
      return wallets.flatMap((wallet) => ofWallet.all({ ...window, walletId: wallet.wallet_id }));
    }
    // A currency that ever had a hold has counters.
    const currencies = currency === undefined ? new Set(queries.currencyTotals.all({ partition }).map((totals) => totals.currency)) : [currency];
    return [...currencies].flatMap((each) => ofCurrency.all({ ...window, currency: each }));
  };

  return (partition, filter, nowMs, touchedWalletIds) => {
    const window = { partition, nowMs: BigInt(nowMs), limit: BigInt(filter.max + 1) };
    const oldestFirst = candidates(window, filter, touchedWalletIds).toSorted((a, b) => Number(a.eligible_time_ms - b.eligible_time_ms) || Number(a.hold_id - b.hold_id));
    return { holdIds: oldestFirst.slice(0, filter.max).map((row) => row.hold_id), moreRemain: oldestFirst.length > filter.max };
  };
}
