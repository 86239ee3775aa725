// What a copy writes, and in which steps: each of them is there whole or not at all, so that a copy which is interrupted goes on where it was.

import type { Selectable } from "kysely";
import type { LedgerHeadTable, LedgerTable } from "../tables.ts";
import type { CopiedRow, CopiedRows, CopiedTable } from "./copied-tables.ts";
import type { CopyNote } from "./copy-note.ts";

/** An empty place, or one with a copy that is not finished; nobody else can copy into it until it is closed. Throws StoreFault where the database fails. */
export interface CopyTarget {
  /** Whether it keeps what is written over a power loss; the reasons are a sentence each, and empty where it does. */
  readonly durability: { readonly durable: boolean; readonly reasons: readonly string[] };
  /** Makes the tables and notes what is copied, unless that is done. Answers what is noted. From here on no service starts on it until it is finished. */
  begin(note: CopyNote): Promise<CopyNote>;
  /** The table's last row by its key. */
  lastRow<Table extends CopiedTable>(table: Table, partition: bigint): Promise<CopiedRow<Table> | undefined>;
  /** One transaction, durable when it is done. */
  write(chunk: readonly CopiedRows[]): Promise<void>;
  /** Makes it a ledger, in one transaction that takes the note away. */
  finish(ledger: Selectable<LedgerTable>, heads: readonly Selectable<LedgerHeadTable>[]): Promise<void>;
  /** The ends of its journals, in the order of the partitions. */
  heads(): Promise<readonly Selectable<LedgerHeadTable>[]>;
  close(): Promise<void>;
}
