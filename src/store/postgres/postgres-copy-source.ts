// A PostgreSQL ledger as the source of a copy: one transaction has the locks of all its heads, so that no server writes to it.

import { Kysely, PostgresDialect, type Selectable } from "kysely";
import { StartError } from "../../start-error.ts";
import type { CopiedRow } from "../copy/copied-tables.ts";
import type { CopySource } from "../copy/copy-source.ts";
import { assertUnchanged, sourceLost } from "../copy/source-unchanged.ts";
import type { LedgerHeadTable, Tables } from "../tables.ts";
import { copiedTableStatements } from "./copied-rows.ts";
import { openCopyConnections } from "./copy-connections.ts";
import { faultOf, faultText } from "./fault.ts";
import { assertServable, assertUpToDate } from "./migrate.ts";
import { startFailure } from "./open-postgres.ts";
import { queries } from "./queries.ts";
import type { Session } from "./session.ts";
import { statement } from "./statement.ts";

/** The ends of all journals. */
export const headsInOrder = statement<object, Selectable<LedgerHeadTable>>("copy heads", (db) => db.selectFrom("ledger_head").selectAll().orderBy("partition"));

/** Throws StartError where there is no ledger of this version's, or it cannot be reached. Its services answer UNAVAILABLE to whoever writes until it is closed. */
export async function openPostgresCopySource(url: string): Promise<CopySource> {
  const connections = openCopyConnections(url);
  let session: Session | undefined;
  try {
    const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: connections.pool }) });
    await assertServable(db);
    await assertUpToDate(db);
    session = await connections.take();
    const { ledger, heads } = await locked(session);
    return sourceOn(session, { ledger, heads, end: () => connections.close() });
  } catch (error) {
    session?.release({ isBroken: true });
    await connections.close();
    throw startFailure(error);
  }
}

/** Ascending, as every writer takes them. */
async function locked(session: Session): Promise<Pick<CopySource, "ledger" | "heads">> {
  await session.send("BEGIN");
  const ledger = await session.get(queries.ledger, {});
  if (ledger === undefined) throw new StartError("The database is not a ledger yet. Give --from one that is.");
  const heads: Selectable<LedgerHeadTable>[] = [];
  for (let partition = 0n; partition < ledger.partitions; partition++) {
    const head = await session.get(queries.lockHead, { partition });
    if (head === undefined) throw new Error(`partition ${partition} has no journal`);
    heads.push(head);
  }
  return { ledger, heads };
}

function sourceOn(session: Session, { ledger, heads, end }: Pick<CopySource, "ledger" | "heads"> & { readonly end: () => Promise<void> }): CopySource {
  return {
    ledger,
    heads,
    async rowsAfter(table, range) {
      try {
        return (await session.send(copiedTableStatements(table).after(range))).rows as CopiedRow<typeof table>[];
      } catch (error) {
        throw faultOf(error);
      }
    },
    async assertUnchanged() {
      let found: CopySource["heads"];
      try {
        // In the transaction that has the locks: if it is gone, so is the session, which cannot answer. Read committed, so what others have committed would be seen.
        found = await session.all(headsInOrder, {});
      } catch (error) {
        throw sourceLost(faultText(error), { cause: error });
      }
      assertUnchanged({ ledger, heads }, found);
    },
    async close() {
      // With the connection the transaction ends.
      session.release({ isBroken: true });
      await end();
    },
  };
}
