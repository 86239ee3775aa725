// Compares how the database is defined with how this version defines it: an index that is not there loses nothing and finds nothing, and a trigger writes what no operation did.

import type { Mismatches } from "../../domain/audit/mismatch.ts";
import type { AuditRows } from "./audit.ts";

/** All at once: a ledger has some twenty tables and indexes. */
export async function compareSchema(rows: AuditRows, mismatches: Mismatches): Promise<void> {
  const { actual, expected } = await rows.schema();
  for (const name of new Set([...expected.keys(), ...actual.keys()])) {
    mismatches.compare(`schema: ${name}`, expected.get(name) ?? "none", actual.get(name) ?? "none");
  }
}
