// Whether the states that wallets' rows do not have yet are of wallets and of operations that there are. That they are right is for the comparison of wallets to say.

import type Database from "better-sqlite3";
import type { Selectable } from "kysely";
import { belowEveryKey, type Audit } from "../../audit/audit.ts";
import type { NewerWalletsTable } from "../../tables.ts";
import { statement } from "../query.ts";
import { prepareAll } from "../statement.ts";
import { writtenQueries } from "../written-queries.ts";
import { countStates, EncodedStates } from "./wallet-state-encoding.ts";

/** Rows that one snapshot looks at: some milliseconds, of large batches some 100. */
const rowsPerStep = 32n;

type Row = Selectable<NewerWalletsTable>;

/** Whether the row is one that the service could have written, whatever states it has. */
export function canBeRead(row: Row): boolean {
  return typeof row.sequence === "bigint" && countIn(row) !== undefined;
}

/** How many states it has; undefined where they cannot be read. */
function countIn({ states }: Row): number | undefined {
  try {
    return states instanceof Uint8Array ? countStates(states) : undefined;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Some rows in every snapshot. */
export function newerWalletsComparison(connection: Database.Database, { partition, mismatches }: Parameters<Audit["ownComparisons"]>[0]): () => Promise<boolean> {
  const { head, wallet } = prepareAll(connection, writtenQueries.queries);
  const next = statement<{ partition: bigint; after: bigint; limit: bigint }, Row>(connection, (db, arg) =>
    db.selectFrom("newer_wallets").selectAll().where("partition", "=", arg("partition")).where("sequence", ">", arg("after")).orderBy("sequence").limit(arg("limit")),
  );
  let after = belowEveryKey;

  const check = (row: Row, end: bigint): void => {
    const subject = `newer states of wallets at ${String(row.sequence)}`;
    const count = countIn(row);
    if (count === undefined) return mismatches.add({ subject, expected: "states of wallets", actual: "what cannot be read" });
    if (count === 0) mismatches.add({ subject, expected: "states of wallets", actual: "none" });
    if (typeof row.sequence !== "bigint" || row.sequence < 1n || row.sequence > end) return mismatches.add({ subject, expected: `a place in the journal, which ends at ${end}`, actual: String(row.sequence) });
    const states = new EncodedStates(row.states);
    for (let at = 0; at < row.states.length; at = states.endOf(at)) {
      const [walletId, sequence] = [states.walletIdAt(at), states.headSequenceAt(at)];
      if (wallet.get({ partition, walletId }) === undefined) mismatches.add({ subject: `${subject}: wallet ${walletId}`, expected: "a row in wallets", actual: "none" });
      if (sequence > row.sequence) mismatches.add({ subject: `${subject}: last operation of wallet ${walletId}`, expected: `${row.sequence} or before`, actual: `${sequence}` });
    }
  };

  return async () => {
    const rows = next.all({ partition, after, limit: rowsPerStep });
    const end = head.get({ partition })?.sequence ?? 0n;
    for (const row of rows) check(row, end);
    const last = rows.at(-1)?.sequence;
    // What is no number is behind every number: there would be no end to it.
    if (typeof last !== "bigint") return true;
    after = last;
    return false;
  };
}
