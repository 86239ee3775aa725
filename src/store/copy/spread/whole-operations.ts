// The operations of all the source's journals in one order, in which each wallet's stand as in its own journal.
//
// The order is that of time, then of partitions, then of sequences, with one more rule: an operation that has a record in two journals comes when both have come to it. By the
// time alone it could come before another of the same millisecond that its receiver had seen. Both heads were locked when it was made, so there is always one that can come next.

import type { JournalRecord } from "../../../domain/journal.ts";
import { partitionOf } from "../../../domain/partitions.ts";
import type { CopySource } from "../copy-source.ts";
import { LeastFirst } from "./least-first.ts";
import { SourceJournal, unfit } from "./source-journal.ts";

/** One operation. */
export interface WholeOperation {
  /** The operation itself: of two records the payer's. */
  readonly record: JournalRecord;
  /** How many records it has in the source. */
  readonly records: number;
}

interface Ready {
  readonly record: JournalRecord;
  /** Those that have a record of it. */
  readonly journals: readonly SourceJournal[];
}

/** Every operation. Throws StartError where a journal is broken, or two contradict each other. */
export async function* wholeOperations(source: CopySource): AsyncGenerator<WholeOperation> {
  const journals = source.heads.map((_, partition) => new SourceJournal(source, partition));
  const queue = new LeastFirst<Ready>(({ record: a }, { record: b }) => (a.timeMs === b.timeMs ? a.partition < b.partition : a.timeMs < b.timeMs));

  const queued = new Set<SourceJournal>();
  const put = (ready: Ready): void => {
    for (const journal of ready.journals) queued.add(journal);
    queue.put(ready);
  };

  const arrive = (journal: SourceJournal): void => {
    const record = journal.current;
    // Both may have come to the same operation at once.
    if (record === undefined || queued.has(journal)) return;
    if (record.apart === undefined) return put({ record, journals: [journal] });
    const other = journals[partitionOf(record.apart.other.userId, journals.length)]!;
    // Otherwise it waits, and the other one finds it when it arrives.
    if (other.current?.operationId !== record.operationId || other === journal) return;
    put({ record: record.apart.side === "PAYER" ? record : other.current, journals: [journal, other] });
  };

  for (const journal of journals) {
    await journal.next();
    arrive(journal);
  }
  for (let least = queue.take(); least !== undefined; least = queue.take()) {
    yield { record: least.record, records: least.journals.length };
    for (const journal of least.journals) {
      queued.delete(journal);
      await journal.next();
    }
    for (const journal of least.journals) arrive(journal);
  }
  const waiting = journals.find(({ current }) => current !== undefined);
  if (waiting !== undefined) throw unfit(`The source's partitions contradict each other: operation ${waiting.current!.sequence} of partition ${waiting.partition} has no counterpart.`);
}
