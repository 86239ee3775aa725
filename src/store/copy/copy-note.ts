// What an unfinished copy says of itself in its target: which ledger it is of, as it was then, and over how many partitions it is spread.

import type { CopySource } from "./copy-source.ts";

/** The table that it is noted in, beside a ledger's own. As long as it is there, the target is no ledger. */
export const noteTable = "ledger_copy";

export interface CopyNote {
  /** The source's creation and the ends of all its journals, as text: who continues compares them. */
  readonly heads: string;
  /** The target's. */
  readonly partitions: bigint;
}

/** The note of a copy of this source over so many partitions. */
export function noteOf({ ledger, heads }: Pick<CopySource, "ledger" | "heads">, partitions: bigint): CopyNote {
  const lines = heads.map((head) => `${head.partition} ${head.sequence} ${Buffer.from(head.hash).toString("hex")} ${head.time_ms} ${head.key_ordinal}\n`);
  return { heads: `created ${ledger.create_time_ms}\n${lines.join("")}`, partitions };
}

/** Why nobody serves the target of an unfinished copy. `place` names it, at the beginning of a sentence. */
export function unfinishedSentence(place: string): string {
  return `${place} is the target of a copy that is not finished, and no ledger yet. Finish the copy by starting it again as it was started (copy --from … --to …), or give WALLET_DATABASE_URL another.`;
}

/** Why a copy does not write over a ledger. */
export function alreadyLedgerSentence(place: string): string {
  return `${place} already is a ledger, and a copy needs an empty target. Give --to another; whether the ledger that is there is whole, verify tells.`;
}
