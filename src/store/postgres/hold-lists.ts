// Lists of holds, each in the order that its filter can be served in: along a wallet's links, along the indexes on active holds, or along the key.

import { sql, type Selectable } from "kysely";
import { behindEveryPlace } from "../eligibility.ts";
import { ActivePage, statusFilter } from "../hold-pages.ts";
import { holdFromRow, walletFromRow } from "../rows.ts";
import type { HoldPage, HoldQuery } from "../store.ts";
import type { HoldTable } from "../tables.ts";
import { activeOfCurrency, activeOfUser } from "./active-holds.ts";
import { noOffset } from "./literals.ts";
import { queries } from "./queries.ts";
import type { Session } from "./session.ts";
import { statement } from "./statement.ts";
import { walletRowsOf } from "./user-wallets.ts";

type HoldRow = Selectable<HoldTable>;

/** Holds of a wallet that are read at once along its links: a page of 50 takes one statement. */
const walkedMax = 64n;

/** Partitions that are asked in one round trip; each may answer with a page. */
const partitionsAtOnce = 16;

const newestFirst = statement<{ partition: bigint; fromId: bigint; limit: bigint }, HoldRow>("holds newest first", (db, arg) =>
  db
    .selectFrom("holds")
    .selectAll()
    .where("partition", "=", arg("partition", "bigint"))
    .where("hold_id", "<=", arg("fromId", "bigint"))
    .orderBy("partition", "desc")
    .orderBy("hold_id", "desc")
    .limit(arg("limit", "bigint")),
);

/** A wallet's holds from this one back along the links, at most `limit`, newest first. */
const walkHolds = statement<{ partition: bigint; fromId: bigint; limit: bigint }, HoldRow>("walk holds", (db, arg) =>
  db
    .withRecursive("walk(id, step)", (walk) =>
      walk
        .selectNoFrom([sql<bigint>`${arg("fromId", "bigint")}`.as("id"), sql<bigint>`1::bigint`.as("step")])
        .unionAll(
          walk
            .selectFrom("walk")
            .crossJoinLateral((holds) =>
              holds.selectFrom("holds").select("previous_hold_id").where("partition", "=", arg("partition", "bigint")).whereRef("hold_id", "=", "walk.id").offset(noOffset).as("hold"),
            )
            .select(["hold.previous_hold_id as id", sql<bigint>`walk.step + 1`.as("step")])
            .where("walk.step", "<", arg("limit", "bigint")),
        ),
    )
    .selectFrom("walk")
    .crossJoinLateral((holds) =>
      holds.selectFrom("holds").selectAll().where("partition", "=", arg("partition", "bigint")).whereRef("hold_id", "=", "walk.id").offset(noOffset).as("found"),
    )
    .selectAll("found")
    .orderBy("walk.step"),
);

/** Answers what `Reads.holds` does, of holds in these partitions: the user's own, or all. To be called inside a snapshot. */
export function holdList(session: Session, partitions: readonly bigint[], query: HoldQuery): Promise<HoldPage | undefined> {
  if (query.status === "ACTIVE") return activeOnes(session, partitions, query);
  return query.userId === undefined ? byId(session, partitions, query) : byWallet(session, partitions[0]!, query);
}

/** Active holds, soonest to become eligible first. */
async function activeOnes(session: Session, partitions: readonly bigint[], query: HoldQuery): Promise<HoldPage> {
  const { userId, currency = "" } = query;
  const page = new ActivePage(query);
  for (let at = 0; at < partitions.length; at += partitionsAtOnce) {
    const { window } = page;
    const some = partitions.slice(at, at + partitionsAtOnce);
    const found = await Promise.all(
      some.map((partition) => (userId === undefined ? session.all(activeOfCurrency, { ...window, partition, currency }) : session.all(activeOfUser, { ...window, partition, userId, currency }))),
    );
    for (const [index, places] of found.entries()) page.add(some[index]!, places);
  }
  const { places, continueAt } = page.end();
  const idsByPartition = Map.groupBy(places, ({ partition }) => partition);
  const rows = await Promise.all([...idsByPartition].map(([partition, here]) => session.all(queries.holds, { partition, holdIds: here.map((place) => place.hold_id) })));
  const byHoldId = new Map(rows.flat().map((row) => [row.hold_id, row]));
  return { holds: await withWallets(session, places.map((place) => byHoldId.get(place.hold_id)!)), continueAt };
}

