// One partition under verification: its journal replayed as far as it has been read, and what of it is compared then.

import { bytesText, timeText } from "../../domain/audit/mismatch.ts";
import { JournalReplay, type JournalStart } from "../../domain/audit/replay.ts";
import type { JournalRecord } from "../../domain/journal.ts";
import { belowEveryKey, type Audit, type AuditRows, type PartitionScratch } from "./audit.ts";
import { checkKeysOf, keysComparison, type KeyChecks } from "./compare-keys.ts";
import { holdsComparison, totalsComparison, walletsComparison } from "./compare-kept.ts";
import { checkMarksOf, marksComparison } from "./compare-marks.ts";
import { checkMovedOf, movedComparison } from "./compare-moved.ts";
import type { Comparison } from "./comparison.ts";
import { placeOf, readRecord } from "./read-record.ts";
import { integerOr } from "./row-differences.ts";

/** Records that one snapshot replays: some 100 ms. */
const replayedMax = 2_000n;

export class ReplayedPartition {
  readonly #keys: KeyChecks;
  readonly #scratch: PartitionScratch;
  readonly #replay: JournalReplay;
  readonly #startSequence: bigint;
  #readUpTo = belowEveryKey;
  #checkedOperations = 0n;
  #totalOperations = 0n;

  constructor(start: JournalStart, partitionCount: number, scratch: PartitionScratch, keys: KeyChecks) {
    this.#keys = keys;
    this.#scratch = scratch;
    this.#startSequence = start.sequence;
    this.#replay = new JournalReplay(start, partitionCount, scratch, keys.mismatches);
  }

  /** Records that were replayed. */
  get checkedOperations(): bigint {
    return this.#checkedOperations;
  }

  /** Records that there are, as far as is known. */
  get totalOperations(): bigint {
    return this.#totalOperations;
  }

  /** Replays the next records of the snapshot. Answers whether there are no more. */
  async catchUp(rows: AuditRows): Promise<boolean> {
    const { partition, mismatches } = this.#keys;
    const chunk = await rows.records({ partition, after: this.#readUpTo, limit: replayedMax });
    const records: JournalRecord[] = [];
    for (const row of chunk) {
      const read = readRecord(row);
      if ("record" in read) {
        this.#replay.follow(read.record);
        records.push(read.record);
      } else {
        this.#replay.skip(placeOf(row, this.#replay.end), read.unreadable);
      }
    }
    await checkKeysOf(rows, records, this.#keys);
    await checkMarksOf(rows, records, mismatches);
    await checkMovedOf(rows, records, this.#keys);
    this.#readUpTo = chunk.at(-1)?.sequence ?? this.#readUpTo;
    this.#checkedOperations += BigInt(chunk.length);
    const said = integerOr((await rows.head(partition))?.sequence, this.#startSequence) - this.#startSequence;
    this.#totalOperations = said > this.#checkedOperations ? said : this.#checkedOperations;
    return BigInt(chunk.length) < replayedMax;
  }

  /** Everything that is kept of the partition against what the replay says, in snapshots of which it has all records. */
  comparisons(audit: Audit): readonly Comparison[] {
    return [
      (rows) => this.#compareHead(rows),
      walletsComparison(this.#keys, this.#scratch),
      holdsComparison(this.#keys, this.#scratch),
      totalsComparison(this.#keys, this.#replay),
      keysComparison(this.#keys),
      marksComparison(this.#keys),
      movedComparison(this.#keys),
      ...audit.ownComparisons(this.#keys),
    ];
  }

  /** The head says where the journal ends, what time it was at the last change, and how many keys were given a place. */
  async #compareHead(rows: AuditRows): Promise<boolean> {
    const { partition, createTimeMs, mismatches } = this.#keys;
    const subject = `head of partition ${partition}`;
    const head = await rows.head(partition);
    if (head === undefined) {
      mismatches.add({ subject, expected: "a row in ledger_head", actual: "none" });
      return true;
    }
    const { sequence, hash, timeMs } = this.#replay.end;
    const newest = await rows.endKey(partition, "newest");
    mismatches.compare(`${subject}: sequence`, `${sequence}`, `${head.sequence}`);
    mismatches.compare(`${subject}: hash`, bytesText(hash), bytesText(head.hash));
    // Up to there ids are judged as those of another ledger: not behind what there is.
    if (integerOr(head.moved_sequence, 0n) > sequence) mismatches.add({ subject: `${subject}: moved sequence`, expected: `at most ${sequence}`, actual: `${head.moved_sequence}` });
    // Whatever changes the ledger writes a record or a key, and moves the ledger's clock to its time.
    const changedMs = [createTimeMs, BigInt(timeMs), integerOr(newest?.time_ms, 0n)].reduce((last, each) => (each > last ? each : last));
    mismatches.compare(`${subject}: time`, timeText(changedMs), timeText(head.time_ms));
    // The newest key is the last to be forgotten, so where there is any its ordinal was given last.
    if (newest !== undefined) mismatches.compare(`${subject}: last key ordinal`, `${newest.ordinal}`, `${head.key_ordinal}`);
    return true;
  }
}
