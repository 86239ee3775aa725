// Marks on histories against the journal: every record that is to be marked is, and nothing else.

import type { Selectable } from "kysely";
import type { Mismatches } from "../../domain/audit/mismatch.ts";
import type { JournalRecord } from "../../domain/journal.ts";
import { marksOf } from "../history-marks.ts";
import type { HistoryMarkTable } from "../tables.ts";
import { belowEveryKey, type AuditRows } from "./audit.ts";
import type { Comparison, ComparisonOptions } from "./comparison.ts";
import { readRecord } from "./read-record.ts";

type Mark = Selectable<HistoryMarkTable>;

function subjectOf({ wallet_id: walletId, sequence }: Mark): string {
  return `mark of wallet ${walletId} at operation ${sequence}`;
}

/** The marks of these records, in a snapshot that has them. */
export async function checkMarksOf(rows: AuditRows, records: readonly JournalRecord[], mismatches: Mismatches): Promise<void> {
  const due = records.flatMap(marksOf);
  const there = new Set((await rows.marksAt(due)).map(subjectOf));
  for (const mark of due) if (!there.has(subjectOf(mark))) mismatches.add({ subject: subjectOf(mark), expected: "a row in history_marks", actual: "none" });
}

/** Every mark, in the order of wallets and places. */
export function marksComparison({ partition, limit, mismatches }: ComparisonOptions): Comparison {
  let after = { wallet_id: belowEveryKey, sequence: belowEveryKey };
  return async (rows) => {
    const marks = await rows.marks({ partition, limit, afterWalletId: after.wallet_id, afterSequence: after.sequence });
    const marked = (await rows.recordsAt(partition, marks.map((mark) => mark.sequence))).map(readRecord);
    const due = new Set(marked.flatMap((read) => ("record" in read ? marksOf(read.record) : [])).map(subjectOf));
    for (const mark of marks) if (!due.has(subjectOf(mark))) mismatches.add({ subject: subjectOf(mark), expected: "no mark", actual: "a row in history_marks" });
    after = marks.at(-1) ?? after;
    return BigInt(marks.length) < limit;
  };
}
