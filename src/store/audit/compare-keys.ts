// Remembered keys against the journal: every applied operation's key points at it for as long as the key is kept, and every key that points, points right.
//
// What the journal cannot tell: which rejection a key remembers, and which request (its fingerprint); neither is in any record.

import type { Selectable } from "kysely";
import { bytesText, timeText, type Mismatches } from "../../domain/audit/mismatch.ts";
import { keyHashBytes } from "../../domain/idempotency.ts";
import type { JournalRecord } from "../../domain/journal.ts";
import { isRemembered } from "../../domain/rejection.ts";
import { keyFromRow } from "../rows.ts";
import type { IdempotencyKeyTable, JournalTable } from "../tables.ts";
import { belowEveryKey, type AuditRows } from "./audit.ts";
import type { MovedChecks } from "./compare-moved.ts";
import type { Comparison } from "./comparison.ts";
import { integerOr, isSameValue } from "./row-differences.ts";
import { tellFound } from "./tell-found.ts";

type KeyRow = Selectable<IdempotencyKeyTable>;

/** What the keys are held against. */
export interface KeyChecks extends MovedChecks {
  /** The ledger's. */
  readonly partitionCount: number;
  /** How long the ledger has kept its keys, in milliseconds. */
  readonly retentionMs: bigint;
  /** When the ledger was created, in milliseconds since 1970. */
  readonly createTimeMs: bigint;
}

/**
 * The keys of these records, in a snapshot that has them. One may be forgotten only when it is older than the retention, and only together with all that
 * are older still: keys go from the front.
 */
export async function checkKeysOf(rows: AuditRows, records: readonly JournalRecord[], { partition, partitionCount, mismatches, retentionMs, movedSequence }: KeyChecks): Promise<void> {
  const keyed = records.flatMap((record) => (record.keyHash === undefined ? [] : [{ record, keyHash: record.keyHash }]));
  if (keyed.length === 0) return;
  const nowMs = await clockOf(rows, partition);
  const oldest = await rows.endKey(partition, "oldest");
  const remembered = await rows.keysWith(partition, keyed.map(({ keyHash }) => Buffer.from(keyHash, "hex")));
  for (const [place, { record, keyHash }] of keyed.entries()) {
    const subject = `idempotency key ${keyHash} of operation ${record.sequence}`;
    const row = remembered[place];
    const timeMs = BigInt(record.timeMs);
    if (row === undefined) {
      // What was born elsewhere stood beside other keys there, and by the clock of another partition.
      const isKept =
        record.sequence <= movedSequence ? timeMs >= (await ledgerClock(rows, partitionCount)) - retentionMs : timeMs >= nowMs - retentionMs || (oldest !== undefined && timeMs > oldest.time_ms);
      if (isKept) mismatches.add({ subject, expected: "remembered", actual: "not remembered" });
    } else if (row.sequence === null) {
      // Only a later request, after the retention of this one, may have been rejected under the same key.
      if (row.time_ms <= timeMs) mismatches.add({ subject, expected: `points at operation ${record.sequence}`, actual: "remembers a rejection" });
    } else if (row.sequence < record.sequence) {
      mismatches.add({ subject, expected: `points at operation ${record.sequence}`, actual: `points at operation ${row.sequence}` });
    }
  }
}

/** Every remembered key, in the order of their age. */
export function keysComparison({ partition, limit, mismatches, retentionMs, createTimeMs }: KeyChecks): Comparison {
  let previous = { ordinal: 0n, time_ms: createTimeMs };
  let after = belowEveryKey;
  return async (rows) => {
    const keys = await rows.keys({ partition, after, limit });
    const nowMs = await clockOf(rows, partition);
    const pointedAt = await rows.recordsAt(partition, keys.flatMap((row) => row.sequence ?? []));
    const records = new Map(pointedAt.map((row) => [row.sequence, row]));
    for (const row of keys) {
      const subject = rowText(row);
      checkForm(mismatches, subject, row);
      if (row.sequence !== null) checkTarget(mismatches, subject, row, records.get(row.sequence));
      if (row.time_ms < previous.time_ms) mismatches.add({ subject: `${subject}: time`, expected: `not before ${timeText(previous.time_ms)}`, actual: timeText(row.time_ms) });
      // Ordinals are given without gaps. One appears where a key is forgotten or used anew, and neither happens before it is as old as the retention.
      const isInPlace = previous.time_ms <= nowMs - retentionMs || row.ordinal === previous.ordinal + 1n;
      if (!isInPlace) mismatches.add({ subject: `${subject}: ordinal`, expected: `${previous.ordinal + 1n}: no key in between can be forgotten yet`, actual: `${row.ordinal}` });
      previous = { ordinal: integerOr(row.ordinal, previous.ordinal), time_ms: integerOr(row.time_ms, previous.time_ms) };
    }
    const found = await rows.keysWith(partition, keys.map((row) => row.key_hash));
    for (const [place, row] of keys.entries()) {
      if (isNewer(found[place], row, retentionMs)) continue;
      tellFound(mismatches, [{ key: row.ordinal, by: "its hash", foundKey: found[place]?.ordinal }], () => rowText(row));
    }
    after = keys.at(-1)?.ordinal ?? after;
    return BigInt(keys.length) < limit;
  };
}

