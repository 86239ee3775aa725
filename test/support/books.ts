// Checks a ledger file against section 6 of the contract: recomputes everything from the journal and compares it with what is kept.
//
// Independent of src/ on purpose: plain SQL, its own canonical encoding, its own rules. May run while a server writes: it reads one snapshot.

import Database from "better-sqlite3";
import type { JournalRow } from "./canonical-bytes.ts";
import { checkApart, checkOwnPartitions } from "./books-apart.ts";
import { bringWalletsUpToDate } from "./books-newer.ts";
import { checkKeyRuns } from "./books-keys.ts";
import { holdStatus, type HoldRow } from "./recount-holds.ts";
import { recount, type CurrencyBooks, type Recounted, type WalletRow } from "./recount.ts";

export interface CheckedBooks {
  /** Of two records of one operation one is counted. */
  readonly operations: number;
  /** One sentence each; empty where everything is true. */
  readonly problems: string[];
}

export interface CheckOptions {
  readonly idempotencyRetentionMs?: number;
}

/** No currency has more decimals. */
const exponentMax = 18n;

/** Enough to see what is wrong with a ledger that is wrong everywhere. */
const problemsMax = 200;

/**
 * Opens the ledger in this file read-only and checks it. With `idempotencyRetentionMs`, the retention that the ledger has always had, also that no
 * key is missing which must still be there. Throws where the file cannot be read as a ledger at all.
 */
export function checkBooks(path: string, options: CheckOptions = {}): CheckedBooks {
  const connection = new Database(path, { readonly: true, fileMustExist: true });
  connection.defaultSafeIntegers(true);
  try {
    return checkBooksIn(connection, options);
  } finally {
    connection.close();
  }
}

/** The same for a ledger behind this connection, which answers bigints: of another engine it is a copy. */
export function checkBooksIn(connection: Database.Database, { idempotencyRetentionMs }: CheckOptions): CheckedBooks {
  const problems: string[] = [];
  const problem = (sentence: string): void => void (problems.length < problemsMax && problems.push(sentence));
  let operations = 0n;
  connection.exec("begin");
  for (const { integrity_check: sentence } of all<{ integrity_check: string }>(connection, "pragma integrity_check")) {
    if (sentence !== "ok") problem(`file: ${sentence}`);
  }
  const [ledger, ...others] = all<{ partitions: bigint; create_time_ms: bigint }>(connection, "select * from ledger");
  if (ledger === undefined || others.length > 0) throw new Error(`the ledger has ${others.length + (ledger ? 1 : 0)} rows in "ledger", which has one`);
  bringWalletsUpToDate(connection, problem);
  checkPartitions(connection, ledger.partitions, problem);
  const currencies: CurrencyBooks[] = [];
  for (let partition = 0n; partition < ledger.partitions; partition++) {
    const records = connection.prepare<[bigint], JournalRow>("select * from journal where partition = ? order by sequence").iterate(partition);
    const books = recount(partition, ledger.create_time_ms, records, problem);
    checkHead(connection, partition, books, problem);
    checkRows(connection, "wallets", "wallet_id", partition, books.wallets, problem);
    checkRows(connection, "holds", "hold_id", partition, books.holds, problem);
    checkHeld(connection, partition, problem);
    currencies.push(...books.currencies.values());
    checkCurrencyTotals(connection, partition, books, problem);
    checkKeyRuns(connection, partition, problem);
    checkKeys(connection, partition, books, idempotencyRetentionMs === undefined ? undefined : BigInt(idempotencyRetentionMs), problem);
  }
  checkConservation(connection, currencies, problem);
  checkApart(connection, problem);
  checkOwnPartitions(connection, ledger.partitions, problem);
  operations = all<{ count: bigint }>(connection, "select count(*) as count from journal where side is null or side = 1")[0]!.count;
  return { operations: Number(operations), problems };
}

type Problem = (sentence: string) => void;

interface HeadRow {
  readonly sequence: bigint;
  readonly hash: Uint8Array;
  readonly time_ms: bigint;
  readonly key_ordinal: bigint;
}

interface KeyRow {
  readonly ordinal: bigint;
  readonly key_hash: Uint8Array;
  readonly fingerprint: Uint8Array;
  readonly time_ms: bigint;
  readonly sequence: bigint | null;
  readonly rejection: string | null;
}

/** The reasons that the contract remembers. */
const rememberedReasons = new Set(
  (
    "WALLET_NOT_FOUND HOLD_NOT_FOUND OPERATION_NOT_FOUND WALLET_EXISTS INSUFFICIENT_FUNDS HOLD_NOT_ACTIVE CAPTURE_EXCEEDS_HOLD HOLD_PERIOD_SHORTENED " +
    "WALLET_FROZEN WALLET_CLOSED WALLET_NOT_EMPTY BALANCE_LIMIT_EXCEEDED BATCH_ABORTED"
  ).split(" "),
);

