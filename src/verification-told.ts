// A verification as the commands tell it: progress on stderr now and then, and each mismatch in a line.

import type { Mismatch } from "./domain/audit/mismatch.ts";
import type { VerificationResult } from "./domain/audit/verification-report.ts";
import type { Verifier } from "./ledger/verifier.ts";

/** Progress is written at most this often, in milliseconds: it may go to a file. */
const writtenIntervalMs = 1_000;

/** Writes a line, which is made only then, unless another has just been written. */
export type Tell = (text: () => string) => void;

/** To stderr. */
export function writtenNowAndThen(): Tell {
  let writtenMs = -Infinity;
  return (text) => {
    if (performance.now() - writtenMs < writtenIntervalMs) return;
    writtenMs = performance.now();
    process.stderr.write(`${text()}\n`);
  };
}

/** Verifies to the end. Throws the signal's reason, and what the verifier does. */
export async function verified(verifier: Verifier, signal: AbortSignal, progressed: (checked: bigint, total: bigint) => void): Promise<VerificationResult> {
  for await (const event of verifier.verify(signal)) {
    if (event.type === "result") return event;
    progressed(event.checkedOperations, event.totalOperations);
  }
  throw new Error("a verification ended without a result");
}

/** A line each, and one more where not all of them were kept. */
export function mismatchLines({ mismatches, mismatchCount }: VerificationResult): string[] {
  const unlisted = mismatchCount - mismatches.length;
  return [...mismatches.map(mismatchText), ...(unlisted > 0 ? [`… and ${unlisted} more`] : [])];
}

/** One line without control characters, whatever is in the row. */
export function mismatchText({ subject, expected, actual }: Mismatch): string {
  return oneLine(`${subject}: expected ${expected}, found ${actual}`);
}

/** A row that somebody has altered may contain line ends, and characters that a terminal obeys. */
function oneLine(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