/** Whether the key was remembered anew after its retention: the old row is one that nobody looks for any more, and goes by its age. */
function isNewer(found: KeyRow | undefined, row: KeyRow, retentionMs: bigint): boolean {
  return found !== undefined && found.ordinal > row.ordinal && isSameValue(found.key_hash, row.key_hash) && found.time_ms - retentionMs >= row.time_ms;
}

function rowText(row: KeyRow): string {
  return `idempotency key ${bytesText(row.key_hash)} (ordinal ${row.ordinal})`;
}

/** The ledger's clock as it is kept; the newest key's time where somebody has set it back. */
async function clockOf(rows: AuditRows, partition: bigint): Promise<bigint> {
  const headMs = integerOr((await rows.head(partition))?.time_ms, 0n);
  const newestMs = integerOr((await rows.endKey(partition, "newest"))?.time_ms, 0n);
  return headMs > newestMs ? headMs : newestMs;
}

/** The latest of all partitions' clocks. */
async function ledgerClock(rows: AuditRows, partitionCount: number): Promise<bigint> {
  let latest = 0n;
  for (let partition = 0; partition < partitionCount; partition++) {
    const clock = await clockOf(rows, BigInt(partition));
    if (clock > latest) latest = clock;
  }
  return latest;
}

function checkForm(mismatches: Mismatches, subject: string, row: KeyRow): void {
  for (const [name, value] of [["hash", row.key_hash], ["fingerprint", row.fingerprint]] as const) {
    mismatches.compare(`${subject}: bytes of its ${name}`, `${keyHashBytes}`, lengthText(value));
  }
  for (const [name, value] of [["time", row.time_ms], ["ordinal", row.ordinal]] as const) {
    if (integerOr(value, undefined) === undefined) mismatches.add({ subject: `${subject}: ${name}`, expected: "an integer", actual: String(value) });
  }
  if ((row.sequence === null) !== (row.rejection === null)) {
    if (row.rejection !== null) mismatches.compare(`${subject}: rejection`, "one that is remembered", rejectionText(row));
    return;
  }
  mismatches.add({ subject, expected: "an operation or a rejection", actual: row.sequence === null ? "neither" : "both" });
}

function lengthText(value: unknown): string {
  return value instanceof Uint8Array ? `${value.length}` : `no bytes: ${String(value)}`;
}

function rejectionText(row: KeyRow): string {
  try {
    const { outcome } = keyFromRow(row);
    const reason: unknown = "rejection" in outcome ? outcome.rejection.reason : undefined;
    const isKnown = typeof reason === "string" && Object.hasOwn(isRemembered, reason) && isRemembered[reason as keyof typeof isRemembered];
    return isKnown ? "one that is remembered" : `${row.rejection}`;
  } catch {
    return `${row.rejection}`;
  }
}

function checkTarget(mismatches: Mismatches, subject: string, row: KeyRow, record: Selectable<JournalTable> | undefined): void {
  if (record === undefined || !isSameValue(record.key_hash, row.key_hash)) {
    mismatches.add({ subject, expected: "points at the operation that carries its hash", actual: `points at operation ${row.sequence}, ${record === undefined ? "which there is not" : "which does not"}` });
  } else {
    mismatches.compare(`${subject}: time`, timeText(record.time_ms), timeText(row.time_ms));
  }
}
