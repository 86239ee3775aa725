// Write-behind for the rows of wallets: a batch appends what its wallets are after it, and rows learn of that later, many at once and in the order of their keys.

import assert from "node:assert/strict";
import type Database from "better-sqlite3";
import type { Selectable } from "kysely";
import type { Wallet } from "../../../domain/wallet.ts";
import type { WalletTable } from "../../tables.ts";
import { query } from "../query.ts";
import { assigned, prepare, prepareAll, type Statement } from "../statement.ts";
import { writtenQueries } from "../written-queries.ts";
import { NewerWallets } from "./newer-wallets.ts";
import type { StateRowStatements } from "./state-rows.ts";
import { changingWalletColumns, encodeStates } from "./wallet-state-encoding.ts";

/** How late rows are. A ledger may be opened with others than before. */
export interface LateRowSizes {
  /** So many states begin a round: the more, the more rows share a page. */
  readonly roundMin: number;
  /** What each new state earns. A state costs at most two, for its row learns and it is removed, so that with 2 a round is done when as many states have come as it began with. */
  readonly creditPerState: number;
  /** What is to be earned before anything is done, so that rows that share a page learn in one transaction. */
  readonly stepMin: number;
}

/** Measured, in docs/decisions/0024. */
export const lateRowSizes: LateRowSizes = { roundMin: 32_768, creditPerState: 2, stepMin: 128 };

/** So many rounds' states are late only where kills or failures have broken off one round after the other, or a batch is as large by itself: then it finishes the round, whatever it has earned. */
const roundsMax = 3;

/** Everything that was appended up to a place, under way into the rows. */
interface Round {
  readonly upTo: bigint;
  readonly walletIds: BigInt64Array;
  /** States that it is about. */
  readonly states: number;
  /** So many of the rows have learnt. */
  learnt: number;
  /** Earned and not yet taken. */
  credit: number;
}

/** One connection's, to be used inside its transactions only. */
export class LateRows {
  /** What wallets are. */
  readonly newerWallets: NewerWallets;
  readonly #states: StateRowStatements;
  readonly #update: Statement<Pick<Selectable<WalletTable>, "partition" | "wallet_id" | (typeof changingWalletColumns)[number]>, unknown>;
  readonly #sizes: LateRowSizes;
  readonly #rounds = new Map<bigint, Round>();
  /** States in the table, of each partition that was asked about. */
  readonly #late = new Map<bigint, number>();

  /** The sizes are each partition's. */
  constructor(connection: Database.Database, sizes: LateRowSizes) {
    this.#states = prepareAll(connection, writtenQueries.stateRows);
    this.newerWallets = new NewerWallets(this.#states);
    this.#update = prepare(
      connection,
      query((db, arg) => db.updateTable("wallets").set(assigned(arg, changingWalletColumns)).where("partition", "=", arg("partition")).where("wallet_id", "=", arg("wallet_id"))),
    );
    this.#sizes = sizes;
  }

  /** Appends what these wallets, which have rows, are after a batch that ends at this place of the journal; and some rows learn of what was appended before. */
  append(partition: bigint, sequence: bigint, wallets: readonly Wallet[]): void {
    if (wallets.length === 0) return;
    const late = this.#lateIn(partition) + wallets.length;
    const states = encodeStates(wallets);
    this.#states.insert.run({ partition, sequence, states });
    this.newerWallets.of(partition).add(sequence, states, wallets.length);
    this.#late.set(partition, late);
    const { roundMin, creditPerState, stepMin } = this.#sizes;
    const round = this.#rounds.get(partition) ?? (late >= roundMin ? this.#begin(partition) : undefined);
    if (round === undefined) return;
    round.credit += late >= roundsMax * roundMin ? 2 * round.states : creditPerState * wallets.length;
    if (round.credit >= stepMin) this.#step(partition, round);
  }

  /** So many states more find their way into the rows, or are removed. Answers whether none is left. */
  finish(partition: bigint, credit: number): boolean {
    if (this.#lateIn(partition) === 0) return true;
    const round = this.#rounds.get(partition) ?? this.#begin(partition);
    round.credit += credit;
    this.#step(partition, round);
    return this.#lateIn(partition) === 0;
  }

  /** A transaction failed: what is in memory may not be on disk. */
  forget(): void {
    this.#rounds.clear();
    this.#late.clear();
    this.newerWallets.forget();
  }

  #lateIn(partition: bigint): number {
    return this.#late.get(partition) ?? this.newerWallets.of(partition).count;
  }

  #begin(partition: bigint): Round {
    const newest = this.newerWallets.of(partition);
    const round = { upTo: newest.lastSequence, walletIds: newest.walletIds(), states: this.#lateIn(partition), learnt: 0, credit: 0 };
    this.#rounds.set(partition, round);
    return round;
  }

  /** First the rows learn, then what they have learnt is removed. */
  #step(partition: bigint, round: Round): void {
    const newest = this.newerWallets.of(partition);
    for (; round.credit > 0 && round.learnt < round.walletIds.length; round.learnt++, round.credit--) {
      // What has changed again meanwhile is for a later round: wallets that are busy all the time stay late.
      const state = newest.upTo(round.upTo, round.walletIds[round.learnt]!);
      if (state !== undefined) assert(this.#update.run({ partition, ...state }) === 1, "a wallet has a row");
    }
    // Where something is left, all of them have learnt.
    if (round.credit === 0) return;
    const removed = this.#states.remove.run({ partition, upTo: round.upTo, limit: BigInt(round.credit) });
    const isDone = removed < round.credit;
    round.credit = 0;
    if (!isDone) return;
    newest.forgetUpTo(round.upTo);
    this.#late.set(partition, this.#lateIn(partition) - round.states);
    this.#rounds.delete(partition);
  }
}
