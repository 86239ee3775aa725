// The two ends of a copy. Which engine is behind each is known here and nowhere beyond.

import type { Database } from "./database.ts";
import { StartError } from "./start-error.ts";
import type { CopySource } from "./store/copy/copy-source.ts";
import type { CopyTarget } from "./store/copy/copy-target.ts";

/** Throws StartError where it is no ledger, or cannot be kept from being written to. */
export function openCopySource(database: Database): Promise<CopySource> {
  return saidOf("--from", () => openSource(database));
}

/** Throws StartError where nothing can be copied to it. */
export function openCopyTarget(database: Database): Promise<CopyTarget> {
  return saidOf("--to", () => openTarget(database));
}

/** The stores' sentences name the setting that gives a service its database; here it is a flag. */
async function saidOf<End>(flag: string, open: () => Promise<End>): Promise<End> {
  try {
    return await open();
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    throw new StartError(error.message.replaceAll("WALLET_DATABASE_URL", flag), { cause: error });
  }
}

async function openSource(database: Database): Promise<CopySource> {
  if (database.kind === "sqlite") {
    const { openSqliteCopySource } = await import("./store/sqlite/sqlite-copy-source.ts");
    return openSqliteCopySource(database.path);
  }
  const { openPostgresCopySource } = await import("./store/postgres/postgres-copy-source.ts");
  return openPostgresCopySource(database.url);
}

/** What a copy over other partitions remembers meanwhile; on whichever engines its ends are, in a temporary file. */
export { openSqliteCopyScratch as openCopyScratch } from "./store/sqlite/sqlite-copy-scratch.ts";

async function openTarget(database: Database): Promise<CopyTarget> {
  if (database.kind === "sqlite") {
    const { openSqliteCopyTarget } = await import("./store/sqlite/sqlite-copy-target.ts");
    return openSqliteCopyTarget(database.path);
  }
  const { openPostgresCopyTarget } = await import("./store/postgres/postgres-copy-target.ts");
  return openPostgresCopyTarget(database.url);
}
