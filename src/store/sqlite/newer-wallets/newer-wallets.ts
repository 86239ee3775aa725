// What wallets are, whatever their rows have yet to learn, as a connection sees it.

import type { Selectable } from "kysely";
import type { NewerWalletsTable, WalletTable } from "../../tables.ts";
import { NewestStates } from "./newest-states.ts";
import type { StateRowStatements } from "./state-rows.ts";
import { countStates } from "./wallet-state-encoding.ts";

/** States in memory from which on those are forgotten that the table no longer has: of each partition, of which there may be thousands. */
const firstPrunedAt = 64;

interface Known {
  readonly states: NewestStates;
  /** The last snapshot that was looked into. */
  snapshot: number;
  /** Twice what was left the last time, so that a state is looked at now and then, and not in every snapshot. */
  prunedAt: number;
}

/** The states of one connection's snapshots, each partition's read when it is first asked for. To be used inside transactions only. */
export class NewerWallets {
  readonly #states: StateRowStatements;
  readonly #canBeRead: (row: Selectable<NewerWalletsTable>) => boolean;
  readonly #known = new Map<bigint, Known>();
  /** They are counted. */
  #snapshot = 0;

  /** Rows of which `canBeRead` says no are left out; without it a row that cannot be read is a DamagedStates for whoever asks for a wallet of its partition. */
  constructor(states: StateRowStatements, canBeRead: (row: Selectable<NewerWalletsTable>) => boolean = () => true) {
    this.#states = states;
    this.#canBeRead = canBeRead;
  }

  /** To be called when the connection begins to see commits of others. */
  beginSnapshot(): void {
    this.#snapshot++;
  }

  /** The same wallet as it is in the snapshot that its row was read in. */
  newest(row: Selectable<WalletTable>): Selectable<WalletTable> {
    return this.newestOf(row, ({ totals }) => totals);
  }

  /** The same of a row whose counters are yet to be read. */
  newestOf<Row extends Omit<Selectable<WalletTable>, "totals">>(row: Row, readTotals: (row: Row) => Uint8Array): Selectable<WalletTable> {
    const state = this.of(row.partition).newerThan(row.version, row.wallet_id);
    const now = state ?? row;
    // Column by column: what the driver answers are objects that are slow to copy.
    return {
      partition: row.partition,
      wallet_id: row.wallet_id,
      user_id: row.user_id,
      currency: row.currency,
      exponent: row.exponent,
      create_time_ms: row.create_time_ms,
      available_minor: now.available_minor,
      held_minor: now.held_minor,
      state: now.state,
      version: now.version,
      balance_max_minor: now.balance_max_minor,
      head_sequence: now.head_sequence,
      last_hold_id: now.last_hold_id,
      update_time_ms: now.update_time_ms,
      totals: state === undefined ? readTotals(row) : state.totals,
    };
  }

  /** The states that the partition has in this snapshot; beside them may be some that rows have learnt of since, which their version tells. */
  of(partition: bigint): NewestStates {
    let known = this.#known.get(partition);
    if (known === undefined) this.#known.set(partition, (known = { states: new NewestStates(), snapshot: -1, prunedAt: firstPrunedAt }));
    if (known.snapshot !== this.#snapshot) this.#catchUp(partition, known);
    return known.states;
  }

  /** A transaction failed: what is in memory may not be on disk, and is read again. */
  forget(): void {
    this.#known.clear();
  }

  #catchUp(partition: bigint, known: Known): void {
    const { states } = known;
    for (const row of this.#states.after.all({ partition, sequence: states.lastSequence })) if (this.#canBeRead(row)) states.add(row.sequence, row.states, countIn(row));
    if (states.count >= known.prunedAt) {
      const first = this.#states.first.get({ partition });
      states.forgetUpTo(first === undefined ? states.lastSequence : first.sequence - 1n);
      known.prunedAt = Math.max(firstPrunedAt, 2 * states.count);
    }
    known.snapshot = this.#snapshot;
  }
}

/** Somebody or something has altered a row of states. */
export class DamagedStates extends Error {
  constructor({ partition, sequence }: Selectable<NewerWalletsTable>, cause: unknown) {
    super(`newer_wallets ${partition}/${sequence} is damaged: what its wallets have is not known, and a backup is to be restored`, { cause });
    this.name = "DamagedStates";
  }
}

function countIn(row: Selectable<NewerWalletsTable>): number {
  try {
    return countStates(row.states);
  } catch (error) {
    throw new DamagedStates(row, error);
  }
}
