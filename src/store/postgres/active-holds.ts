// Active holds in the order of their eligibility, of wallets or of currencies: the first of each are found through an index, and the first of those are the answer.

import { sql, type Expression, type SqlBool } from "kysely";
import { holdStatusNumbers } from "../../domain/hold.ts";
import type { EligibilityPlace, EligibilityWindow } from "../eligibility.ts";
import { noOffset } from "./literals.ts";
import { statement, type Arguments } from "./statement.ts";

/** The first of one wallet's or one currency's, for each row that it is joined to. The status is written into the query, since only a literal leads to the indexes on active holds. */
function firstActive(arg: Arguments<EligibilityWindow>, whose: Expression<SqlBool>) {
  return sql<EligibilityPlace>`lateral (
    select holds.eligible_time_ms, holds.hold_id from holds
    where holds.partition = ${arg("partition", "bigint")} and ${whose} and holds.status = ${sql.lit(holdStatusNumbers.ACTIVE)} and holds.eligible_time_ms <= ${arg("untilMs", "bigint")}
      and (holds.eligible_time_ms, holds.hold_id) > (${arg("afterMs", "bigint")}, ${arg("afterId", "bigint")})
    order by holds.eligible_time_ms, holds.hold_id limit ${arg("limit", "bigint")}
  )`.as<"first">(sql`first`);
}

/** Of a user's wallets, or of the one in a currency; "" is any. */
export const activeOfUser = statement<EligibilityWindow & { readonly userId: string; readonly currency: string }, EligibilityPlace>("active holds of user", (db, arg) =>
  db
    // In the order of the only index that leads to them (queries.ts).
    .selectFrom((wallets) =>
      wallets
        .selectFrom("wallets")
        .select("wallets.wallet_id")
        .where("wallets.partition", "=", arg("partition", "bigint"))
        .where("wallets.user_id", "=", arg("userId", "text"))
        .where(sql<boolean>`(${arg("currency", "text")} = '' or wallets.currency = ${arg("currency", "text")})`)
        .orderBy("wallets.partition")
        .orderBy("wallets.user_id")
        .orderBy("wallets.currency")
        .offset(noOffset)
        .as("owned"),
    )
    .crossJoin(firstActive(arg, sql`holds.wallet_id = owned.wallet_id`))
    .select(["first.eligible_time_ms", "first.hold_id"])
    .orderBy("first.eligible_time_ms")
    .orderBy("first.hold_id")
    .limit(arg("limit", "bigint")),
);

/** Of everybody, in all currencies or in one; "" is any. A currency that ever had a hold has counters. */
export const activeOfCurrency = statement<EligibilityWindow & { readonly currency: string }, EligibilityPlace>("active holds of currency", (db, arg) =>
  db
    .selectFrom((totals) =>
      totals
        .selectFrom("currency_totals")
        .select("currency_totals.currency")
        .distinct()
        .where("currency_totals.partition", "=", arg("partition", "bigint"))
        .where(sql<boolean>`(${arg("currency", "text")} = '' or currency_totals.currency = ${arg("currency", "text")})`)
        .as("currencies"),
    )
    .crossJoin(firstActive(arg, sql`holds.currency = currencies.currency`))
    .select(["first.eligible_time_ms", "first.hold_id"])
    .orderBy("first.eligible_time_ms")
    .orderBy("first.hold_id")
    .limit(arg("limit", "bigint")),
);

/** Of these wallets, whichever are found first: all of them are to be released, and no more are read than one transaction can release. */
export const activeOfWallets = statement<EligibilityWindow & { readonly walletIds: readonly bigint[] }, EligibilityPlace>("active holds of wallets", (db, arg) =>
  db
    .selectFrom((found) =>
      found
        .selectFrom(sql<{ id: bigint }>`unnest(${arg("walletIds", "bigint[]")})`.as<"listed">(sql`listed(id)`))
        .crossJoin(firstActive(arg, sql`holds.wallet_id = listed.id`))
        .select(["first.eligible_time_ms", "first.hold_id"])
        .limit(arg("limit", "bigint"))
        .as("some"),
    )
    .select(["some.eligible_time_ms", "some.hold_id"])
    .orderBy("some.eligible_time_ms")
    .orderBy("some.hold_id"),
);
