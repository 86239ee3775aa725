// Verifies a ledger while it goes on being written: replays the journal, and then compares everything that is kept with what the replay says.
//
// Each step is a snapshot of its own. It first replays what the journal has beyond the last step, up to the snapshot's last record; only when it has come
// so far does it compare some rows. So every comparison is between two things of the same moment, and no snapshot is long.

import { Mismatches } from "../../domain/audit/mismatch.ts";
import type { JournalStart } from "../../domain/audit/replay.ts";
import type { VerificationProgress, VerificationResult } from "../../domain/audit/verification-report.ts";
import { partitionsMax } from "../../domain/partitions.ts";
import type { Audit, AuditRows, Scratch } from "./audit.ts";
import { apartComparison } from "./compare-apart.ts";
import type { KeyChecks } from "./compare-keys.ts";
import { compareSchema } from "./compare-schema.ts";
import { readStarts } from "./journal-starts.ts";
import { ReplayedPartition } from "./replayed-partition.ts";
import { integerOr } from "./row-differences.ts";

/** Rows that one snapshot compares. */
const comparedMax = 1_000n;

/** How to verify, and what goes on meanwhile. */
export interface VerificationOptions {
  /** How long the ledger has kept its keys: a younger one may not be missing. Milliseconds. */
  readonly idempotencyRetentionMs: number;
  /** Called between two snapshots. The place to let others work; what it throws ends the verification. */
  readonly afterStep: (progress: VerificationProgress) => Promise<void>;
}

/**
 * Recomputes wallets, holds, counters and keys from the journal, and compares every column of what is kept with them, in both directions. What
 * is written meanwhile is replayed too, but a row that was compared is not looked at again. Throws StoreFault where the database fails.
 */
export async function verifyLedger(audit: Audit, scratch: Scratch, { idempotencyRetentionMs, afterStep }: VerificationOptions): Promise<VerificationResult> {
  const mismatches = new Mismatches();
  const { createTimeMs, partitionCount, starts } = await audit.snapshot((rows) => checkLedger(rows, mismatches));
  const partitions = starts.map((start) => {
    const { partition, movedSequence = 0n } = start;
    // Sequences are counted in each partition.
    const found = partitionCount === 1 ? mismatches : mismatches.in(`partition ${partition}`);
    const keys: KeyChecks = { partition: BigInt(partition), partitionCount, limit: comparedMax, mismatches: found, retentionMs: BigInt(idempotencyRetentionMs), createTimeMs, movedSequence };
    return new ReplayedPartition(start, partitionCount, scratch.of(partition), keys);
  });
  const progress = (): VerificationProgress => ({
    checkedOperations: partitions.reduce((sum, each) => sum + each.checkedOperations, 0n),
    totalOperations: partitions.reduce((sum, each) => sum + each.totalOperations, 0n),
  });

  /** Replays the next records of the snapshot, of every partition. Answers whether there are no more. */
  const catchUp = async (rows: AuditRows): Promise<boolean> => {
    for (const partition of partitions) if (!(await partition.catchUp(rows))) return false;
    return true;
  };
  const untilDone = async (step: (rows: AuditRows) => Promise<boolean>, snapshot = audit.snapshot): Promise<void> => {
    for (let isDone = false; !isDone; ) {
      isDone = await snapshot(step);
      await afterStep(progress());
    }
  };

  await untilDone(catchUp);
  // What a partition keeps is compared with its own journal; only what goes on between two needs all of them to be as far.
  for (const partition of partitions) {
    for (const comparison of partition.comparisons(audit)) await untilDone(async (rows) => (await partition.catchUp(rows)) && (await comparison(rows)));
  }
  const apart = apartComparison(scratch, mismatches);
  await untilDone(async (rows) => (await catchUp(rows)) && (await apart(rows)), audit.snapshotOfAll);
  return { checkedOperations: progress().checkedOperations, mismatches: mismatches.kept, mismatchCount: mismatches.count };
}

/** Answers when the ledger was created, in milliseconds since 1970, how many partitions it has, and where their journals begin. */
async function checkLedger(rows: AuditRows, mismatches: Mismatches): Promise<{ createTimeMs: bigint; partitionCount: number; starts: readonly JournalStart[] }> {
  await compareSchema(rows, mismatches);
  const ledger = await rows.ledger();
  const partitions = integerOr(ledger?.partitions, 0n);
  const arePartitions = partitions >= 1n && partitions <= BigInt(partitionsMax);
  if (!arePartitions) mismatches.add({ subject: "the ledger's own row: partitions", expected: `1 to ${partitionsMax}`, actual: ledger === undefined ? "no such row" : String(ledger.partitions) });
  const partitionCount = arePartitions ? Number(partitions) : 1;
  for (const table of await rows.strayTables(BigInt(partitionCount))) {
    mismatches.add({ subject: `table ${table}`, expected: partitionCount === 1 ? "rows of partition 0 only" : `rows of partitions 0 to ${partitionCount - 1} only`, actual: "rows of other partitions" });
  }
  const createTimeMs = integerOr(ledger?.create_time_ms, undefined);
  if (ledger !== undefined && createTimeMs === undefined) mismatches.add({ subject: "the ledger's own row: create time", expected: "a time", actual: String(ledger.create_time_ms) });
  const ledgerFacts = { createTimeMs: createTimeMs ?? 0n, partitionCount };
  return { ...ledgerFacts, starts: await readStarts(rows, ledgerFacts, mismatches) };
}
