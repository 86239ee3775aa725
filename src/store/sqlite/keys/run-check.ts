// Reads one run from its first chunk to its last, and says what about it is not as it was written.

import { createHash } from "node:crypto";
import type Database from "better-sqlite3";
import { bytesText, type Mismatches } from "../../../domain/audit/mismatch.ts";
import { keyHashBytes } from "../../../domain/idempotency.ts";
import type { KeyChunkTable, KeyFilterTable, KeyRunTable } from "../../tables.ts";
import { prepareAll } from "../statement.ts";
import { writtenQueries } from "../written-queries.ts";
import { compareHashes, entriesPerChunk, entryBytes, ordinalAt } from "./key-entries.ts";
import { KeyFilter, blockBytes } from "./key-filter.ts";
import { beforeEveryHash, lastingFacts } from "./key-runs.ts";

/** A check of one run that goes on in the next snapshot. */
export interface RunCheck {
  /** Looks at so many chunks. Answers whether there are no more. */
  step(chunks: number): boolean;
}

/** Answers a function that begins with this run, whose row has values of the right types. Of wrong entries the first of each chunk is told. */
export function prepareRunCheck(connection: Database.Database, mismatches: Mismatches): (row: KeyRunTable) => RunCheck {
  const statements = prepareAll(connection, writtenQueries.keyRuns);
  return (row) => {
    const { partition, run } = row;
    const subject = `run ${run} of keys`;
    const stored = storedFilter(row, statements.filter.all({ partition, run }), (problem) => mismatches.add({ subject: `${subject}: filter`, ...problem }));
    const filter = new KeyFilter(new Uint8Array(stored?.length ?? blockBytes));
    const hash = createHash("sha256");
    let entries = 0n;
    let lastHash: Uint8Array = beforeEveryHash;
    let lastFirstHash: Uint8Array = beforeEveryHash;

    const problemIn = (chunk: KeyChunkTable): string | undefined => {
      const { entries: bytes, first_hash: first } = chunk;
      if (!(bytes instanceof Uint8Array)) return `no bytes: ${String(bytes)}`;
      hash.update(bytes);
      if (bytes.length === 0 || bytes.length % entryBytes !== 0 || bytes.length > entriesPerChunk * entryBytes) return `${bytes.length} bytes`;
      if (first.length !== keyHashBytes || compareHashes(bytes, 0, first, 0) !== 0) return "another hash at its beginning";
      let problem: string | undefined;
      for (let at = 0; at < bytes.length; at += entryBytes) {
        const ordinal = ordinalAt(bytes, at);
        const entryHash = bytes.subarray(at, at + keyHashBytes);
        if (lastHash.length > 0 && compareHashes(lastHash, 0, entryHash, 0) >= 0) problem ??= `${bytesText(entryHash)} behind ${bytesText(lastHash)}`;
        if (ordinal < row.first_ordinal || ordinal > row.last_ordinal) problem ??= `an entry for ordinal ${ordinal}, which is not the run's`;
        filter.add(bytes, at);
        lastHash = entryHash;
        entries++;
      }
      return problem;
    };

    const tellWhole = (): void => {
      mismatches.compare(`${subject}: entries`, `${row.entries}`, `${entries}`);
      mismatches.compare(`${subject}: hash over its entries and its row`, bytesText(row.hash), hash.update(lastingFacts(row)).digest("hex"));
      if (stored !== undefined && Buffer.compare(stored, filter.bytes) !== 0) mismatches.add({ subject: `${subject}: filter`, expected: "that of its entries", actual: "another" });
    };

    return {
      step(chunks) {
        for (let looked = 0; looked < chunks; looked++) {
          const chunk = statements.chunkAfter.get({ partition, run, hash: lastFirstHash });
          if (chunk === undefined) {
            tellWhole();
            return true;
          }
          const problem = problemIn(chunk);
          if (problem !== undefined) mismatches.add({ subject: `${subject}: chunk ${bytesText(chunk.first_hash)}`, expected: "entries in the order of their hashes", actual: problem });
          lastFirstHash = chunk.first_hash;
        }
        return false;
      },
    };
  };
}

/** The filter's bytes; undefined, and told, where its rows do not follow on each other from its first block to its last. */
function storedFilter({ filter_blocks: blocks }: KeyRunTable, rows: readonly KeyFilterTable[], tell: (problem: { expected: string; actual: string }) => void): Uint8Array | undefined {
  let next = 0n;
  for (const row of rows) {
    const isNext = row.first_block === next && row.blocks instanceof Uint8Array && row.blocks.length > 0 && row.blocks.length % blockBytes === 0;
    if (!isNext) {
      tell({ expected: `a row that begins with block ${next}`, actual: `one that begins with ${row.first_block}` });
      return undefined;
    }
    next += BigInt(row.blocks.length / blockBytes);
  }
  if (next === blocks && next > 0n) return Buffer.concat(rows.map((row) => row.blocks));
  tell({ expected: `${blocks} blocks`, actual: `${next}` });
  return undefined;
}
