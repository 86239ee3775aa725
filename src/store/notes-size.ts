// How large the caller's own notes are in an answer, which has to fit into what clients accept.

import type { Selectable } from "kysely";
import type { JournalTable } from "./tables.ts";

/** Bytes of a record's reference and metadata in JSON, the larger of the answers' forms: there a control character has six. The metadata is kept as JSON. */
export function notesBytesOf({ reference, metadata }: Pick<Selectable<JournalTable>, "reference" | "metadata">): number {
  return Buffer.byteLength(JSON.stringify(reference ?? "")) + Buffer.byteLength(metadata ?? "");
}
