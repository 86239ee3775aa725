// Verifies a ledger while it goes on being written: replays the journal, and then compares everything that is kept with what the replay says.
//
// Each step is a snapshot of its own. It first replays what the journal has beyond the last step, up to the snapshot's last record; only when it has come
// so far does it compare some rows. So every comparison is between two things of the same moment, and no snapshot is long.

import { Mismatches, bytesText, timeText } from "../../domain/audit/mismatch.ts";
import { JournalReplay } from "../../domain/audit/replay.ts";
import type { VerificationProgress, VerificationResult } from "../../domain/audit/verification-report.ts";
import { journalStart, onlyPartition, type JournalRecord } from "../../domain/journal.ts";
import { belowEveryKey, type Audit, type AuditRows, type Scratch } from "./audit.ts";
import { checkKeysOf, keysComparison, type KeyChecks } from "./compare-keys.ts";
import { holdsComparison, totalsComparison, walletsComparison } from "./compare-kept.ts";
import { checkMarksOf, marksComparison } from "./compare-marks.ts";
import type { Comparison, ComparisonOptions } from "./comparison.ts";
import { compareSchema } from "./compare-schema.ts";
import { placeOf, readRecord } from "./read-record.ts";
import { integerOr } from "./row-differences.ts";

/** Records that one snapshot replays: some 100 ms. */
const replayedMax = 2_000n;

/** Rows that one snapshot compares. */
const comparedMax = 1_000n;

const partition = BigInt(onlyPartition);

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
  const createTimeMs = await audit.snapshot((rows) => checkLedger(rows, mismatches));
  const start = { ...journalStart(onlyPartition), timeMs: Number(createTimeMs) };
  const replay = new JournalReplay(start, scratch, mismatches);
  const options: ComparisonOptions = { partition, limit: comparedMax, mismatches };
  const keys: KeyChecks = { ...options, retentionMs: BigInt(idempotencyRetentionMs), createTimeMs };
  let checkedOperations = 0n;
  let totalOperations = 0n;
  let readUpTo = belowEveryKey;

  /** Replays the next records of the snapshot. Answers whether there are no more. */
  const catchUp = async (rows: AuditRows): Promise<boolean> => {
    const chunk = await rows.records({ partition, after: readUpTo, limit: replayedMax });
    const records: JournalRecord[] = [];
    for (const row of chunk) {
      const read = readRecord(row);
      if ("record" in read) {
        replay.follow(read.record);
        records.push(read.record);
      } else {
        replay.skip(placeOf(row, replay.end), read.unreadable);
      }
    }
    await checkKeysOf(rows, records, keys);
    await checkMarksOf(rows, records, mismatches);
    readUpTo = chunk.at(-1)?.sequence ?? readUpTo;
    checkedOperations += BigInt(chunk.length);
    const said = integerOr((await rows.head(partition))?.sequence, 0n);
    totalOperations = said > checkedOperations ? said : checkedOperations;
    return BigInt(chunk.length) < replayedMax;
  };

  const comparisons: Comparison[] = [
    headComparison(keys, replay),
    walletsComparison(options, scratch),
    holdsComparison(options, scratch),
    totalsComparison(options, replay),
    keysComparison(keys),
    marksComparison(options),
    ...audit.ownComparisons(options),
  ];
  for (const comparison of comparisons) {
    for (let isDone = false; !isDone; ) {
      isDone = await audit.snapshot(async (rows) => (await catchUp(rows)) && (await comparison(rows)));
      await afterStep({ checkedOperations, totalOperations });
    }
  }
  return { checkedOperations, mismatches: mismatches.kept, mismatchCount: mismatches.count };
}

/** Answers when the ledger was created, in milliseconds since 1970. */
async function checkLedger(rows: AuditRows, mismatches: Mismatches): Promise<bigint> {
  await compareSchema(rows, mismatches);
  const ledger = await rows.ledger();
  mismatches.compare("the ledger's own row: partitions", "1", ledger === undefined ? "no such row" : `${ledger.partitions}`);
  for (const table of await rows.strayTables(1n)) {
    mismatches.add({ subject: `table ${table}`, expected: "rows of partition 0 only", actual: "rows of other partitions" });
  }
  const createTimeMs = integerOr(ledger?.create_time_ms, undefined);
  if (ledger !== undefined && createTimeMs === undefined) mismatches.add({ subject: "the ledger's own row: create time", expected: "a time", actual: String(ledger.create_time_ms) });
  return createTimeMs ?? 0n;
}

/** The head says where the journal ends, what time it was at the last change, and how many keys were given a place. */
function headComparison({ createTimeMs, mismatches }: KeyChecks, replay: JournalReplay): Comparison {
  return async (rows) => {
    const subject = `head of partition ${partition}`;
    const head = await rows.head(partition);
    if (head === undefined) {
      mismatches.add({ subject, expected: "a row in ledger_head", actual: "none" });
      return true;
    }
    const { sequence, hash, timeMs } = replay.end;
    const newest = await rows.endKey(partition, "newest");
    mismatches.compare(`${subject}: sequence`, `${sequence}`, `${head.sequence}`);
    mismatches.compare(`${subject}: hash`, bytesText(hash), bytesText(head.hash));
    // Whatever changes the ledger writes a record or a key, and moves the ledger's clock to its time.
    const changedMs = [createTimeMs, BigInt(timeMs), integerOr(newest?.time_ms, 0n)].reduce((last, each) => (each > last ? each : last));
    mismatches.compare(`${subject}: time`, timeText(changedMs), timeText(head.time_ms));
    // The newest key is the last to be forgotten, so where there is any its ordinal was given last.
    if (newest !== undefined) mismatches.compare(`${subject}: last key ordinal`, `${newest.ordinal}`, `${head.key_ordinal}`);
    return true;
  };
}
