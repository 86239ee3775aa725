// Compares a row that is kept with the row that the journal makes, column by column, and says in words what differs.

import { bytesText, moneyText, timeText, type Mismatches } from "../../domain/audit/mismatch.ts";
import { holdStatusNumbers } from "../../domain/hold.ts";
import { namesByNumber } from "../../domain/names-by-number.ts";
import { totalKinds, type Total, type Totals } from "../../domain/totals.ts";
import { walletStateNumbers } from "../../domain/wallet.ts";
import { decodeTotals } from "../totals-encoding.ts";

type Row = Readonly<Record<string, unknown>>;

const walletStates = namesByNumber(walletStateNumbers);
const holdStatuses = namesByNumber(holdStatusNumbers);

/** Bytes of counters that are worth decoding: each of ten kinds with numbers of a thousand digits has fewer. */
const totalsMaxBytes = 10_000;

/** Adds a mismatch for every column of `expected` in which `actual` differs. `subject` names the row, `exponent` the decimals of its money. */
export function compareRows(mismatches: Mismatches, subject: string, { expected, actual, exponent }: { expected: Row; actual: Row; exponent: number }): void {
  for (const [column, value] of Object.entries(expected)) {
    if (isSameValue(value, actual[column])) continue;
    if (column === "totals") compareTotals(mismatches, subject, { expected: decodeTotals(value as Uint8Array), actual: actual[column], exponent });
    else mismatches.add({ subject: `${subject}: ${columnText(column)}`, expected: valueText(column, value, exponent), actual: valueText(column, actual[column], exponent) });
  }
}

/** Whether two values of a column are the same: bytes by their content, everything else by itself. */
export function isSameValue(a: unknown, b: unknown): boolean {
  return a instanceof Uint8Array && b instanceof Uint8Array ? Buffer.compare(a, b) === 0 : a === b;
}

/** The number where it is one, as nothing promises of a row that somebody has altered. */
export function integerOr<Fallback>(value: unknown, fallback: Fallback): bigint | Fallback {
  return typeof value === "bigint" ? value : fallback;
}

/** A mismatch for every counter that differs; one for all of them where the bytes are no counters. */
function compareTotals(mismatches: Mismatches, subject: string, { expected, actual, exponent }: { expected: Totals; actual: unknown; exponent: number }): void {
  const decoded = readTotals(actual);
  if (typeof decoded === "string") return mismatches.add({ subject: `${subject}: counters`, expected: "counters that can be read", actual: decoded });
  const before = mismatches.count;
  for (const kind of totalKinds) mismatches.compare(`${subject}: counter ${kind}`, totalText(expected[kind], exponent), totalText(decoded[kind], exponent));
  // They count the same, and yet are not the bytes that the ledger writes.
  if (mismatches.count === before) mismatches.add({ subject: `${subject}: counters`, expected: "the shortest encoding", actual: valueText("totals", actual, exponent) });
}

function readTotals(bytes: unknown): Totals | string {
  if (!(bytes instanceof Uint8Array)) return `no bytes: ${String(bytes)}`;
  if (bytes.length > totalsMaxBytes) return `${bytes.length} bytes, too many for counters`;
  try {
    return decodeTotals(bytes);
  } catch (error) {
    return `bytes ${bytesText(bytes)}: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function totalText({ count, minor }: Total, exponent: number): string {
  return `${count}, of ${moneyText(minor, exponent)} in all`;
}

/** `available_minor` is "available", `update_time_ms` "update time". */
function columnText(column: string): string {
  return column.replace(/_(minor|ms)$/, "").replaceAll("_", " ");
}

function valueText(column: string, value: unknown, exponent: number): string {
  if (value === null || value === undefined) return "none";
  if (value instanceof Uint8Array) return bytesText(value);
  if (typeof value !== "bigint") return typeof value === "string" ? value : JSON.stringify(value);
  if (column.endsWith("_minor")) return moneyText(value, exponent);
  if (column.endsWith("time_ms")) return timeText(value);
  if (column === "state") return nameOf(walletStates, value);
  if (column === "status") return nameOf(holdStatuses, value);
  return String(value);
}

function nameOf(names: ReadonlyMap<number, string>, number: bigint): string {
  return names.get(Number(number)) ?? `${number}, which means nothing`;
}
