// Looks rows up through each index that the service reads by, as a verification does to see that none is lost there.

import { sql, type RawBuilder, type Selectable } from "kysely";
import { holdStatusNumbers } from "../../domain/hold.ts";
import type { AuditRows, Found } from "../audit/audit.ts";
import type { HoldTable, WalletTable } from "../tables.ts";
import { queries } from "./queries.ts";
import type { Session } from "./session.ts";
import { statement } from "./statement.ts";

const active = BigInt(holdStatusNumbers.ACTIVE);

interface HoldsBy<Key> {
  readonly partition: bigint;
  readonly keys: readonly Key[];
  readonly timesMs: readonly bigint[];
  readonly holdIds: readonly bigint[];
}

/** The first active hold from each of these places on, of the currency or wallet in the same place, in the order in which the service reads them. The literal status leads to the index on active holds. */
function findHolds<Key>(by: "currency" | "wallet_id", type: "text" | "bigint") {
  return statement<HoldsBy<Key>, { hold_id: bigint }>(`find holds by ${by}`, (db, arg) => {
    const keys = (arg as unknown as (name: string, type: string) => RawBuilder<unknown>)("keys", `${type}[]`);
    return db
      .selectFrom(sql`unnest(${keys}, ${arg("timesMs", "bigint[]")}, ${arg("holdIds", "bigint[]")})`.as<"listed">(sql`listed(key, time_ms, hold_id)`))
      .crossJoin(
        sql<{ hold_id: bigint }>`lateral (
          select holds.hold_id from holds
          where holds.partition = ${arg("partition", "bigint")} and holds.status = ${sql.lit(holdStatusNumbers.ACTIVE)} and ${sql.ref(`holds.${by}`)} = listed.key
            and holds.eligible_time_ms = listed.time_ms and holds.hold_id >= listed.hold_id
          order by holds.eligible_time_ms, holds.hold_id limit 1
        )`.as<"found">(sql`found`),
      )
      .select("found.hold_id");
  });
}

const byCurrency = findHolds<string>("currency", "text");
const byWallet = findHolds<bigint>("wallet_id", "bigint");

/** The lookups in one snapshot. Rows come of one partition. */
export function lookupsIn(session: Session): Pick<AuditRows, "walletsFound" | "holdsFound"> {
  return {
    async walletsFound(wallets) {
      const partition = wallets[0]?.partition;
      if (partition === undefined) return [];
      const rows = await session.all(queries.walletsOfUsersIn, { partition, userIds: wallets.map((row) => row.user_id), currencies: wallets.map((row) => row.currency) });
      const ids = new Map(rows.map((row) => [ownerOf(row), row.wallet_id]));
      return wallets.map((row): Found => ({ key: row.wallet_id, by: "user and currency", foundKey: ids.get(ownerOf(row)) }));
    },

    async holdsFound(all) {
      const holds = all.filter((row) => row.status === active);
      const partition = holds[0]?.partition;
      if (partition === undefined) return [];
      const places = { partition, timesMs: holds.map((row) => row.eligible_time_ms), holdIds: holds.map((row) => row.hold_id) };
      const [currencies, wallets] = await Promise.all([
        session.all(byCurrency, { ...places, keys: holds.map((row) => row.currency) }),
        session.all(byWallet, { ...places, keys: holds.map((row) => row.wallet_id) }),
      ]);
      return [...foundAmong(holds, "currency and time", currencies), ...foundAmong(holds, "wallet and time", wallets)];
    },
  };
}

function ownerOf({ user_id: userId, currency }: Selectable<WalletTable>): string {
  return `${userId} ${currency}`;
}

function foundAmong(holds: readonly Selectable<HoldTable>[], by: string, rows: readonly { hold_id: bigint }[]): Found[] {
  const ids = new Set(rows.map((row) => row.hold_id));
  return holds.map((row) => ({ key: row.hold_id, by, foundKey: ids.has(row.hold_id) ? row.hold_id : undefined }));
}
