// What a verification reads of a SQLite ledger, through a connection of its own that cannot write.

import { existsSync } from "node:fs";
import Database from "better-sqlite3";
import { sql, type Selectable } from "kysely";
import { StartError } from "../../start-error.ts";
import type { Audit, AuditRows, MarkRange, RowRange } from "../audit/audit.ts";
import type { HistoryMarkTable, HoldTable, IdempotencyKeyTable, LedgerTable, MovedOperationTable, WalletTable } from "../tables.ts";
import { openForReading } from "./connection.ts";
import { faultOf } from "./fault.ts";
import { prepareAuditedKeys } from "./keys/audited-keys.ts";
import { runsComparison } from "./keys/runs-comparison.ts";
import { assertServable, assertUpToDate } from "./migrate.ts";
import { prepareLookups } from "./lookups.ts";
import { NewerWallets } from "./newer-wallets/newer-wallets.ts";
import { canBeRead, newerWalletsComparison } from "./newer-wallets/newer-wallets-comparison.ts";
import { statement } from "./query.ts";
import { newSchema, schemaOf } from "./schema.ts";
import { prepareAll } from "./statement.ts";
import { writtenQueries } from "./written-queries.ts";

const tables = ["ledger_head", "wallets", "newer_wallets", "holds", "journal", "history_marks", "idempotency_keys", "currency_totals", "moved_operations", "key_runs", "key_chunks", "key_filters"] as const;

/** Opens a ledger that is there, whether or not a service has it open, and changes nothing of it. Throws StartError where it is no ledger of this version's. */
export function openSqliteAudit(path: string): Audit {
  try {
    if (!existsSync(path)) throw new StartError(`There is no ledger ${path}. Give WALLET_DATABASE_URL the path of one.`);
    assertServable(path);
    assertUpToDate(path);
    const connection = openForReading(path);
    const newer = new NewerWallets(prepareAll(connection, writtenQueries.stateRows), canBeRead);
    const rows = prepareRows(connection, newer);
    const snapshot: Audit["snapshot"] = (read) => inSnapshot(connection, newer, () => read(rows));
    return {
      snapshot,
      snapshotOfAll: snapshot,
      ownComparisons: (options) => [newerWalletsComparison(connection, options), runsComparison(connection, options)],
      close: async () => void connection.close(),
    };
  } catch (error) {
    if (!(error instanceof Database.SqliteError)) throw error;
    throw new StartError(`The ledger ${path} cannot be read: ${error.message}.`, { cause: error });
  }
}

async function inSnapshot<T>(connection: Database.Database, newer: NewerWallets, read: () => Promise<T>): Promise<T> {
  try {
    newer.beginSnapshot();
    connection.exec("BEGIN");
    const result = await read();
    connection.exec("COMMIT");
    return result;
  } catch (error) {
    throw faultOf(error, "reading");
  } finally {
    if (connection.inTransaction) connection.exec("ROLLBACK");
  }
}

