// All migrations, in order. A migration that was released is never edited; the next one changes what it made.

import type { Migration } from "kysely/migration";
import { createLedger } from "./0001-ledger.ts";
import { addTwoWallets } from "./0002-two-wallets.ts";
import { addHistoryMarks } from "./0003-history-marks.ts";
import type { EngineTypes } from "./engine-types.ts";

export function migrations(types: EngineTypes): Record<string, Migration> {
  return {
    "0001-ledger": { up: createLedger(types) },
    "0002-two-wallets": { up: addTwoWallets(types) },
    "0003-history-marks": { up: addHistoryMarks(types) },
  };
}
