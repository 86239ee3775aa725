// Where operations are whose ids do not say it: every one that was born in the ledger before is listed with its place, and nothing else is.

import type { Selectable } from "kysely";
import { sideNumbers, type JournalRecord } from "../../domain/journal.ts";
import type { JournalTable } from "../tables.ts";
import { belowEveryKey, type AuditRows } from "./audit.ts";
import type { Comparison, ComparisonOptions } from "./comparison.ts";

/** What the list is held against. */
export interface MovedChecks extends ComparisonOptions {
  /** Up to here operations were born elsewhere. */
  readonly movedSequence: bigint;
}

/** The entries of these records, in a snapshot that has them. Of two records of one operation the payer's is the one that is looked for. */
export async function checkMovedOf(rows: AuditRows, records: readonly JournalRecord[], { partition, movedSequence, mismatches }: MovedChecks): Promise<void> {
  const moved = records.filter(({ sequence, apart }) => sequence <= movedSequence && apart?.side !== "RECEIVER");
  if (moved.length === 0) return;
  const listed = new Map((await rows.movedAt(partition, moved.map(({ operationId }) => operationId))).map((row) => [row.operation_id, row.sequence]));
  for (const { operationId, sequence } of moved) {
    mismatches.compare(`operation ${sequence}, as found by its id ${operationId}`, `${sequence}`, String(listed.get(operationId) ?? "none"));
  }
}

/** Every entry, in the order of the ids. */
export function movedComparison({ partition, limit, movedSequence, mismatches }: MovedChecks): Comparison {
  let after = belowEveryKey;
  return async (rows) => {
    const listed = await rows.moved({ partition, after, limit });
    const records = new Map((await rows.recordsAt(partition, listed.map((row) => row.sequence))).map((row) => [row.sequence, row]));
    for (const { operation_id: id, sequence } of listed) {
      const subject = `entry of moved operation ${id}`;
      const record = records.get(sequence);
      if (record === undefined || record.operation_id !== id || isReceivers(record) || sequence > movedSequence) {
        mismatches.add({ subject, expected: "the place of an operation that was born elsewhere and has this id", actual: `${sequence}, where there is ${record === undefined ? "none" : "another"}` });
      }
    }
    after = listed.at(-1)?.operation_id ?? after;
    return BigInt(listed.length) < limit;
  };
}

function isReceivers({ side }: Selectable<JournalTable>): boolean {
  return side === BigInt(sideNumbers.RECEIVER);
}