function prepareRows(connection: Database.Database, newer: NewerWallets): AuditRows {
  const queries = prepareAll(connection, writtenQueries.queries);
  const ledger = statement<object, Selectable<LedgerTable>>(connection, (db) => db.selectFrom("ledger").selectAll());
  const wallets = statement<RowRange, Selectable<WalletTable>>(connection, (db, arg) =>
    db.selectFrom("wallets").selectAll().where("partition", "=", arg("partition")).where("wallet_id", ">", arg("after")).orderBy("wallet_id").limit(arg("limit")),
  );
  const holds = statement<RowRange, Selectable<HoldTable>>(connection, (db, arg) =>
    db.selectFrom("holds").selectAll().where("partition", "=", arg("partition")).where("hold_id", ">", arg("after")).orderBy("hold_id").limit(arg("limit")),
  );
  const keys = statement<RowRange, Selectable<IdempotencyKeyTable>>(connection, (db, arg) =>
    db.selectFrom("idempotency_keys").selectAll().where("partition", "=", arg("partition")).where("ordinal", ">", arg("after")).orderBy("ordinal").limit(arg("limit")),
  );
  const endKeys = {
    oldest: statement<{ partition: bigint }, Selectable<IdempotencyKeyTable>>(connection, (db, arg) =>
      db.selectFrom("idempotency_keys").selectAll().where("partition", "=", arg("partition")).orderBy("ordinal").limit(1n),
    ),
    newest: statement<{ partition: bigint }, Selectable<IdempotencyKeyTable>>(connection, (db, arg) =>
      db.selectFrom("idempotency_keys").selectAll().where("partition", "=", arg("partition")).orderBy("ordinal", "desc").limit(1n),
    ),
  };
  const marks = statement<MarkRange, Selectable<HistoryMarkTable>>(connection, (db, arg) =>
    db
      .selectFrom("history_marks")
      .selectAll()
      .where("partition", "=", arg("partition"))
      .where(sql<boolean>`(wallet_id, sequence) > (${arg("afterWalletId")}, ${arg("afterSequence")})`)
      .orderBy("wallet_id")
      .orderBy("sequence")
      .limit(arg("limit")),
  );
  const mark = statement<Selectable<HistoryMarkTable>, Selectable<HistoryMarkTable>>(connection, (db, arg) =>
    db
      .selectFrom("history_marks")
      .selectAll()
      .where("partition", "=", arg("partition"))
      .where("wallet_id", "=", arg("wallet_id"))
      .where("sequence", "=", arg("sequence")),
  );
  const moved = statement<RowRange, Selectable<MovedOperationTable>>(connection, (db, arg) =>
    db.selectFrom("moved_operations").selectAll().where("partition", "=", arg("partition")).where("operation_id", ">", arg("after")).orderBy("operation_id").limit(arg("limit")),
  );
  const movedOne = statement<{ partition: bigint; operationId: bigint }, Selectable<MovedOperationTable>>(connection, (db, arg) =>
    db.selectFrom("moved_operations").selectAll().where("partition", "=", arg("partition")).where("operation_id", "=", arg("operationId")),
  );
  // Two ranges of the key, each found at once; "<>" would walk the table.
  const strays = tables.map((table) => ({
    table,
    below: statement<object>(connection, (db) => db.selectFrom(table).select("partition").where("partition", "<", 0n).limit(1n)),
    above: statement<{ partitions: bigint }>(connection, (db, arg) => db.selectFrom(table).select("partition").where("partition", ">=", arg("partitions")).limit(1n)),
  }));

  return {
    ...prepareLookups(connection),
    keysWith: prepareAuditedKeys(connection),
    schema: async () => ({ actual: schemaOf(connection), expected: await newSchema() }),
    ledger: async () => ledger.get({}),
    strayTables: async (partitions) =>
      strays.filter(({ below, above }) => below.get({}) !== undefined || above.get({ partitions }) !== undefined).map(({ table }) => table),
    head: async (partition) => queries.head.get({ partition }),
    records: async (range) => queries.recordsAfter.all(range),
    recordsAt: async (partition, sequences) => sequences.flatMap((sequence) => queries.record.get({ partition, sequence }) ?? []),
    wallets: async (range) => wallets.all(range).map((row) => newer.newest(row)),
    holds: async (range) => holds.all(range),
    keys: async (range) => keys.all(range),
    endKey: async (partition, end) => endKeys[end].get({ partition }),
    marks: async (range) => marks.all(range),
    marksAt: async (wanted) => wanted.flatMap((each) => mark.get(each) ?? []),
    moved: async (range) => moved.all(range),
    movedAt: async (partition, operationIds) => operationIds.flatMap((operationId) => movedOne.get({ partition, operationId }) ?? []),
    currencyTotals: async (partition) => queries.currencyTotals.all({ partition }),
  };
}