/** Nothing lies in a partition that the ledger does not have. */
function checkPartitions(connection: Database.Database, partitions: bigint, problem: Problem): void {
  for (const table of ["ledger_head", "journal", "wallets", "holds", "idempotency_keys", "currency_totals", "newer_wallets", "key_runs", "key_chunks", "key_filters"]) {
    const strays = all<{ partition: bigint }>(connection, `select distinct partition from ${table} where partition < 0 or partition >= ?`, partitions);
    for (const { partition } of strays) problem(`${table}: has rows of partition ${partition}, and the ledger has ${partitions}`);
  }
  const twice = all<{ user_id: string; currency: string }>(connection, "select user_id, currency from wallets group by user_id, currency having count(*) > 1");
  for (const { user_id: user, currency } of twice) problem(`wallets: ${user} has several in ${currency}`);
}

function checkHead(connection: Database.Database, partition: bigint, { head }: Recounted, problem: Problem): void {
  const [row] = all<HeadRow>(connection, "select * from ledger_head where partition = ?", partition);
  if (row === undefined) return problem(`ledger_head ${partition}: is missing`);
  if (row.sequence !== head.sequence) problem(`ledger_head ${partition}: says ${row.sequence}, the journal ends with ${head.sequence}`);
  if (hexOf(row.hash) !== hexOf(head.hash)) problem(`ledger_head ${partition}: does not have the last record's hash`);
  if (row.time_ms < head.time_ms) problem(`ledger_head ${partition}: is at ${row.time_ms}, before the last record's ${head.time_ms}`);
}

/** The rows that are kept are those that the journal makes, in every column. */
function checkRows<Row extends WalletRow | HoldRow>(
  connection: Database.Database,
  table: "wallets" | "holds",
  id: keyof Row & string,
  partition: bigint,
  expected: ReadonlyMap<bigint, Row>,
  problem: Problem,
): void {
  const seen = new Set<bigint>();
  for (const row of connection.prepare<[bigint], Record<string, unknown>>(`select * from ${table} where partition = ?`).iterate(partition)) {
    const rowId = row[id] as bigint;
    const recounted = expected.get(rowId);
    seen.add(rowId);
    if (recounted === undefined) problem(`${table} ${rowId}: is not in the journal`);
    for (const [column, value] of Object.entries(recounted ?? {})) {
      const kept = row[column] instanceof Uint8Array ? hexOf(row[column]) : row[column];
      if (kept !== value) problem(`${table} ${rowId}: ${column} is ${String(kept)}, the journal says ${String(value)}`);
    }
  }
  for (const rowId of expected.keys()) if (!seen.has(rowId)) problem(`${table} ${rowId}: is missing`);
}

/** held = the sum of what remains of active holds, table against table. */
function checkHeld(connection: Database.Database, partition: bigint, problem: Problem): void {
  const remaining = new Map<bigint, bigint>();
  const active = "select wallet_id, amount_minor - captured_minor as remaining from holds where partition = ? and status = ?";
  for (const { wallet_id: walletId, remaining: each } of all<{ wallet_id: bigint; remaining: bigint }>(connection, active, partition, holdStatus.active)) {
    remaining.set(walletId, (remaining.get(walletId) ?? 0n) + each);
  }
  for (const row of all<{ wallet_id: bigint; held_minor: bigint }>(connection, "select wallet_id, held_minor from wallets where partition = ?", partition)) {
    const sum = remaining.get(row.wallet_id) ?? 0n;
    if (row.held_minor !== sum) problem(`wallets ${row.wallet_id}: holds ${row.held_minor}, its active holds ${sum}`);
  }
}

/** Money is neither made nor lost: all wallets of a currency, of all partitions, have what came in less what went out, whatever minor units each counts in. */
function checkConservation(connection: Database.Database, currencies: readonly CurrencyBooks[], problem: Problem): void {
  const inWallets = new Map<string, bigint>();
  const cameIn = new Map<string, bigint>();
  const add = (sums: Map<string, bigint>, { currency, exponent }: { currency: string; exponent: bigint }, minor: bigint): void =>
    void sums.set(currency, (sums.get(currency) ?? 0n) + minor * 10n ** (exponentMax - exponent));
  const wallets = "select currency, exponent, available_minor + held_minor as total from wallets";
  for (const row of all<{ currency: string; exponent: bigint; total: bigint }>(connection, wallets)) add(inWallets, row, row.total);
  for (const each of currencies) add(cameIn, each, each.cameInMinor);
  for (const currency of new Set([...inWallets.keys(), ...cameIn.keys()])) {
    const [kept, recounted] = [inWallets.get(currency) ?? 0n, cameIn.get(currency) ?? 0n];
    if (kept !== recounted) problem(`${currency}: all wallets together have ${units(kept)}, and ${units(recounted)} came in and did not go out`);
  }
}

