// Checks the sorted runs of keys in a ledger's file: every key is found through them, and they are what docs/decisions/0005 says.
//
// Independent of src/ on purpose, as books.ts is: plain SQL, and its own reading of the bytes.

import { createHash } from "node:crypto";
import type Database from "better-sqlite3";

interface Run {
  readonly run: bigint;
  readonly state: bigint;
  readonly level: bigint;
  readonly first_ordinal: bigint;
  readonly last_ordinal: bigint;
  readonly entries: bigint;
  readonly filter_blocks: bigint;
  readonly hash: Uint8Array;
}

/** The state of a run that keys are found in. */
const live = 2n;

/** Bytes: a hash and a place of six. */
const entryBytes = 22;

/** Tells what is wrong with the runs of this partition. */
export function checkKeyRuns(connection: Database.Database, partition: bigint, problem: (sentence: string) => void): void {
  const runs = connection.prepare<[bigint], Run>("select * from key_runs where partition = ? order by last_ordinal").all(partition).filter(({ state }) => state === live);
  const found = new Map<string, bigint>();
  let before: Run | undefined;
  for (const run of runs) {
    const wrong = (sentence: string): void => problem(`key_runs ${partition}/${run.run}: ${sentence}`);
    if (run.last_ordinal < run.first_ordinal) wrong("ends before it begins");
    if (before !== undefined && run.first_ordinal !== before.last_ordinal + 1n) wrong(`begins with ${run.first_ordinal}, the one before ends with ${before.last_ordinal}`);
    if (before !== undefined && run.level > before.level) wrong("was merged more often than an older one");
    const entries = entriesOf(connection, partition, run, wrong);
    checkFilter(connection, partition, run, entries, wrong);
    for (let at = 0; at < entries.length; at += entryBytes) {
      const ordinal = entries.readBigUInt64BE(at + 14) & 0xffff_ffff_ffffn;
      if (ordinal < run.first_ordinal || ordinal > run.last_ordinal) wrong(`has an entry for ${ordinal}`);
      found.set(entries.toString("hex", at, at + 16), ordinal);
    }
    before = run;
  }
  // What is found: the newest row there is; what is behind the last run needs no entry.
  const keys = connection.prepare<[bigint, bigint], { key_hash: Buffer; ordinal: bigint }>("select key_hash, ordinal from idempotency_keys where partition = ? and ordinal <= ? order by ordinal desc");
  const newer = new Set<string>();
  for (const { key_hash: hash, ordinal } of keys.iterate(partition, before?.last_ordinal ?? 0n)) {
    const key = hash.toString("hex");
    if (!newer.has(key) && found.get(key) !== ordinal) problem(`idempotency_keys ${partition}/${ordinal}: is found at ${found.get(key) ?? "no place"}`);
    newer.add(key);
  }
}

/** All of a run's, in their order. */
function entriesOf(connection: Database.Database, partition: bigint, row: Run, wrong: (sentence: string) => void): Buffer {
  const { run, entries, hash } = row;
  const chunks = connection.prepare<[bigint, bigint], { first_hash: Buffer; entries: Buffer }>("select first_hash, entries from key_chunks where partition = ? and run = ? order by first_hash").all(partition, run);
  for (const chunk of chunks) if (Buffer.compare(chunk.first_hash, chunk.entries.subarray(0, 16)) !== 0) wrong("has a chunk that does not begin as it says");
  const bytes = Buffer.concat(chunks.map((chunk) => chunk.entries));
  if (bytes.length !== Number(entries) * entryBytes) wrong(`has ${bytes.length / entryBytes} entries and says ${entries}`);
  if (Buffer.compare(createHash("sha256").update(bytes).update(numbersIn(row)).digest(), hash) !== 0) wrong("does not have its hash");
  for (let at = entryBytes; at < bytes.length; at += entryBytes) {
    if (Buffer.compare(bytes.subarray(at - entryBytes, at - entryBytes + 16), bytes.subarray(at, at + 16)) >= 0) wrong("is not in order");
  }
  return bytes;
}

/** The rest of what a run's hash is over. */
function numbersIn({ level, first_ordinal: first, last_ordinal: last, entries, filter_blocks: blocks }: Run): Buffer {
  return Buffer.from([level, first, last, entries, blocks].map((number) => number.toString(16).padStart(16, "0")).join(""), "hex");
}

/** A block of 512 bits by the first 32 bits of a hash, and in it eight bits by the next 96: three from each of two words, two from the third. */
function checkFilter(connection: Database.Database, partition: bigint, { run, filter_blocks: blocks }: Run, entries: Buffer, wrong: (sentence: string) => void): void {
  const rows = connection.prepare<[bigint, bigint], { blocks: Buffer }>("select blocks from key_filters where partition = ? and run = ? order by first_block").all(partition, run);
  const filter = Buffer.concat(rows.map((row) => row.blocks));
  if (filter.length !== Number(blocks) * 64) return wrong(`has a filter of ${filter.length} bytes for ${blocks} blocks`);
  for (let at = 0; at < entries.length; at += entryBytes) {
    const block = Number((BigInt(entries.readUInt32BE(at)) * blocks) >> 32n);
    const bits = [4, 4, 4, 8, 8, 8, 12, 12].map((word, probe) => (entries.readUInt32BE(at + word) >>> (9 * (probe % 3))) & 511);
    if (bits.some((bit) => (filter[64 * block + (bit >> 3)]! & (1 << (bit & 7))) === 0)) return wrong("has a filter that denies a key");
  }
}
