// Starts the writer thread with what it needs of the settings.

import type { Config } from "./config.ts";
import { startWriterThread, type WriterThread } from "./ledger/writer-thread.ts";

/** Starts the thread and waits until it has the ledger open. Throws StartError where it cannot be opened. */
export function startWriter({ database, assets, holdPeriodMs, autoRelease, idempotencyRetentionMs, batchLengthMax }: Config): Promise<WriterThread> {
  return startWriterThread(new URL("./writer.ts", import.meta.url), { databasePath: database.path, assets, holdPeriodMs, autoRelease, idempotencyRetentionMs, batchLengthMax });
}
