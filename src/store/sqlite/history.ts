// A wallet's history: found at a point in time or in the journal, then walked along its links. Every search costs O(log n) lookups by key.

import type { Selectable } from "kysely";
import { operationKindNumbers, partOf, type WalletAfter } from "../../domain/journal.ts";
import { notesBytesOf } from "../notes-size.ts";
import { recordFromRow } from "../rows.ts";
import type { HistoryPage, HistoryQuery, JournalPoint, Period, PeriodOfWallet, RecordedOperation } from "../store.ts";
import type { JournalTable } from "../tables.ts";
import type { Queries } from "./queries.ts";
import { recordedIn } from "./recorded.ts";
import type { Statement, WriteQuery, Written } from "./statement.ts";

type JournalRow = Selectable<JournalTable>;

/** See the methods of the same names in `Reads`. To be called inside a transaction. */
export interface History {
  walletAsOf(walletId: bigint, point: JournalPoint): WalletAfter | undefined;
  operations(query: HistoryQuery): HistoryPage | undefined;
  period(walletId: bigint, period: Period): PeriodOfWallet;
  operationsForward(walletId: bigint, between: { after: bigint; upTo: bigint }): RecordedOperation[];
}

/** Each by the key that serves it. */
export interface HistoryStatements {
  readonly timeAt: Statement<{ partition: bigint; sequence: bigint }, { time_ms: bigint }>;
  /** The wallet's first mark at a place of the journal or behind it. */
  readonly firstMark: Statement<{ partition: bigint; walletId: bigint; fromSequence: bigint }, { sequence: bigint }>;
  readonly links: Statement<{ partition: bigint; sequence: bigint }, Links>;
}

/** The queries of `HistoryStatements`. */
export function writeHistory(query: WriteQuery): Written<HistoryStatements> {
  return {
    timeAt: query((db, arg) => db.selectFrom("journal").select("time_ms").where("partition", "=", arg("partition")).where("sequence", "=", arg("sequence"))),
    firstMark: query((db, arg) =>
      db
        .selectFrom("history_marks")
        .select("sequence")
        .where("partition", "=", arg("partition"))
        .where("wallet_id", "=", arg("walletId"))
        .where("sequence", ">=", arg("fromSequence"))
        .orderBy("sequence")
        .limit(1n),
    ),
    links: query((db, arg) =>
      db
        .selectFrom("journal")
        .select(["wallet_id", "previous_sequence", "receiver_wallet_id", "receiver_previous_sequence"])
        .where("partition", "=", arg("partition"))
        .where("sequence", "=", arg("sequence")),
    ),
  };
}

/** The searches along the histories of this partition's wallets. */
export function historyOf({ timeAt, firstMark, links }: HistoryStatements, queries: Queries, partition: bigint): History {
  const row = (sequence: bigint): JournalRow => queries.record.get({ partition, sequence })!;
  const headSequence = (): bigint => queries.head.get({ partition })!.sequence;

  /** The journal's last record at this time or before it; its beginning where there is none. Its time never goes back, so half of it is ruled out by each look. */
  const lastAt = (timeMs: number): bigint => {
    const { start_sequence: start, sequence: last } = queries.head.get({ partition })!;
    let [before, after] = [start, last + 1n];
    while (after - before > 1n) {
      const middle = (before + after) / 2n;
      if (timeAt.get({ partition, sequence: middle })!.time_ms <= BigInt(timeMs)) before = middle;
      else after = middle;
    }
    return before;
  };

  /** The wallet's last record at this place of the journal or before it; 0 where it was opened later. */
  const lastOfWallet = (walletId: bigint, place: bigint): bigint => {
    const head = queries.wallet.get({ partition, walletId })!.head_sequence;
    if (head <= place) return head;
    let sequence = firstMark.get({ partition, walletId, fromSequence: place })?.sequence ?? head;
    while (sequence > place) sequence = previousOf(links.get({ partition, sequence })!, walletId);
    return sequence;
  };

  const afterRecord = (walletId: bigint, sequence: bigint): WalletAfter | undefined =>
    sequence === 0n ? undefined : partOf(recordFromRow(row(sequence)), walletId).after;

  /** The records of a wallet before this time; without one, all. */
  const lastBefore = (walletId: bigint, endTimeMs: number | undefined): bigint =>
    lastOfWallet(walletId, endTimeMs === undefined ? headSequence() : lastAt(endTimeMs - 1));

  return {
    walletAsOf: (walletId, point) => afterRecord(walletId, lastOfWallet(walletId, "sequence" in point ? point.sequence : lastAt(point.timeMs))),

    operations({ wallet: { walletId }, startTimeMs, endTimeMs, kind, reference, continueAt, max, lookedAtMax, notesMaxBytes }) {
      const kindNumber = kind && BigInt(operationKindNumbers[kind]);
      const recorded = recordedIn(queries, partition);
      const operations: RecordedOperation[] = [];
      let notesBytes = 0;
      let sequence = continueAt ?? lastBefore(walletId, endTimeMs);
      for (let lookedAt = 0; sequence > 0n; lookedAt++) {
        const found = queries.record.get({ partition, sequence });
        const isWrongPlace = found === undefined || !isOf(found, walletId) || (endTimeMs !== undefined && found.time_ms >= BigInt(endTimeMs));
        if (isWrongPlace && sequence === continueAt) return undefined;
        const record = found!;
        if (startTimeMs !== undefined && record.time_ms < BigInt(startTimeMs)) break;
        if (operations.length === max || lookedAt === lookedAtMax || notesBytes > notesMaxBytes) return { operations, continueAt: sequence };
        if ((kindNumber === undefined || record.kind === kindNumber) && (reference === undefined || record.reference === reference)) {
          operations.push(recorded(record));
          notesBytes += notesBytesOf(record);
        }
        sequence = previousOf(record, walletId);
      }
      return { operations, continueAt: undefined };
    },

    period(walletId, { startTimeMs, endTimeMs }) {
      const upTo = lastBefore(walletId, endTimeMs);
      const start = startTimeMs === undefined ? 0n : lastBefore(walletId, startTimeMs);
      // A period that begins later than it ends has nothing in it.
      const after = start < upTo ? start : upTo;
      return { after, upTo, opening: afterRecord(walletId, after), closing: afterRecord(walletId, upTo) };
    },

    operationsForward(walletId, { after, upTo }) {
      const recorded = recordedIn(queries, partition);
      const mark = firstMark.get({ partition, walletId, fromSequence: after + 1n })?.sequence ?? upTo;
      const operations: RecordedOperation[] = [];
      for (let sequence = mark < upTo ? mark : upTo; sequence > after; ) {
        const record = row(sequence);
        operations.push(recorded(record));
        sequence = previousOf(record, walletId);
      }
      return operations.toReversed();
    },
  };
}

type Links = Pick<JournalRow, "wallet_id" | "previous_sequence" | "receiver_wallet_id" | "receiver_previous_sequence">;

function isOf(links: Links, walletId: bigint): boolean {
  return links.wallet_id === walletId || links.receiver_wallet_id === walletId;
}

/** The wallet's record before this one of its own; 0 for its first. */
function previousOf(links: Links, walletId: bigint): bigint {
  if (!isOf(links, walletId)) throw new Error(`the history of wallet ${walletId} leads to a record of another`);
  return links.wallet_id === walletId ? links.previous_sequence : links.receiver_previous_sequence!;
}
