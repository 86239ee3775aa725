// What a copy reads of the ledger that it is made of.

import type { Selectable } from "kysely";
import type { LedgerHeadTable, LedgerTable } from "../tables.ts";
import type { CopiedRange, CopiedRow, CopiedTable } from "./copied-tables.ts";

/** A ledger that nobody can write to until it is closed. Throws StoreFault where the database fails; then others may write again. That can also happen while nothing is read, so whoever is done asks `assertUnchanged`. */
export interface CopySource {
  readonly ledger: Selectable<LedgerTable>;
  /** The ends of its journals, in the order of the partitions. */
  readonly heads: readonly Selectable<LedgerHeadTable>[];
  rowsAfter<Table extends CopiedTable>(table: Table, range: CopiedRange<Table>): Promise<readonly CopiedRow<Table>[]>;
  /** Throws StartError where others may have written since it was opened: what keeps them from it is gone, or the heads are not what they were. */
  assertUnchanged(): Promise<void>;
  close(): Promise<void>;
}
