// Lists of holds, each in the order that its filter can be served in: along a wallet's links, along the indexes on active holds, or along the key.

import type Database from "better-sqlite3";
import type { Selectable } from "kysely";
import { holdStatusNumbers } from "../../domain/hold.ts";
import type { Wallet } from "../../domain/wallet.ts";
import { holdFromRow, walletFromRow } from "../rows.ts";
import type { HoldPage, HoldQuery } from "../store.ts";
import type { HoldTable } from "../tables.ts";
import { byEligibility, firstPlace, prepareActiveHolds } from "./active-holds.ts";
import type { Queries } from "./queries.ts";
import { statement } from "./statement.ts";
import { walletRowsOf } from "./user-wallets.ts";

type HoldRow = Selectable<HoldTable>;

/** Above every id and time. */
const int64Max = 2n ** 63n - 1n;

/** Answers what `Reads.holds` does. To be called inside a transaction. */
export function prepareHoldLists(connection: Database.Database, queries: Queries, partition: bigint): (query: HoldQuery) => HoldPage | undefined {
  const active = prepareActiveHolds(connection, queries);

  const newestFirst = statement<{ fromId: bigint; limit: bigint }, HoldRow>(connection, (db, arg) =>
    db.selectFrom("holds").selectAll().where("partition", "=", partition).where("hold_id", "<=", arg("fromId")).orderBy("hold_id", "desc").limit(arg("limit")),
  );

  const hold = (holdId: bigint): HoldRow | undefined => queries.hold.get({ partition, holdId });

  /** In the order of their opening. */
  const walletsOf = ({ userId, currency }: HoldQuery): Wallet[] =>
    walletRowsOf(queries, { partition, userId: userId!, currency }).map(walletFromRow);

  const withWallets = (rows: readonly HoldRow[]): HoldPage["holds"] => {
    const wallets = new Map<bigint, Wallet>();
    return rows.map((row) => {
      const wallet = wallets.get(row.wallet_id) ?? walletFromRow(queries.wallet.get({ partition, walletId: row.wallet_id })!);
      wallets.set(row.wallet_id, wallet);
      return { hold: holdFromRow(row), wallet };
    });
  };

  /** Active holds, soonest to become eligible first. */
  const activeOnes = (query: HoldQuery): HoldPage => {
    const { userId, currency, max, continueAt } = query;
    const window = {
      partition,
      afterMs: continueAt?.eligibleTimeMs ?? firstPlace.afterMs,
      afterId: continueAt?.holdId ?? firstPlace.afterId,
      untilMs: query.eligibleAtMs === undefined ? int64Max : BigInt(query.eligibleAtMs),
      limit: BigInt(max + 1),
    };
    const found =
      userId === undefined
        ? (currency === undefined ? active.currencies(partition) : [currency]).flatMap((each) => active.ofCurrency.all({ ...window, currency: each }))
        : walletRowsOf(queries, { partition, userId, currency }).flatMap((wallet) => active.ofWallet.all({ ...window, walletId: wallet.wallet_id }));
    const inOrder = found.toSorted(byEligibility);
    const page = inOrder.slice(0, max);
    const last = page.at(-1);
    const next = inOrder.length > max && last !== undefined ? { eligibleTimeMs: last.eligible_time_ms, holdId: last.hold_id } : undefined;
    return { holds: withWallets(page.map(({ hold_id }) => hold(hold_id)!)), continueAt: next };
  };

  /** A user's, wallet after wallet, newest first: along the links. Undefined where `continueAt` is none of them. */
  const byWallet = (query: HoldQuery): HoldPage | undefined => {
    const { status, max, lookedAtMax, continueAt } = query;
    const isAsked = statusFilter(status);
    const at = continueAt && hold(continueAt.holdId);
    let wallets = walletsOf(query);
    if (continueAt !== undefined) {
      const index = wallets.findIndex((wallet) => wallet.walletId === at?.wallet_id);
      if (index === -1) return undefined;
      wallets = wallets.slice(index);
    }
    const rows: HoldRow[] = [];
    let lookedAt = 0;
    for (const [index, wallet] of wallets.entries()) {
      let holdId = index === 0 && continueAt !== undefined ? continueAt.holdId : wallet.lastHoldId;
      while (holdId !== 0n) {
        if (rows.length === max || lookedAt === lookedAtMax) return { holds: withWallets(rows), continueAt: { holdId } };
        const row = hold(holdId)!;
        lookedAt += 1;
        if (isAsked(row)) rows.push(row);
        holdId = row.previous_hold_id;
      }
    }
    return { holds: withWallets(rows), continueAt: undefined };
  };

  /** Everybody's, newest first: along the key. */
  const byId = ({ currency, status, max, lookedAtMax, continueAt }: HoldQuery): HoldPage => {
    const isAsked = statusFilter(status);
    const hasFilter = currency !== undefined || status !== undefined;
    const looked = newestFirst.all({ fromId: continueAt?.holdId ?? int64Max, limit: BigInt(hasFilter ? lookedAtMax + 1 : max + 1) });
    const rows: HoldRow[] = [];
    for (const [index, row] of looked.entries()) {
      if (rows.length === max || index === lookedAtMax) return { holds: withWallets(rows), continueAt: { holdId: row.hold_id } };
      if (isAsked(row) && (currency === undefined || row.currency === currency)) rows.push(row);
    }
    return { holds: withWallets(rows), continueAt: undefined };
  };

  return (query) => {
    if (query.status === "ACTIVE") return activeOnes(query);
    return query.userId === undefined ? byId(query) : byWallet(query);
  };
}

function statusFilter(status: HoldQuery["status"]): (row: HoldRow) => boolean {
  const number = status && BigInt(holdStatusNumbers[status]);
  return (row) => number === undefined || row.status === number;
}