/** The counters of each currency are the counts over the journal. */
function checkCurrencyTotals(connection: Database.Database, partition: bigint, { currencies }: Recounted, problem: Problem): void {
  const kept = new Map<string, string>();
  for (const row of all<{ currency: string; exponent: bigint; totals: Uint8Array }>(connection, "select * from currency_totals where partition = ?", partition)) {
    kept.set(`${row.currency}:${row.exponent}`, hexOf(row.totals));
  }
  for (const currency of new Set([...kept.keys(), ...currencies.keys()])) {
    const [stored, counted] = [kept.get(currency) ?? "", currencies.get(currency)?.counters.hex ?? ""];
    if (stored !== counted) problem(`currency_totals ${currency}: are ${stored}, the journal says ${counted}`);
  }
}

function checkKeys(connection: Database.Database, partition: bigint, books: Recounted, retentionMs: bigint | undefined, problem: Problem): void {
  const head = all<HeadRow>(connection, "select * from ledger_head where partition = ?", partition)[0];
  const kept = new Map<string, bigint | null>();
  let previous = { ordinal: 0n, time_ms: 0n };
  const newest = newestKeys(connection, partition);
  for (const row of connection.prepare<[bigint], KeyRow>("select * from idempotency_keys where partition = ? order by ordinal").iterate(partition)) {
    const wrong = (sentence: string): void => problem(`idempotency_keys ${partition}/${row.ordinal}: ${sentence}`);
    const hash = hexOf(row.key_hash);
    kept.set(hash, row.sequence);
    if (row.key_hash.length !== 16 || row.fingerprint.length !== 16) wrong("does not have hashes of 16 bytes");
    if (row.ordinal <= previous.ordinal || row.ordinal > (head?.key_ordinal ?? 0n)) wrong("is out of its order");
    if (row.time_ms < previous.time_ms) wrong("is older than the one before it");
    if (row.time_ms > (head?.time_ms ?? 0n)) wrong("is younger than the ledger");
    previous = row;
    const use = books.keys.get(hash);
    const next = newest.get(hash)!;
    if (next.ordinal !== row.ordinal) {
      if (next.time_ms - (retentionMs ?? 0n) < row.time_ms) wrong("was remembered again before its time was over");
      const record = row.sequence === null ? undefined : all<{ key_hash: Uint8Array | null; time_ms: bigint }>(connection, "select key_hash, time_ms from journal where partition = ? and sequence = ?", partition, row.sequence)[0];
      if (row.sequence !== null && (record?.time_ms !== row.time_ms || hexOf(record.key_hash ?? new Uint8Array(0)) !== hash)) wrong(`points at operation ${row.sequence}, which does not have its key`);
      continue;
    }
    if ((row.sequence === null) === (row.rejection === null)) wrong("remembers either an operation or a rejection, and this one does not");
    else if (row.sequence === null) checkRejection(row, use?.timeMs, retentionMs, wrong);
    else if (use === undefined) wrong(`points at operation ${row.sequence}, and no operation has its key`);
    else if (use.sequence !== row.sequence) wrong(`points at operation ${row.sequence}, and the last with its key is ${use.sequence}`);
    else if (use.timeMs !== row.time_ms) wrong(`is of ${row.time_ms}, and its operation of ${use.timeMs}`);
  }
  if (retentionMs === undefined || head === undefined) return;
  for (const [hash, { sequence, timeMs }] of books.keys) {
    if (timeMs > head.time_ms - retentionMs && kept.get(hash) !== sequence) problem(`journal ${partition}/${sequence}: its key is not remembered any more`);
  }
}

/** The last row of each hash: a key that was used again after its time has another until that one's turn comes to be forgotten. */
function newestKeys(connection: Database.Database, partition: bigint): Map<string, { ordinal: bigint; time_ms: bigint }> {
  const rows = all<{ key_hash: Uint8Array; ordinal: bigint; time_ms: bigint }>(connection, "select key_hash, ordinal, time_ms from idempotency_keys where partition = ? order by ordinal", partition);
  return new Map(rows.map(({ key_hash: hash, ...row }) => [hexOf(hash), row]));
}

/** An operation with the same key can only be from before the key's retention. */
function checkRejection(row: KeyRow, appliedMs: bigint | undefined, retentionMs: bigint | undefined, wrong: (sentence: string) => void): void {
  if (!rememberedReasons.has(reasonIn(row.rejection!))) wrong(`remembers ${row.rejection}, which is no rejection that is remembered`);
  if (appliedMs !== undefined && appliedMs > row.time_ms - (retentionMs ?? 1n)) wrong("remembers a rejection, and an operation has its key");
}

function reasonIn(json: string): string {
  try {
    return String((JSON.parse(json) as { reason?: unknown }).reason);
  } catch {
    return "";
  }
}

function all<Row>(connection: Database.Database, query: string, ...args: unknown[]): Row[] {
  return connection.prepare<unknown[], Row>(query).all(...args);
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** As a decimal number of the currency's own unit. */
function units(scaled: bigint): string {
  const digits = (scaled < 0n ? -scaled : scaled).toString().padStart(Number(exponentMax) + 1, "0");
  const point = digits.length - Number(exponentMax);
  return `${scaled < 0n ? "-" : ""}${digits.slice(0, point)}.${digits.slice(point)}`.replace(/\.?0+$/, "");
}
