// Opens a network thread's ends of the ledger: which engine is behind them is known here and nowhere beyond. An engine that is not used is not loaded.

import type { Config } from "./config.ts";
import type { LedgerEnds } from "./ledger-ends.ts";
import type { WriterDoor } from "./ledger/writer-door.ts";
import type { ForReaders } from "./store/store.ts";

/** What the writer thread has for a network thread, where the engine has one. */
export interface FromWriterThread {
  readonly door: Pick<WriterDoor, "execute" | "whenGrown"> | undefined;
  readonly forReaders: ForReaders | undefined;
}

/** Opens them. A SQLite ledger is written through the door to its writer thread. Throws where the ledger cannot be opened. */
export async function openLedgerEnds(config: Config, { door, forReaders }: FromWriterThread): Promise<LedgerEnds> {
  const { database } = config;
  if (database.kind === "sqlite") {
    const { openSqliteEnds } = await import("./sqlite-ends.ts");
    return openSqliteEnds(database, door!, forReaders!);
  }
  const { openPostgresEnds } = await import("./postgres-ends.ts");
  return openPostgresEnds(database, config);
}
