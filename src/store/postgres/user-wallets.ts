// A user's wallets: all of them, or the one in a currency.

import type { Selectable } from "kysely";
import type { WalletTable } from "../tables.ts";
import { queries } from "./queries.ts";
import type { Session } from "./session.ts";

/** In the order of their opening. Without a currency all of the user's, closed ones too; with one at most one. */
export async function walletRowsOf(
  session: Session,
  { partition, userId, currency }: { readonly partition: bigint; readonly userId: string; readonly currency: string | undefined },
): Promise<readonly Selectable<WalletTable>[]> {
  if (currency !== undefined) return session.all(queries.walletsOfUsersIn, { partition, userIds: [userId], currencies: [currency] });
  const rows = await session.all(queries.walletsOfUsers, { partition, userIds: [userId] });
  return rows.toSorted((a, b) => (a.wallet_id < b.wallet_id ? -1 : 1));
}
