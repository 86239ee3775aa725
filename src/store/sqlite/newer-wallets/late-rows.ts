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
import type { NewestStates } from "./newest-states.ts";
import { changingWalletColumns, encodeStates, EncodedStates } from "./wallet-state-encoding.ts";

/** How late rows are. A ledger may be opened with others than before. */
export interface LateRowSizes {
  /** So many states begin a round: the more, the more rows share a page. At most twice as many are late, and a batch. */
  readonly roundMin: number;
  /** What each new state earns. A state costs at most two, for its row learns and it is removed, so that with 2 a round is done when as many states have come as it began with. */
  readonly creditPerState: number;
  /** What is to be earned before anything is done, so that rows that share a page learn in one transaction. */
  readonly stepMin: number;
}

/** Measured, in docs/decisions/0024. */
export const lateRowSizes: LateRowSizes = { roundMin: 32_768, creditPerState: 2, stepMin: 128 };

/** Everything that was written up to a place, under way into the rows. */
interface Round {
  readonly upTo: bigint;
  readonly walletIds: BigInt64Array;
  /** So many of the rows have learnt. */
  done: number;
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
  add(partition: bigint, sequence: bigint, wallets: readonly Wallet[]): void {
    if (wallets.length === 0) return;
    const newest = this.newerWallets.of(partition);
    const bytes = encodeStates(wallets);
    this.#states.insert.run({ partition, sequence, states: bytes });
    newest.add(sequence, new EncodedStates(bytes));
    if (!this.#rounds.has(partition) && newest.count >= this.#sizes.roundMin) this.#begin(partition, newest);
    const round = this.#rounds.get(partition);
    if (round === undefined) return;
    round.credit += this.#sizes.creditPerState * wallets.length;
    if (round.credit >= this.#sizes.stepMin) this.#step(partition, round);
  }

  /** All rows of the partition learn of everything. */
  finish(partition: bigint): void {
    const newest = this.newerWallets.of(partition);
    if (newest.count > 0) this.#step(partition, { ...this.#begin(partition, newest), credit: Number.MAX_SAFE_INTEGER });
  }

  /** A transaction failed: what is in memory may not be on disk. */
  forget(): void {
    this.#rounds.clear();
    this.newerWallets.forget();
  }

  #begin(partition: bigint, newest: NewestStates): Round {
    const round = { upTo: newest.lastSequence, walletIds: newest.walletIds(), done: 0, credit: 0 };
    this.#rounds.set(partition, round);
    return round;
  }

  /** First the rows learn, then what they have learnt is removed. */
  #step(partition: bigint, round: Round): void {
    const newest = this.newerWallets.of(partition);
    const { credit } = round;
    round.credit = 0;
    const end = Math.min(round.done + credit, round.walletIds.length);
    for (; round.done < end; round.done++) {
      // What was written again meanwhile is for a later round: wallets that are busy all the time stay late.
      const state = newest.writtenUpTo(round.upTo, round.walletIds[round.done]!);
      if (state !== undefined) assert(this.#update.run({ partition, ...state }) === 1, "a wallet has a row");
    }
    if (end < round.walletIds.length) return;
    const removed = this.#states.remove.run({ partition, upTo: round.upTo, limit: BigInt(credit) });
    if (removed === credit) return;
    newest.forgetUpTo(round.upTo);
    this.#rounds.delete(partition);
  }
}
