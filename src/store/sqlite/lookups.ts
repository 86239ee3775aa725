// Looks rows up through each index that the service reads by, as a verification does to see that none is lost there.

import Database from "better-sqlite3";
import { holdStatusNumbers } from "../../domain/hold.ts";
import type { AuditRows, Found } from "../audit/audit.ts";

type Lookup = (...values: unknown[]) => bigint | undefined;

/**
 * The statements name their index: whatever the planner thinks, each row is looked for there and nowhere else. They read the index alone, so the key that they answer is the one
 * that the service would go on with.
 */
export function prepareLookups(connection: Database.Database): Pick<AuditRows, "walletsFound" | "holdsFound"> {
  const active = BigInt(holdStatusNumbers.ACTIVE);
  const prepare = (sql: string): Lookup | undefined => prepareLookup(connection, sql);
  const byUser = prepare("select wallet_id from wallets indexed by wallets_by_user where partition = ? and user_id = ? and currency = ?");
  // As the service reads them, in order from a place on; a literal status, since only that lets SQLite use a partial index; `+?` as in query.ts.
  const ofHolds = (index: string, column: string): Lookup | undefined =>
    prepare(
      `select hold_id from holds indexed by ${index} where status = ${active} and partition = +? and ${column} = +? and eligible_time_ms = +? and hold_id >= +? order by eligible_time_ms, hold_id limit 1`,
    );
  const byCurrency = ofHolds("active_holds_by_currency", "currency");
  const byWallet = ofHolds("active_holds_by_wallet", "wallet_id");

  return {
    walletsFound: async (wallets) =>
      wallets.flatMap((row) => found(row.wallet_id, "user and currency", byUser, row.partition, row.user_id, row.currency)),
    holdsFound: async (holds) =>
      holds
        .filter((row) => row.status === active)
        .flatMap((row) => [
          ...found(row.hold_id, "currency and time", byCurrency, row.partition, row.currency, row.eligible_time_ms, row.hold_id),
          ...found(row.hold_id, "wallet and time", byWallet, row.partition, row.wallet_id, row.eligible_time_ms, row.hold_id),
        ]),
  };
}

function found(key: bigint, by: string, lookup: Lookup | undefined, ...values: unknown[]): Found[] {
  return lookup === undefined ? [] : [{ key, by, foundKey: lookup(...values) }];
}

/** Undefined where the index is not there or cannot serve: the verification tells that as a difference of the schema, and walks no table in its place. */
function prepareLookup(connection: Database.Database, sql: string): Lookup | undefined {
  try {
    const prepared = connection.prepare<unknown[], bigint>(sql).pluck();
    return (...values) => prepared.get(...values);
  } catch (error) {
    if (error instanceof Database.SqliteError && error.code === "SQLITE_ERROR") return undefined;
    throw error;
  }
}
