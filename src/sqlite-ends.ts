// The ends of a SQLite ledger: a door to the one writer thread, and a read-only connection of this thread's own.

import type { SqliteDatabase } from "./database.ts";
import type { LedgerEnds } from "./ledger-ends.ts";
import type { WriterDoor } from "./ledger/writer-door.ts";
import type { WrittenQueries } from "./store/sqlite/reading-statements.ts";
import { openSqliteReads } from "./store/sqlite/sqlite-reads.ts";
import type { ForReaders } from "./store/store.ts";

/** Throws where the file cannot be read. */
export function openSqliteEnds({ path }: SqliteDatabase, door: Pick<WriterDoor, "execute" | "whenGrown">, forReaders: ForReaders): LedgerEnds {
  const reads = openSqliteReads(path, Date.now, forReaders as WrittenQueries);
  return {
    executor: door,
    reads,
    lanes: undefined,
    // A writer that could not have every commit synced would not have started.
    durability: { durable: true, reasons: [] },
    whenGrown: (listener) => door.whenGrown(listener),
    close: () => reads.close(),
  };
}
