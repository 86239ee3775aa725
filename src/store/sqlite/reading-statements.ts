// The statements of a reading connection, in groups; the writer has most of them too. One thread writes their queries and hands them to the others.

import type Database from "better-sqlite3";
import type { ActiveHoldStatements } from "./active-holds.ts";
import type { HistoryStatements } from "./history.ts";
import type { HoldListStatements } from "./hold-lists.ts";
import type { KeyRowStatements } from "./keys/key-rows.ts";
import type { KeyRunStatements } from "./keys/key-runs.ts";
import type { StateRowStatements } from "./newer-wallets/state-rows.ts";
import type { Queries, WalletRowInText } from "./queries.ts";
import { prepareAll, type Written } from "./statement.ts";

interface ReadingStatements {
  /** Of wallets as their rows are; see `withNewest`. */
  readonly queries: Queries<WalletRowInText>;
  readonly stateRows: StateRowStatements;
  readonly activeHolds: ActiveHoldStatements;
  readonly history: HistoryStatements;
  readonly holdLists: HoldListStatements;
  readonly keyRows: KeyRowStatements;
  readonly keyRuns: KeyRunStatements;
}

/** Their queries: plain data. */
export type WrittenQueries = { readonly [Group in keyof ReadingStatements]: Written<ReadingStatements[Group]> };

/** Prepares all groups on this connection. */
export function prepareReading(connection: Database.Database, written: WrittenQueries): ReadingStatements {
  return {
    queries: prepareAll(connection, written.queries),
    stateRows: prepareAll(connection, written.stateRows),
    activeHolds: prepareAll(connection, written.activeHolds),
    history: prepareAll(connection, written.history),
    holdLists: prepareAll(connection, written.holdLists),
    keyRows: prepareAll(connection, written.keyRows),
    keyRuns: prepareAll(connection, written.keyRuns),
  };
}
