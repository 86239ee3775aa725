// Starts the writer thread with what it needs of the settings.

import type { Config } from "./config.ts";
import { startWriterThread, type WriterThread } from "./ledger/writer-thread.ts";

/** Starts the thread of an engine that has one, and waits until it has the ledger open. Throws StartError where it cannot be opened. */
export async function startWriter({ database, partitions, assets, holdPeriodMs, autoRelease, idempotencyRetentionMs, batchLengthMax }: Config): Promise<WriterThread | undefined> {
  if (database.kind !== "sqlite") return undefined;
  return startWriterThread(new URL("./writer.ts", import.meta.url), { databasePath: database.path, partitions, assets, holdPeriodMs, autoRelease, idempotencyRetentionMs, batchLengthMax });
}
