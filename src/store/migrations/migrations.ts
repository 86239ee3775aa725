// All migrations, in order. A migration that was released is never edited; the next one changes what it made.

import type { Migration } from "kysely/migration";
import { createLedger } from "./0001-ledger.ts";
import { addTwoWallets } from "./0002-two-wallets.ts";
import { addHistoryMarks } from "./0003-history-marks.ts";
import { addRecordsApart } from "./0005-records-apart.ts";
import { addMovedOperations } from "./0006-moved-operations.ts";
import { addNonce } from "./0007-nonce.ts";
import type { EngineTypes } from "./engine-types.ts";

export function migrations(types: EngineTypes): Record<string, Migration> {
  return {
    "0001-ledger": { up: createLedger(types) },
    "0002-two-wallets": { up: addTwoWallets(types) },
    "0003-history-marks": { up: addHistoryMarks(types) },
    // 0004 is each engine's own.
    "0005-records-apart": { up: addRecordsApart(types) },
    "0006-moved-operations": { up: addMovedOperations(types) },
    "0007-nonce": { up: addNonce(types) },
    // 0008 is SQLite's own.
  };
}
