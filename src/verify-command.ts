// `npm run verify`: checks a ledger against its own journal from the shell, whether or not a service has it open.

import { Verifier } from "./ledger/verifier.ts";
import type { VerificationEvent } from "./ledger/verifier-messages.ts";
import type { VerifyConfig } from "./config.ts";
import { StartError } from "./start-error.ts";

/** Progress is written at most this often, in milliseconds: it may go to a file. */
const writtenIntervalMs = 1_000;

/**
 * Writes progress to stderr and the result to stdout, each mismatch on a line. Answers the exit code: 0 where everything fits, 1 where something does not, 2
 * where that could not be found out.
 */
export async function verifyCommand({ database, idempotencyRetentionMs }: VerifyConfig): Promise<0 | 1 | 2> {
  const verifier = new Verifier(new URL("./verifier.ts", import.meta.url), { databasePath: database.path, idempotencyRetentionMs });
  const stopped = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stopped.abort());
  let writtenMs = -Infinity;
  try {
    for await (const event of verifier.verify(stopped.signal)) {
      if (event.type === "result") return tell(event);
      if (performance.now() - writtenMs < writtenIntervalMs) continue;
      writtenMs = performance.now();
      process.stderr.write(`${event.checkedOperations} of ${event.totalOperations} operations\n`);
    }
    throw new Error("a verification ended without a result");
  } catch (error) {
    process.stderr.write(`${stopped.signal.aborted ? "Stopped before it was finished." : sentenceOf(error)}\n`);
    return 2;
  } finally {
    await verifier.close();
  }
}

function tell({ checkedOperations, mismatches, mismatchCount }: VerificationEvent & { type: "result" }): 0 | 1 {
  for (const { subject, expected, actual } of mismatches) process.stdout.write(`${oneLine(`${subject}: expected ${expected}, found ${actual}`)}\n`);
  const unlisted = mismatchCount - mismatches.length;
  if (unlisted > 0) process.stdout.write(`… and ${unlisted} more\n`);
  process.stdout.write(mismatchCount === 0 ? `ok: ${checkedOperations} operations, and everything fits\n` : `not ok: ${checkedOperations} operations, mismatches: ${mismatchCount}\n`);
  return mismatchCount === 0 ? 0 : 1;
}

/** A row that somebody has altered may contain line ends, and characters that a terminal obeys. */
function oneLine(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function sentenceOf(error: unknown): string {
  if (error instanceof StartError) return error.message;
  return error instanceof Error ? `The verification failed: ${error.stack ?? error.message}` : String(error);
}
