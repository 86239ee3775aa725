// Where the journals begin, as their heads say: with the ledger's creation, or, of a ledger that was spread from another, behind the ends of that one's journals.

import type { Selectable } from "kysely";
import { bytesText, type Mismatches } from "../../domain/audit/mismatch.ts";
import type { JournalStart } from "../../domain/audit/replay.ts";
import { genesisHash } from "../../domain/journal.ts";
import type { LedgerHeadTable } from "../tables.ts";
import type { AuditRows } from "./audit.ts";
import { integerOr } from "./row-differences.ts";

/** Of each partition. All journals of a ledger begin at the same place; that the first record follows on it is the replay's to say. */
export async function readStarts(rows: AuditRows, { partitionCount, createTimeMs }: { readonly partitionCount: number; readonly createTimeMs: bigint }, mismatches: Mismatches): Promise<readonly JournalStart[]> {
  const starts: JournalStart[] = [];
  for (let partition = 0; partition < partitionCount; partition++) {
    const head = await rows.head(BigInt(partition));
    const start: JournalStart = {
      partition,
      sequence: integerOr(head?.start_sequence, 0n),
      hash: head?.start_hash instanceof Uint8Array ? head.start_hash : genesisHash,
      timeMs: Number(createTimeMs),
      movedSequence: integerOr(head?.moved_sequence, 0n),
    };
    // That there is none is told where the ends are compared.
    if (head !== undefined) checkStart(head, start, starts[0] ?? start, mismatches);
    starts.push(start);
  }
  return starts;
}

function checkStart(head: Selectable<LedgerHeadTable>, { partition, sequence, hash, movedSequence = 0n }: JournalStart, first: JournalStart, mismatches: Mismatches): void {
  const subject = `head of partition ${partition}`;
  const values: Readonly<Record<string, unknown>> = head;
  for (const column of ["start_sequence", "moved_sequence"]) {
    if (integerOr(values[column], undefined) === undefined) mismatches.add({ subject: `${subject}: ${column}`, expected: "an integer", actual: String(values[column]) });
  }
  const bytes = head.start_hash instanceof Uint8Array ? head.start_hash.length : undefined;
  if (bytes !== genesisHash.length) mismatches.add({ subject: `${subject}: start_hash`, expected: `${genesisHash.length} bytes`, actual: bytesText(head.start_hash) });
  mismatches.compare(`${subject}: start sequence`, `${first.sequence}, as of partition 0`, `${sequence}, as of partition 0`);
  mismatches.compare(`${subject}: start hash`, `${bytesText(first.hash)}, as of partition 0`, `${bytesText(hash)}, as of partition 0`);
  if (sequence > 0n && movedSequence < sequence) mismatches.add({ subject: `${subject}: moved sequence`, expected: `${sequence} or more, where the journal begins`, actual: `${movedSequence}` });
}
