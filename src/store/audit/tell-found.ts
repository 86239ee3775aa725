// Rows that are there, and that the service does not find: its ways to them are tables of their own, which may be damaged while the rows are not.

import type { Mismatches } from "../../domain/audit/mismatch.ts";
import type { Found } from "./audit.ts";

/** Adds a mismatch for every row that another or none is found for. `subjectOf` names the row with this key. */
export function tellFound(mismatches: Mismatches, found: readonly Found[], subjectOf: (key: bigint) => string): void {
  for (const { key, by, foundKey } of found) {
    if (foundKey === key) continue;
    mismatches.add({ subject: `${subjectOf(key)}, as found by ${by}`, expected: "the row that is there", actual: foundKey === undefined ? "none" : `the row of ${foundKey}` });
  }
}
