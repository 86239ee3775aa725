// A wallet's history: found at a point in time or in the journal, then walked along its links. See the methods of the same names in `Reads`; to be called inside a snapshot.

import type { Selectable } from "kysely";
import { operationKindNumbers, partOf, type WalletAfter } from "../../domain/journal.ts";
import { behindEveryPlace } from "../eligibility.ts";
import { recordsPerMark } from "../history-marks.ts";
import { notesBytesOf } from "../notes-size.ts";
import { recordFromRow } from "../rows.ts";
import type { HistoryPage, HistoryQuery, JournalPoint, Period, PeriodOfWallet, RecordedOperation } from "../store.ts";
import type { JournalTable } from "../tables.ts";
import { firstMark, lastAt, lastOfWallet, walkBack } from "./history-queries.ts";
import { queries } from "./queries.ts";
import { recorded } from "./recorded.ts";
import type { Session } from "./session.ts";

type JournalRow = Selectable<JournalTable>;

/** The histories of this partition's wallets, as one snapshot has them. */
export class History {
  readonly #session: Session;
  readonly #partition: bigint;

  constructor(session: Session, partition: bigint) {
    this.#session = session;
    this.#partition = partition;
  }

  async walletAsOf(walletId: bigint, point: JournalPoint): Promise<WalletAfter | undefined> {
    return this.#afterRecord(walletId, await this.#lastOfWallet(walletId, "sequence" in point ? point.sequence : await this.#lastAt(point.timeMs)));
  }

  async operations({ wallet: { walletId }, startTimeMs, endTimeMs, kind, reference, continueAt, max, lookedAtMax, notesMaxBytes }: HistoryQuery): Promise<HistoryPage | undefined> {
    const kindNumber = kind && BigInt(operationKindNumbers[kind]);
    const found: JournalRow[] = [];
    const page = async (next: bigint | undefined): Promise<HistoryPage> => ({ operations: await recorded(this.#session, this.#partition, found), continueAt: next });
    let [lookedAt, notesBytes] = [0, 0];
    let sequence = continueAt ?? (await this.#lastBefore(walletId, endTimeMs));
    while (sequence > 0n) {
      const rows = await this.#walkBack(walletId, sequence);
      const isWrongPlace = rows[0] === undefined || (endTimeMs !== undefined && rows[0].time_ms >= BigInt(endTimeMs));
      if (isWrongPlace && sequence === continueAt) return undefined;
      if (rows.length === 0) throw new Error(`the history of wallet ${walletId} leads to ${sequence}, which is no record of its own`);
      for (const row of rows) {
        if (startTimeMs !== undefined && row.time_ms < BigInt(startTimeMs)) return page(undefined);
        if (found.length === max || lookedAt === lookedAtMax || notesBytes > notesMaxBytes) return page(row.sequence);
        lookedAt += 1;
        if ((kindNumber === undefined || row.kind === kindNumber) && (reference === undefined || row.reference === reference)) {
          found.push(row);
          notesBytes += notesBytesOf(row);
        }
      }
      sequence = previousOf(rows.at(-1)!, walletId);
    }
    return page(undefined);
  }

  async period(walletId: bigint, { startTimeMs, endTimeMs }: Period): Promise<PeriodOfWallet> {
    const upTo = await this.#lastBefore(walletId, endTimeMs);
    const start = startTimeMs === undefined ? 0n : await this.#lastBefore(walletId, startTimeMs);
    // A period that begins later than it ends has nothing in it.
    const after = start < upTo ? start : upTo;
    return { after, upTo, opening: await this.#afterRecord(walletId, after), closing: await this.#afterRecord(walletId, upTo) };
  }

  async operationsForward(walletId: bigint, { after, upTo }: { after: bigint; upTo: bigint }): Promise<RecordedOperation[]> {
    if (upTo <= after) return [];
    const mark = (await this.#session.get(firstMark, { partition: this.#partition, walletId, fromSequence: after + 1n }))?.sequence ?? upTo;
    const rows = await this.#walkBack(walletId, mark < upTo ? mark : upTo);
    const oldestFirst = rows.filter(({ sequence }) => sequence > after).toReversed();
    return recorded(this.#session, this.#partition, oldestFirst);
  }

  /** As many as lie between two marks, which bounds what is in memory. */
  #walkBack(walletId: bigint, from: bigint): Promise<JournalRow[]> {
    return this.#session.all(walkBack, { partition: this.#partition, walletId, from, limit: recordsPerMark });
  }

  async #lastAt(timeMs: number): Promise<bigint> {
    const last = await this.#session.get(lastAt, { partition: this.#partition, timeMs: BigInt(timeMs) });
    if (last === undefined) throw new Error(`the journal of partition ${this.#partition} has a gap`);
    return last.sequence;
  }

  async #lastOfWallet(walletId: bigint, place: bigint): Promise<bigint> {
    const sequence = (await this.#session.get(lastOfWallet, { partition: this.#partition, walletId, place }))?.sequence;
    if (typeof sequence !== "bigint") throw new Error(`the history of wallet ${walletId} leads to a record of another`);
    return sequence;
  }

  /** The wallet's last record before this time; without one, its last. */
  async #lastBefore(walletId: bigint, endTimeMs: number | undefined): Promise<bigint> {
    return this.#lastOfWallet(walletId, endTimeMs === undefined ? behindEveryPlace : await this.#lastAt(endTimeMs - 1));
  }

  async #afterRecord(walletId: bigint, sequence: bigint): Promise<WalletAfter | undefined> {
    if (sequence === 0n) return undefined;
    const row = await this.#session.get(queries.records, { partition: this.#partition, sequences: [sequence] });
    return partOf(recordFromRow(row!), walletId).after;
  }
}

/** The wallet's record before this one of its own; 0 for its first. */
function previousOf(row: JournalRow, walletId: bigint): bigint {
  return row.wallet_id === walletId ? row.previous_sequence : row.receiver_previous_sequence!;
}
