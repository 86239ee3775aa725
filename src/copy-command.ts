// `npm run copy`: moves a ledger from one database to another, and verifies it there.

import { setImmediate as nextTurn } from "node:timers/promises";
import type { CopyConfig } from "./config/copy-flags.ts";
import { databaseText } from "./config/database-text.ts";
import type { VerificationResult } from "./domain/audit/verification-report.ts";
import { openCopyScratch, openCopySource, openCopyTarget } from "./copy-ends.ts";
import { Verifier } from "./ledger/verifier.ts";
import { StartError } from "./start-error.ts";
import { copyLedger, type CopiedLedger } from "./store/copy/copy-ledger.ts";
import type { CopyProgress } from "./store/copy/copy-progress.ts";
import type { CopySource } from "./store/copy/copy-source.ts";
import type { CopyTarget } from "./store/copy/copy-target.ts";
import { StoreFault } from "./store/store.ts";
import { mismatchLines, mismatchText, verified, writtenNowAndThen } from "./verification-told.ts";

/**
 * Copies and verifies. Progress goes to stderr, the result to stdout. Answers the exit code: 0 where the copy is done and everything fits, 1 where it does not
 * fit, 2 where it could not be made or verified. No password of a URL is told.
 */
export async function copyCommand(config: CopyConfig): Promise<0 | 1 | 2> {
  const stopped = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stopped.abort());
  try {
    return await copyAndVerify(config, stopped.signal);
  } catch (error) {
    process.stderr.write(`${stopped.signal.aborted ? "Stopped before it was finished. Started again as it was, the copy goes on from there." : sentenceOf(error)}\n`);
    return 2;
  }
}

async function copyAndVerify({ from, to, partitions, idempotencyRetentionMs }: CopyConfig, signal: AbortSignal): Promise<0 | 1> {
  const tell = writtenNowAndThen();
  const source = await openCopySource(from);
  try {
    const target = await openCopyTarget(to);
    try {
      for (const reason of target.durability.reasons) process.stderr.write(`The target may lose what is written to it: ${reason}.\n`);
      const copied = await copyLedger(source, target, {
        partitions,
        openScratch: openCopyScratch,
        async afterChunk(progress) {
          // A turn of the event loop, in which signals are heard.
          await nextTurn();
          signal.throwIfAborted();
          tell(() => progressText(progress));
        },
      });
      // The source stays as it is until it is known that it is not needed any more.
      const verifier = new Verifier(new URL("./verifier.ts", import.meta.url), { database: to, idempotencyRetentionMs });
      try {
        const result = await verified(verifier, signal, (checked, total) => tell(() => `verified ${checked} of ${total} records`));
        return await conclude({ source, target, copied, result, ends: `${databaseText(from)} to ${databaseText(to)}` });
      } finally {
        await verifier.close();
      }
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

interface Outcome {
  readonly source: CopySource;
  readonly target: CopyTarget;
  readonly copied: CopiedLedger;
  readonly result: VerificationResult;
  /** What was copied where. */
  readonly ends: string;
}

/** Throws StartError where everything fits, but the source may have been written to meanwhile. */
async function conclude({ source, target, copied: { heads, records }, result, ends }: Outcome): Promise<0 | 1> {
  const { mismatchCount } = result;
  const lines = mismatchLines(result);
  const found = await target.heads();
  let differing = found.length === heads.length ? 0 : 1;
  for (const [place, { partition, sequence, hash }] of heads.entries()) {
    const other = found[place];
    if (other !== undefined && other.sequence === sequence && Buffer.compare(other.hash, hash) === 0) continue;
    differing++;
    lines.push(mismatchText({ subject: `head of partition ${partition}`, expected: headText({ sequence, hash }), actual: other === undefined ? "none" : headText(other) }));
  }
  const isWhole = mismatchCount === 0 && differing === 0;
  // The last question: a lock that was lost, however long ago, has let the source's services go on.
  if (isWhole) await source.assertUnchanged();
  lines.push(isWhole ? `ok: ${ends}, records: ${records}, partitions: ${heads.length}; everything fits` : `not ok: ${ends}, mismatches: ${mismatchCount + differing}; do not serve the copy`);
  process.stdout.write(`${lines.join("\n")}\n`);
  return isWhole ? 0 : 1;
}

function headText({ sequence, hash }: { readonly sequence: bigint; readonly hash: Uint8Array }): string {
  return `sequence ${sequence}, hash ${Buffer.from(hash).toString("hex")}`;
}

function progressText({ table, rowsDone, rowsInAll }: CopyProgress): string {
  return rowsInAll === undefined ? `${table}: ${rowsDone} rows` : `${table}: ${rowsDone} of ${rowsInAll} rows`;
}

function sentenceOf(error: unknown): string {
  if (error instanceof StartError) return error.message;
  if (error instanceof StoreFault) return `A database failed: ${error.message}. Started again as it was, the copy goes on from there.`;
  return error instanceof Error ? `The copy failed: ${error.stack ?? error.message}` : String(error);
}
