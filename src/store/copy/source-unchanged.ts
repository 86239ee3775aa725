// Whether a source still is what was copied. Who was acknowledged an operation after the heads were read would miss it in the target.

import { StartError } from "../../start-error.ts";
import { noteOf } from "./copy-note.ts";
import type { CopySource } from "./copy-source.ts";

/** Throws StartError where these heads, read anew, are not the ones that were copied. Compared with the keys' ordinals: a remembered rejection moves nothing else. */
export function assertUnchanged({ ledger, heads }: Pick<CopySource, "ledger" | "heads">, found: CopySource["heads"]): void {
  const textOf = (each: CopySource["heads"]): string => noteOf({ ledger, heads: each }, ledger.partitions).heads;
  if (textOf(found) !== textOf(heads)) throw sourceLost("its journals do not end where they did");
}

/** `said` is how it was noticed, in words that somebody who runs databases understands. */
export function sourceLost(said: string, options?: ErrorOptions): StartError {
  return new StartError(
    `The source was written to while it was copied, or its lock was lost meanwhile (${said}). Nothing of the source is lost, but the target may lack its last operations: do not serve the copy. Stop the source's services, and run the copy again with --to an empty target.`,
    options,
  );
}
