// `npm run verify`: checks a ledger against its own journal from the shell, whether or not a service has it open.

import { Verifier } from "./ledger/verifier.ts";
import type { VerifyConfig } from "./config.ts";
import type { VerificationResult } from "./domain/audit/verification-report.ts";
import { StartError } from "./start-error.ts";
import { mismatchLines, verified, writtenNowAndThen } from "./verification-told.ts";

/**
 * Writes progress to stderr and the result to stdout, each mismatch on a line. Answers the exit code: 0 where everything fits, 1 where something does not, 2
 * where that could not be found out.
 */
export async function verifyCommand({ database, idempotencyRetentionMs }: VerifyConfig): Promise<0 | 1 | 2> {
  const verifier = new Verifier(new URL("./verifier.ts", import.meta.url), { database, idempotencyRetentionMs });
  const stopped = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stopped.abort());
  const progress = writtenNowAndThen();
  try {
    return tell(await verified(verifier, stopped.signal, (checked, total) => progress(() => `${checked} of ${total} operations`)));
  } catch (error) {
    process.stderr.write(`${stopped.signal.aborted ? "Stopped before it was finished." : sentenceOf(error)}\n`);
    return 2;
  } finally {
    await verifier.close();
  }
}

function tell(result: VerificationResult): 0 | 1 {
  const { checkedOperations, mismatchCount } = result;
  const told = mismatchCount === 0 ? `ok: ${checkedOperations} operations, and everything fits` : `not ok: ${checkedOperations} operations, mismatches: ${mismatchCount}`;
  process.stdout.write(`${[...mismatchLines(result), told].join("\n")}\n`);
  return mismatchCount === 0 ? 0 : 1;
}

function sentenceOf(error: unknown): string {
  if (error instanceof StartError) return error.message;
  return error instanceof Error ? `The verification failed: ${error.stack ?? error.message}` : String(error);
}
