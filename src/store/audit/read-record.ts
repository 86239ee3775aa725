// A journal row as a record, where it is one: a row that somebody has altered may say anything, in values of any type.

import type { Selectable } from "kysely";
import { canonicalContent } from "../../domain/canonical.ts";
import { exponentMax } from "../../domain/currency.ts";
import { genesisHash, type JournalHead, type JournalRecord } from "../../domain/journal.ts";
import { recordFromRow, recordToRow } from "../rows.ts";
import type { JournalTable } from "../tables.ts";
import { isSameValue } from "./row-differences.ts";

type JournalRow = Selectable<JournalTable>;
type Column = keyof JournalRow;

const texts: ReadonlySet<Column> = new Set(["opened_user_id", "opened_currency", "reference", "metadata", "other_user_id"]);
const blobs: ReadonlySet<Column> = new Set(["key_hash", "hash"]);

/** Columns that are null in many records; every other one never is. */
const optional: ReadonlySet<Column> = new Set([
  "balance_max_after_minor", "hold_id", "hold_status_after", "hold_captured_after_minor", "hold_eligible_time_ms", "opened_user_id", "opened_currency", "opened_exponent",
  "related_operation_id", "key_hash", "reference", "metadata", "receiver_wallet_id", "receiver_amount_minor", "receiver_available_after_minor", "receiver_held_after_minor",
  "receiver_state_after", "receiver_version_after", "receiver_balance_max_after_minor", "receiver_previous_sequence",
  "side", "other_user_id", "other_exponent", "nonce",
]);

/** The engine's own, not the record's: any number, or null. */
const notOfTheRecord: ReadonlySet<Column> = new Set(["nonce"]);

/** Parts of a record that are there or not: with the first column the others are there too. */
const parts: readonly (readonly Column[])[] = [
  ["hold_id", "hold_status_after", "hold_captured_after_minor", "hold_eligible_time_ms"],
  ["opened_user_id", "opened_currency", "opened_exponent"],
  [
    "receiver_wallet_id", "receiver_amount_minor", "receiver_available_after_minor", "receiver_held_after_minor", "receiver_state_after", "receiver_version_after",
    "receiver_previous_sequence",
  ],
  ["side", "other_user_id", "other_exponent"],
];

/**
 * The record, or why the row is none. Only a row that the record would be written as, its nonce aside, is one, since columns that say nothing beside the others, such as a
 * receiver's balance without a receiver, are covered by no hash. What this answers as a record can be encoded.
 */
export function readRecord(row: JournalRow): { readonly record: JournalRecord } | { readonly unreadable: string } {
  try {
    const broken = (Object.keys(row) as Column[]).find((column) => !hasItsType(row, column)) ?? missingColumn(row);
    if (broken !== undefined) return { unreadable: row[broken] === null ? `${broken} is missing` : `${broken} is of another type` };
    const record = recordFromRow(row);
    const { metadata, opened } = record;
    const isText = typeof metadata === "object" && !Array.isArray(metadata) && Object.values(metadata).every((value) => typeof value === "string");
    if (!isText) return { unreadable: `its metadata, ${row.metadata}, is no object of strings` };
    if (opened !== undefined && !(opened.exponent >= 0 && opened.exponent <= exponentMax)) return { unreadable: `a currency with ${opened.exponent} decimals` };
    // A wallet without a currency is one that was never opened.
    if (opened?.currency === "") return { unreadable: "a wallet without a currency" };
    const written = recordToRow(record);
    for (const column of Object.keys(row) as Column[]) {
      if (!notOfTheRecord.has(column) && !isSameValue(written[column] ?? null, row[column])) return { unreadable: `${column} contradicts the other columns` };
    }
    canonicalContent(record);
    return { record };
  } catch (error) {
    return { unreadable: error instanceof Error ? error.message : String(error) };
  }
}

/** Where a row that is no record stands in the chain. What it does not say is as if it followed `before`. */
export function placeOf({ sequence, hash, time_ms: timeMs }: JournalRow, before: JournalHead): Pick<JournalHead, "sequence" | "hash" | "timeMs"> {
  return {
    sequence: typeof sequence === "bigint" ? sequence : before.sequence + 1n,
    hash: hash instanceof Uint8Array ? hash : genesisHash,
    timeMs: typeof timeMs === "bigint" ? Number(timeMs) : before.timeMs,
  };
}

function hasItsType(row: JournalRow, column: Column): boolean {
  const value: unknown = row[column];
  if (value === null) return optional.has(column);
  if (texts.has(column)) return typeof value === "string";
  return blobs.has(column) ? value instanceof Uint8Array : typeof value === "bigint";
}

function missingColumn(row: JournalRow): Column | undefined {
  return parts.filter(([first]) => row[first!] !== null).flatMap((part) => part.filter((column) => row[column] === null))[0];
}
