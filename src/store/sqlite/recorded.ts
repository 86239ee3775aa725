// A journal row with the wallets and the hold that it is about.

import type { Selectable } from "kysely";
import type { Wallet } from "../../domain/wallet.ts";
import { holdFromRow, recordFromRow, walletFromRow } from "../rows.ts";
import type { RecordedOperation } from "../store.ts";
import type { JournalTable } from "../tables.ts";
import type { Queries } from "./queries.ts";

/** Answers a function that completes rows of one snapshot: each wallet is read once, however many of them name it. */
export function recordedIn(queries: Queries, partition: bigint): (row: Selectable<JournalTable>) => RecordedOperation {
  const wallets = new Map<bigint, Wallet>();
  const walletOf = (walletId: bigint): Wallet => {
    const wallet = wallets.get(walletId) ?? walletFromRow(queries.wallet.get({ partition, walletId })!);
    wallets.set(walletId, wallet);
    return wallet;
  };
  return (row) => {
    const hold = row.hold_id === null ? undefined : queries.hold.get({ partition, holdId: row.hold_id });
    return {
      record: recordFromRow(row),
      wallet: walletOf(row.wallet_id),
      receiver: row.receiver_wallet_id === null ? undefined : walletOf(row.receiver_wallet_id),
      hold: hold && holdFromRow(hold),
    };
  };
}