/** A user's, wallet after wallet, newest first. Undefined where `continueAt` is none of them. */
async function byWallet(session: Session, partition: bigint, { userId, currency, status, max, lookedAtMax, continueAt }: HoldQuery): Promise<HoldPage | undefined> {
  const isAsked = statusFilter(status);
  let wallets = await walletRowsOf(session, { partition, userId: userId!, currency });
  if (continueAt !== undefined) {
    const at = await session.get(queries.holds, { partition, holdIds: [continueAt.holdId] });
    const index = wallets.findIndex((wallet) => wallet.wallet_id === at?.wallet_id);
    if (index === -1) return undefined;
    wallets = wallets.slice(index);
  }
  const rows: HoldRow[] = [];
  let lookedAt = 0;
  for (const [index, wallet] of wallets.entries()) {
    let fromId = index === 0 && continueAt !== undefined ? continueAt.holdId : wallet.last_hold_id;
    while (fromId !== 0n) {
      const walked = await session.all(walkHolds, { partition, fromId, limit: walkedMax });
      if (walked.length === 0) throw new Error(`the holds of wallet ${wallet.wallet_id} lead to ${fromId}, which is not there`);
      for (const row of walked) {
        if (rows.length === max || lookedAt === lookedAtMax) return { holds: await withWallets(session, rows), continueAt: { holdId: row.hold_id } };
        lookedAt += 1;
        if (isAsked(row)) rows.push(row);
      }
      fromId = walked.at(-1)!.previous_hold_id;
    }
  }
  return { holds: await withWallets(session, rows), continueAt: undefined };
}

/** Everybody's, partition after partition, newest first. */
async function byId(session: Session, partitions: readonly bigint[], { currency, status, max, lookedAtMax, continueAt }: HoldQuery): Promise<HoldPage> {
  const isAsked = statusFilter(status);
  const hasFilter = currency !== undefined || status !== undefined;
  const rows: HoldRow[] = [];
  let lookedAt = 0;
  for (const partition of partitions) {
    if (continueAt?.partition !== undefined && partition < continueAt.partition) continue;
    const fromId = continueAt?.partition === partition ? continueAt.holdId : behindEveryPlace;
    const limit = BigInt(hasFilter ? lookedAtMax - lookedAt + 1 : max - rows.length + 1);
    for (const row of await session.all(newestFirst, { partition, fromId, limit })) {
      if (rows.length === max || lookedAt === lookedAtMax) return { holds: await withWallets(session, rows), continueAt: { partition, holdId: row.hold_id } };
      lookedAt += 1;
      if (isAsked(row) && (currency === undefined || row.currency === currency)) rows.push(row);
    }
  }
  return { holds: await withWallets(session, rows), continueAt: undefined };
}

async function withWallets(session: Session, rows: readonly HoldRow[]): Promise<HoldPage["holds"]> {
  const byPartition = Map.groupBy(rows, ({ partition }) => partition);
  const found = await Promise.all(
    [...byPartition].map(([partition, here]) => session.all(queries.wallets, { partition, walletIds: [...new Set(here.map((row) => row.wallet_id))] })),
  );
  const wallets = new Map(found.flat().map((row) => [row.wallet_id, walletFromRow(row)]));
  return rows.map((row) => ({ hold: holdFromRow(row), wallet: wallets.get(row.wallet_id)! }));
}
