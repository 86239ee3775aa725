// Searches along the journal and along a wallet's links, each a walk inside the server: a step costs a lookup by key, and not a message.

import { sql, type Selectable } from "kysely";
import type { JournalTable } from "../tables.ts";
import { noOffset, one } from "./literals.ts";
import { statement } from "./statement.ts";

interface OfWallet {
  readonly partition: bigint;
  readonly walletId: bigint;
}

/** The journal's last record at this time or before it; its beginning where there is none. Its time never goes back, so half of it is ruled out by each look. */
export const lastAt = statement<{ partition: bigint; timeMs: bigint }, { sequence: bigint }>("last at", (db, arg) =>
  db
    .withRecursive("search(before, after)", (search) =>
      search
        .selectFrom("ledger_head")
        .select(["start_sequence as before", sql<bigint>`sequence + 1`.as("after")])
        .where("partition", "=", arg("partition", "bigint"))
        .unionAll(
          search
            .selectFrom("search")
            .crossJoinLateral((journal) =>
              journal
                .selectFrom("journal")
                .select(["sequence", sql<boolean>`time_ms <= ${arg("timeMs", "bigint")}`.as("is_past")])
                .where("partition", "=", arg("partition", "bigint"))
                .where("sequence", "=", sql<bigint>`(search.before + search.after) / 2`)
                .offset(noOffset)
                .as("middle"),
            )
            .select([
              sql<bigint>`case when middle.is_past then middle.sequence else search.before end`.as("before"),
              sql<bigint>`case when middle.is_past then search.after else middle.sequence end`.as("after"),
            ])
            .where(sql<boolean>`search.after - search.before > 1`),
        ),
    )
    .selectFrom("search")
    .select("before as sequence")
    .where(sql<boolean>`after - before <= 1`),
);

/**
 * The wallet's last record at this place of the journal or before it; 0 where it was opened later. From the next mark back it is 64 steps at most. Null where the
 * links lead to no record of the wallet's.
 */
export const lastOfWallet = statement<OfWallet & { readonly place: bigint }, { sequence: bigint | null }>("last of wallet", (db, arg) =>
  db
    .withRecursive("walk(previous)", (walk) =>
      walk
        .selectFrom((wallets) =>
          // The first from the wallet on, in the order of the only index that leads to it (queries.ts).
          wallets
            .selectFrom("wallets")
            .select(["wallet_id", "head_sequence"])
            .where("partition", "=", arg("partition", "bigint"))
            .where("wallet_id", ">=", arg("walletId", "bigint"))
            .orderBy("partition")
            .orderBy("wallet_id")
            .limit(one)
            .as("wallet"),
        )
        .select(
          // The newest record stands for a mark: there is none behind the last.
          sql<bigint | null>`coalesce(
            (select marks.sequence from history_marks as marks where marks.partition = ${arg("partition", "bigint")} and marks.wallet_id = ${arg("walletId", "bigint")}
              and marks.sequence > ${arg("place", "bigint")} order by marks.partition, marks.wallet_id, marks.sequence limit 1),
            wallet.head_sequence)`.as("previous"),
        )
        .where("wallet.wallet_id", "=", arg("walletId", "bigint"))
        .unionAll(
          walk
            .selectFrom("walk")
            .crossJoinLateral((journal) =>
              journal
                .selectFrom("journal")
                .select(previousOf(arg("walletId", "bigint")).as("previous"))
                .where("partition", "=", arg("partition", "bigint"))
                .whereRef("sequence", "=", "walk.previous")
                .offset(noOffset)
                .as("record"),
            )
            .select("record.previous")
            .where("walk.previous", ">", arg("place", "bigint")),
        ),
    )
    .selectFrom("walk")
    .select("previous as sequence")
    .where(sql<boolean>`previous is null or previous <= ${arg("place", "bigint")}`),
);

/** The wallet's first marked record from this place on. */
export const firstMark = statement<OfWallet & { readonly fromSequence: bigint }, { sequence: bigint }>("first mark", (db, arg) =>
  db
    .selectFrom("history_marks")
    .select("sequence")
    .where("partition", "=", arg("partition", "bigint"))
    .where("wallet_id", "=", arg("walletId", "bigint"))
    .where("sequence", ">=", arg("fromSequence", "bigint"))
    .orderBy("partition")
    .orderBy("wallet_id")
    .orderBy("sequence")
    .limit(one),
);

/** The wallet's records from this one of its own back, at most `limit`, newest first; none where it is not one of its own. */
export const walkBack = statement<OfWallet & { readonly from: bigint; readonly limit: bigint }, Selectable<JournalTable>>("walk back", (db, arg) =>
  db
    .withRecursive("walk(place, previous, step)", (walk) =>
      walk
        .selectFrom("journal")
        .select(["sequence as place", previousOf(arg("walletId", "bigint")).as("previous"), sql<bigint>`1::bigint`.as("step")])
        .where("partition", "=", arg("partition", "bigint"))
        .where("sequence", "=", arg("from", "bigint"))
        .where(sql<boolean>`${arg("walletId", "bigint")} in (wallet_id, receiver_wallet_id)`)
        .unionAll(
          walk
            .selectFrom("walk")
            .crossJoinLateral((journal) =>
              journal
                .selectFrom("journal")
                .select(["sequence", previousOf(arg("walletId", "bigint")).as("previous")])
                .where("partition", "=", arg("partition", "bigint"))
                .whereRef("sequence", "=", "walk.previous")
                .offset(noOffset)
                .as("record"),
            )
            .select(["record.sequence as place", "record.previous", sql<bigint>`walk.step + 1`.as("step")])
            .where("walk.step", "<", arg("limit", "bigint")),
        ),
    )
    .selectFrom("walk")
    .crossJoinLateral((journal) =>
      journal.selectFrom("journal").selectAll().where("partition", "=", arg("partition", "bigint")).whereRef("sequence", "=", "walk.place").offset(noOffset).as("found"),
    )
    .selectAll("found")
    .orderBy("walk.step"),
);

/** The wallet's record before this one of its own; 0 for its first, null where this one is another wallet's. */
function previousOf(walletId: ReturnType<typeof sql<bigint>>) {
  return sql<bigint | null>`case ${walletId} when wallet_id then previous_sequence when receiver_wallet_id then receiver_previous_sequence end`;
}
