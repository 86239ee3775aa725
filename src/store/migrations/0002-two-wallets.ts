// Operations may have a second wallet, which receives; and a wallet's holds are linked, newest first.

import { sql, type Kysely } from "kysely";
import type { EngineTypes } from "./engine-types.ts";

const receiverColumns = [
  "receiver_wallet_id",
  "receiver_amount_minor",
  "receiver_available_after_minor",
  "receiver_held_after_minor",
  "receiver_state_after",
  "receiver_version_after",
  "receiver_balance_max_after_minor",
  "receiver_previous_sequence",
] as const;

/** Adds the columns, and links the holds that are there. */
export function addTwoWallets({ integer }: EngineTypes): (db: Kysely<unknown>) => Promise<void> {
  return async (db) => {
    for (const column of receiverColumns) await db.schema.alterTable("journal").addColumn(column, integer).execute();
    const noLink = sql`0`;
    await db.schema.alterTable("wallets").addColumn("last_hold_id", integer, (column) => column.notNull().defaultTo(noLink)).execute();
    await db.schema.alterTable("holds").addColumn("previous_hold_id", integer, (column) => column.notNull().defaultTo(noLink)).execute();
    await sql`
      update holds set previous_hold_id = link.previous_hold_id
      from (select "partition", hold_id, coalesce(lag(hold_id) over (partition by "partition", wallet_id order by hold_id), 0) as previous_hold_id from holds) as link
      where holds."partition" = link."partition" and holds.hold_id = link.hold_id`.execute(db);
    await sql`
      update wallets set last_hold_id = last.hold_id
      from (select "partition", wallet_id, max(hold_id) as hold_id from holds group by "partition", wallet_id) as last
      where wallets."partition" = last."partition" and wallets.wallet_id = last.wallet_id`.execute(db);
  };
}
