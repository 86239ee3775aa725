// A comparison of one kept table with what the journal makes of it, some rows at a time.

import type { Mismatches } from "../../domain/audit/mismatch.ts";
import type { AuditRows } from "./audit.ts";

/**
 * Compares the next rows, in a snapshot whose last record is the last that was replayed. Answers whether there are no more. What changes behind
 * the place that it has come to is not looked at again.
 */
export type Comparison = (rows: AuditRows) => Promise<boolean>;

/** What every comparison is told. */
export interface ComparisonOptions {
  readonly partition: bigint;
  /** Rows of a side that one snapshot compares. */
  readonly limit: bigint;
  readonly mismatches: Mismatches;
}
