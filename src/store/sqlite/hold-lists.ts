// Lists of holds, each in the order that its filter can be served in: along a wallet's links, along the indexes on active holds, or along the key.

import type { Selectable } from "kysely";
import type { Wallet } from "../../domain/wallet.ts";
import { behindEveryPlace } from "../eligibility.ts";
import { ActivePage, statusFilter } from "../hold-pages.ts";
import { holdFromRow, walletFromRow } from "../rows.ts";
import type { HoldPage, HoldQuery } from "../store.ts";
import type { HoldTable } from "../tables.ts";
import type { ActiveHolds } from "./active-holds.ts";
import type { Queries } from "./queries.ts";
import type { Statement, WriteQuery, Written } from "./statement.ts";
import { walletRowsOf } from "./user-wallets.ts";

type HoldRow = Selectable<HoldTable>;

export interface HoldListStatements {
  /** Along the key, from an id down. */
  readonly newestFirst: Statement<{ partition: bigint; fromId: bigint; limit: bigint }, HoldRow>;
}

/** The queries of `HoldListStatements`. */
export function writeHoldLists(query: WriteQuery): Written<HoldListStatements> {
  return {
    newestFirst: query((db, arg) =>
      db.selectFrom("holds").selectAll().where("partition", "=", arg("partition")).where("hold_id", "<=", arg("fromId")).orderBy("hold_id", "desc").limit(arg("limit")),
    ),
  };
}

/** What the lists are made of. */
interface HoldSources {
  readonly statements: HoldListStatements;
  readonly active: ActiveHolds;
  readonly queries: Queries;
}

/** Answers what `Reads.holds` does, of holds in these partitions: the user's own, or all. To be called inside a transaction. */
export function holdLists({ statements, active, queries }: HoldSources): (partitions: readonly bigint[], query: HoldQuery) => HoldPage | undefined {
  const withWallets = (rows: readonly HoldRow[]): HoldPage["holds"] => {
    const wallets = new Map<bigint, Wallet>();
    return rows.map((row) => {
      const wallet = wallets.get(row.wallet_id) ?? walletFromRow(queries.wallet.get({ partition: row.partition, walletId: row.wallet_id })!);
      wallets.set(row.wallet_id, wallet);
      return { hold: holdFromRow(row), wallet };
    });
  };

  /** Active holds, soonest to become eligible first. */
  const activeOnes = (partitions: readonly bigint[], query: HoldQuery): HoldPage => {
    const { userId, currency } = query;
    const page = new ActivePage(query);
    for (const partition of partitions) {
      const { window } = page;
      const found =
        userId === undefined
          ? (currency === undefined ? active.currencies(partition) : [currency]).flatMap((each) => active.ofCurrency.all({ ...window, partition, currency: each }))
          : walletRowsOf(queries, { partition, userId, currency }).flatMap((wallet) => active.ofWallet.all({ ...window, partition, walletId: wallet.wallet_id }));
      page.add(partition, found);
    }
    const { places, continueAt } = page.end();
    return { holds: withWallets(places.map(({ partition, hold_id: holdId }) => queries.hold.get({ partition, holdId })!)), continueAt };
  };

  /** A user's, wallet after wallet, newest first: along the links. Undefined where `continueAt` is none of them. */
  const byWallet = (partition: bigint, query: HoldQuery): HoldPage | undefined => {
    const { userId, currency, status, max, lookedAtMax, continueAt } = query;
    const isAsked = statusFilter(status);
    const hold = (holdId: bigint): HoldRow | undefined => queries.hold.get({ partition, holdId });
    const at = continueAt && hold(continueAt.holdId);
    let wallets = walletRowsOf(queries, { partition, userId: userId!, currency }).map(walletFromRow);
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

  /** Everybody's, partition after partition, newest first: along the key. */
  const byId = (partitions: readonly bigint[], { currency, status, max, lookedAtMax, continueAt }: HoldQuery): HoldPage => {
    const isAsked = statusFilter(status);
    const hasFilter = currency !== undefined || status !== undefined;
    const rows: HoldRow[] = [];
    let lookedAt = 0;
    for (const partition of partitions) {
      if (continueAt?.partition !== undefined && partition < continueAt.partition) continue;
      const fromId = continueAt?.partition === partition ? continueAt.holdId : behindEveryPlace;
      for (const row of statements.newestFirst.all({ partition, fromId, limit: BigInt(hasFilter ? lookedAtMax - lookedAt + 1 : max - rows.length + 1) })) {
        if (rows.length === max || lookedAt === lookedAtMax) return { holds: withWallets(rows), continueAt: { partition, holdId: row.hold_id } };
        lookedAt += 1;
        if (isAsked(row) && (currency === undefined || row.currency === currency)) rows.push(row);
      }
    }
    return { holds: withWallets(rows), continueAt: undefined };
  };

  return (partitions, query) => {
    if (query.status === "ACTIVE") return activeOnes(partitions, query);
    return query.userId === undefined ? byId(partitions, query) : byWallet(partitions[0]!, query);
  };
}
