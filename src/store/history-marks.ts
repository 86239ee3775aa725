// Marks on a wallet's history: every 64th of its records is written down in a table of its own, so that a search for a place in the linked history
// is one lookup and at most 64 steps back (docs/decisions/0003).

import type { Insertable } from "kysely";
import { partsHere, type JournalRecord } from "../domain/journal.ts";
import type { HistoryMarkTable } from "./tables.ts";

/** Records of a wallet between one mark and the next. Ledgers are full of marks at this distance: it never changes. */
export const recordsPerMark = 64n;

/** The marks that come with this record: one for each of its wallets in this partition whose version after it is a multiple of `recordsPerMark`. */
export function marksOf(record: JournalRecord): Insertable<HistoryMarkTable>[] {
  return partsHere(record)
    .filter(({ after }) => after.version % recordsPerMark === 0n)
    .map(({ walletId }) => ({ partition: BigInt(record.partition), wallet_id: walletId, sequence: record.sequence }));
}
