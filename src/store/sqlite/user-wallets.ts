// A user's wallets: all of them, or the one in a currency.

import type { Selectable } from "kysely";
import type { WalletTable } from "../tables.ts";
import type { Queries } from "./queries.ts";

/** In the order of their opening. Without a currency all of the user's, closed ones too; with one at most one. */
export function walletRowsOf(
  queries: Queries,
  { partition, userId, currency }: { readonly partition: bigint; readonly userId: string; readonly currency: string | undefined },
): readonly Selectable<WalletTable>[] {
  if (currency === undefined) return queries.walletsOfUser.all({ partition, userId }).toSorted((a, b) => (a.wallet_id < b.wallet_id ? -1 : 1));
  const row = queries.walletOfUser.get({ partition, userId, currency });
  return row === undefined ? [] : [row];
}
