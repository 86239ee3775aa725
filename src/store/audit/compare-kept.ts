// Compares the tables that are kept with what the journal makes of them, some rows at a time, in both directions.

import type { Selectable } from "kysely";
import { walletText } from "../../domain/audit/mismatch.ts";
import { isOpened, type JournalReplay } from "../../domain/audit/replay.ts";
import type { Hold } from "../../domain/hold.ts";
import type { CurrencyCode, Wallet } from "../../domain/wallet.ts";
import { currencyTotalsToRow, holdToRow, walletToRow } from "../rows.ts";
import type { HoldTable, WalletTable } from "../tables.ts";
import { belowEveryKey, type AuditRows, type Found, type PartitionScratch, type RowRange } from "./audit.ts";
import type { Comparison, ComparisonOptions } from "./comparison.ts";
import { compareRows } from "./row-differences.ts";
import { tellFound } from "./tell-found.ts";

interface Sides<Kept, Recomputed> {
  readonly kept: (rows: AuditRows, range: RowRange) => Promise<readonly Kept[]>;
  readonly keyOf: (row: Kept) => bigint;
  readonly recomputed: (after: bigint, limit: bigint) => readonly Recomputed[];
  readonly idOf: (made: Recomputed) => bigint;
  /** What the service's other ways to these rows find. */
  readonly found: (rows: AuditRows, kept: readonly Kept[]) => Promise<readonly Found[]>;
  readonly subjectOf: (row: Kept) => string;
  /** One of the two is undefined where the other side has nothing under this key. */
  readonly compare: (kept: Kept | undefined, made: Recomputed | undefined) => void;
}

/** Walks both sides in the order of their keys. */
function merged<Kept, Recomputed>({ partition, limit, mismatches }: ComparisonOptions, sides: Sides<Kept, Recomputed>): Comparison {
  const { kept, keyOf, recomputed, idOf, found, subjectOf, compare } = sides;
  let after = belowEveryKey;
  return async (rows) => {
    const keptByKey = new Map((await kept(rows, { partition, after, limit })).map((row) => [keyOf(row), row]));
    const madeByKey = new Map(recomputed(after, limit).map((made) => [idOf(made), made]));
    // Beyond the last key of a side that has more to come, nothing is known of that side yet.
    const ends = [keptByKey, madeByKey].flatMap((side) => (BigInt(side.size) < limit ? [] : [[...side.keys()].at(-1)!]));
    const end = ends.length === 0 ? undefined : ends.reduce((least, each) => (each < least ? each : least));
    const keys = [...new Set([...keptByKey.keys(), ...madeByKey.keys()])].filter((key) => end === undefined || key <= end);
    for (const key of keys.toSorted((a, b) => (a < b ? -1 : 1))) compare(keptByKey.get(key), madeByKey.get(key));
    const compared = keys.flatMap((key) => keptByKey.get(key) ?? []);
    tellFound(mismatches, await found(rows, compared), (key) => subjectOf(keptByKey.get(key)!));
    after = end ?? after;
    return end === undefined;
  };
}

/** Every wallet, in the order of their ids. */
export function walletsComparison(options: ComparisonOptions, scratch: PartitionScratch): Comparison {
  const { partition, mismatches } = options;
  return merged<Selectable<WalletTable>, Wallet>(options, {
    kept: (rows, range) => rows.wallets(range),
    keyOf: (row) => row.wallet_id,
    recomputed: (after, max) => scratch.walletsAfter(after, max),
    idOf: (wallet) => wallet.walletId,
    found: (rows, wallets) => rows.walletsFound(wallets),
    subjectOf: keptWalletText,
    compare: (kept, made) => {
      const wallet = made !== undefined && isOpened(made) ? made : undefined;
      if (kept === undefined && wallet !== undefined) mismatches.add({ subject: walletText(wallet), expected: "a row in wallets", actual: "none" });
      if (kept === undefined) return;
      if (wallet !== undefined) return compareRows(mismatches, walletText(wallet), { expected: walletToRow(Number(partition), wallet), actual: kept, exponent: wallet.exponent });
      mismatches.add({ subject: keptWalletText(kept), expected: "no such wallet: no operation opens it", actual: "a row in wallets" });
    },
  });
}

function keptWalletText({ wallet_id: walletId, user_id: userId, currency }: Selectable<WalletTable>): string {
  return walletText({ walletId, userId, currency });
}

/** Every hold, in the order of their ids. */
export function holdsComparison(options: ComparisonOptions, scratch: PartitionScratch): Comparison {
  const { partition, mismatches } = options;
  return merged<Selectable<HoldTable>, Hold>(options, {
    kept: (rows, range) => rows.holds(range),
    keyOf: (row) => row.hold_id,
    recomputed: (after, max) => scratch.holdsAfter(after, max),
    idOf: (hold) => hold.holdId,
    found: (rows, holds) => rows.holdsFound(holds),
    subjectOf: (row) => `hold ${row.hold_id}`,
    compare: (kept, made) => {
      const subject = `hold ${kept?.hold_id ?? made!.holdId}`;
      if (made === undefined) return mismatches.add({ subject, expected: "no such hold: no operation places it", actual: "a row in holds" });
      const wallet = scratch.wallet(made.walletId);
      const of = wallet === undefined || !isOpened(wallet) ? subject : `${subject} (user ${wallet.userId}, ${wallet.currency})`;
      if (kept === undefined) return mismatches.add({ subject: of, expected: "a row in holds", actual: "none" });
      const { currency, ...expected } = holdToRow(Number(partition), made, wallet?.currency ?? ("" as CurrencyCode));
      // Of a wallet that was never opened nobody knows the currency.
      compareRows(mismatches, of, { expected: currency === "" ? expected : { ...expected, currency }, actual: kept, exponent: wallet?.exponent ?? 0 });
    },
  });
}

/** All counters at once: there are as many as currencies. */
export function totalsComparison({ partition, mismatches }: ComparisonOptions, replay: JournalReplay): Comparison {
  return async (rows) => {
    const kept = new Map((await rows.currencyTotals(partition)).map((row) => [`${row.currency} with ${row.exponent} decimals`, row]));
    for (const totals of replay.currencies.totals()) {
      const key = `${totals.currency} with ${totals.exponent} decimals`;
      const row = kept.get(key);
      kept.delete(key);
      if (row === undefined) mismatches.add({ subject: `counters of ${key}`, expected: "a row in currency_totals", actual: "none" });
      else compareRows(mismatches, `counters of ${key}`, { expected: currencyTotalsToRow(Number(partition), totals), actual: row, exponent: totals.exponent });
    }
    for (const key of kept.keys()) mismatches.add({ subject: `counters of ${key}`, expected: "none: no operation counts there", actual: "a row in currency_totals" });
    replay.currencies.checkConservation(mismatches);
    return true;
  };
}
