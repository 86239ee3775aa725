// Journal rows with the wallets and the holds that they are about.

import type { Selectable } from "kysely";
import { partsHere } from "../../domain/journal.ts";
import type { WalletIdentity } from "../../domain/wallet.ts";
import { walletsOf } from "../record-wallets.ts";
import { holdOriginFromRow, recordFromRow, walletIdentityFromRow } from "../rows.ts";
import type { RecordedOperation } from "../store.ts";
import type { JournalTable } from "../tables.ts";
import { queries } from "./queries.ts";
import type { Session } from "./session.ts";

/** The rows completed, in their order: each wallet and hold is read once, however many of them name it. To be called inside their snapshot. */
export async function recorded(session: Session, partition: bigint, rows: readonly Selectable<JournalTable>[]): Promise<RecordedOperation[]> {
  if (rows.length === 0) return [];
  const records = rows.map(recordFromRow);
  const walletIds = new Set(records.flatMap((record) => partsHere(record).map(({ walletId }) => walletId)));
  const holdIds = new Set(rows.flatMap((row) => row.hold_id ?? []));
  const [walletRows, holdRows] = await Promise.all([
    session.all(queries.wallets, { partition, walletIds: [...walletIds] }),
    holdIds.size === 0 ? [] : session.all(queries.holds, { partition, holdIds: [...holdIds] }),
  ]);
  const wallets = new Map(walletRows.map((row) => [row.wallet_id, walletIdentityFromRow(row)]));
  const holds = new Map(holdRows.map((row) => [row.hold_id, holdOriginFromRow(row)]));
  const walletOf = (walletId: bigint): WalletIdentity => {
    const wallet = wallets.get(walletId);
    if (wallet === undefined) throw new Error(`wallet ${walletId}, which the journal names, is not there`);
    return wallet;
  };
  return records.map((record) => ({ record, ...walletsOf(record, walletOf), hold: record.hold && holds.get(record.hold.holdId) }));
}

/** The operation in this place of the partition's journal. */
export async function recordedAt(session: Session, partition: bigint, sequence: bigint): Promise<RecordedOperation | undefined> {
  return (await recorded(session, partition, await session.all(queries.records, { partition, sequences: [sequence] })))[0];
}
