// How far a copy has come.

import type { CopiedTable } from "./copied-tables.ts";

export interface CopyProgress {
  readonly table: CopiedTable;
  /** Rows of the table that are in the target. */
  readonly rowsDone: bigint;
  /** Rows that it will have; undefined where nobody has counted them. */
  readonly rowsInAll: bigint | undefined;
}

/** Called between two transactions: the place to let others work, and to stop. What it throws ends the copy, which can be continued. */
export type AfterChunk = (progress: CopyProgress) => Promise<void>;
