// What wallets are, though their rows may be behind, as a connection sees it.

import type { Selectable } from "kysely";
import type { NewerWalletsTable, WalletTable } from "../../tables.ts";
import { NewestStates } from "./newest-states.ts";
import type { NewerRowStatements } from "./newer-rows.ts";
import { EncodedStates } from "./wallet-state-encoding.ts";

/** States in memory from which on a look is taken whether the table still has them all: it hardly ever has as many. */
const countMax = 131_072;

interface Known {
  readonly states: NewestStates;
  /** Whether it is what the connection's snapshot has. */
  isCurrent: boolean;
  countMax: number;
}

export class NewerWallets {
  readonly #rows: NewerRowStatements;
  readonly #canBeRead: (row: Selectable<NewerWalletsTable>) => boolean;
  readonly #known = new Map<bigint, Known>();

  /** Rows that cannot be read are left out where `canBeRead` says so; without it they are a RangeError for everybody who asks for a wallet of theirs. */
  constructor(rows: NewerRowStatements, canBeRead: (row: Selectable<NewerWalletsTable>) => boolean = () => true) {
    this.#rows = rows;
    this.#canBeRead = canBeRead;
  }

  /** To be called when the connection begins to see another commit that somebody else made. */
  beginSnapshot(): void {
    for (const known of this.#known.values()) known.isCurrent = false;
  }

  /** The same wallet as it is in the snapshot that its row was read in. */
  newest(row: Selectable<WalletTable>): Selectable<WalletTable> {
    // What is in memory and no longer in the table may be older than the row, which has learnt of more since.
    const state = this.of(row.partition).newerThan(row.version, row.wallet_id);
    return state === undefined ? row : { ...row, ...state };
  }

  /** All states that the partition has in this snapshot. */
  of(partition: bigint): NewestStates {
    let known = this.#known.get(partition);
    if (known === undefined) this.#known.set(partition, (known = { states: new NewestStates(), isCurrent: false, countMax }));
    if (!known.isCurrent) this.#catchUp(partition, known);
    return known.states;
  }

  /** A transaction failed: what is in memory may not be on disk, and is read again. */
  forget(): void {
    this.#known.clear();
  }

  #catchUp(partition: bigint, known: Known): void {
    const { states } = known;
    for (const row of this.#rows.after.all({ partition, sequence: states.lastSequence })) if (this.#canBeRead(row)) states.add(row.sequence, new EncodedStates(row.states));
    if (states.count > known.countMax) {
      const first = this.#rows.first.get({ partition });
      states.forgetUpTo(first === undefined ? states.lastSequence : first.sequence - 1n);
      known.countMax = Math.max(countMax, 2 * states.count);
    }
    known.isCurrent = true;
  }
}
