// A journal row as a record, where it is one: a row that somebody has altered may say anything.

import type { Selectable } from "kysely";
import { exponentMax } from "../../domain/currency.ts";
import type { JournalRecord } from "../../domain/journal.ts";
import { recordFromRow, recordToRow } from "../rows.ts";
import type { JournalTable } from "../tables.ts";
import { isSameValue } from "./row-differences.ts";

/**
 * The record, or why the row is none. Only a row that the record would be written as is one, since columns that say nothing beside the others, such as a
 * receiver's balance without a receiver, are covered by no hash.
 */
export function readRecord(row: Selectable<JournalTable>): { readonly record: JournalRecord } | { readonly unreadable: string } {
  try {
    const record = recordFromRow(row);
    const { metadata, opened } = record;
    const isText = typeof metadata === "object" && !Array.isArray(metadata) && Object.values(metadata).every((value) => typeof value === "string");
    if (!isText) return { unreadable: `its metadata, ${row.metadata}, is no object of strings` };
    if (opened !== undefined && !(opened.exponent >= 0 && opened.exponent <= exponentMax)) return { unreadable: `a currency with ${opened.exponent} decimals` };
    const written = recordToRow(record);
    for (const column of Object.keys(row) as (keyof typeof row)[]) {
      if (!isSameValue(written[column] ?? null, row[column])) return { unreadable: `${column} contradicts the other columns` };
    }
    return { record };
  } catch (error) {
    return { unreadable: error instanceof Error ? error.message : String(error) };
  }
}
