// The queries of every reading connection, written once. A network thread does not import this but is handed it: Kysely is 255 modules and 8 MiB (docs/decisions/0019).

import { writeActiveHolds } from "./active-holds.ts";
import { writeHistory } from "./history.ts";
import { writeHoldLists } from "./hold-lists.ts";
import { writeKeyRows } from "./keys/key-rows.ts";
import { writeKeyRuns } from "./keys/key-runs.ts";
import { writeStateRows } from "./newer-wallets/state-rows.ts";
import { writeQueries } from "./queries.ts";
import { query } from "./query.ts";
import type { WrittenQueries } from "./reading-statements.ts";

export const writtenQueries: WrittenQueries = {
  queries: writeQueries(query),
  stateRows: writeStateRows(query),
  activeHolds: writeActiveHolds(query),
  history: writeHistory(query),
  holdLists: writeHoldLists(query),
  keyRows: writeKeyRows(query),
  keyRuns: writeKeyRuns(query),
};
