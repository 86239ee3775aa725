// A journal row with the wallets and the hold that it is about.

import type { Selectable } from "kysely";
import type { WalletIdentity } from "../../domain/wallet.ts";
import { walletsOf } from "../record-wallets.ts";
import { holdOriginFromRow, recordFromRow, walletIdentityFromRow } from "../rows.ts";
import type { RecordedOperation } from "../store.ts";
import type { JournalTable } from "../tables.ts";
import type { Queries } from "./queries.ts";

/** Answers a function that completes rows of one snapshot: each wallet is read once, however many of them name it. */
export function recordedIn(queries: Queries, partition: bigint): (row: Selectable<JournalTable>) => RecordedOperation {
  const wallets = new Map<bigint, WalletIdentity>();
  const walletOf = (walletId: bigint): WalletIdentity => {
    const wallet = wallets.get(walletId) ?? walletIdentityFromRow(queries.wallet.get({ partition, walletId })!);
    wallets.set(walletId, wallet);
    return wallet;
  };
  return (row) => {
    const record = recordFromRow(row);
    const hold = record.hold && queries.hold.get({ partition, holdId: record.hold.holdId });
    return { record, ...walletsOf(record, walletOf), hold: hold && holdOriginFromRow(hold) };
  };
}
