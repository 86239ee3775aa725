// What a verification reads of a PostgreSQL ledger, through connections of its own that cannot write.

import { Kysely, PostgresDialect, sql, type Selectable } from "kysely";
import { belowEveryKey, type Audit, type AuditRows, type MarkRange } from "../audit/audit.ts";
import type { HistoryMarkTable, IdempotencyKeyTable, MovedOperationTable, Tables } from "../tables.ts";
import { openReadingConnections, type PoolOptions } from "./connection.ts";
import { noOffset, one } from "./literals.ts";
import { lookupsIn } from "./lookups.ts";
import { assertServable, assertUpToDate } from "./migrate.ts";
import { newSchema } from "./new-schema.ts";
import { startFailure } from "./open-postgres.ts";
import { listed, queries } from "./queries.ts";
import { schemaOf } from "./schema.ts";
import type { Session } from "./session.ts";
import { rowsAfter } from "./row-range.ts";
import { inSnapshot } from "./snapshot.ts";
import { SnapshotsOfAll } from "./snapshots-of-all.ts";
import { statement } from "./statement.ts";

/** Opens a ledger that is there, whoever serves it, and changes nothing of it. Throws StartError where it is no ledger of this version's. */
export async function openPostgresAudit(url: string, options: PoolOptions = {}): Promise<Audit> {
  const connections = openReadingConnections(url, options);
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: connections.pool }) });
  let snapshots: SnapshotsOfAll;
  try {
    await assertServable(db);
    await assertUpToDate(db);
    snapshots = await SnapshotsOfAll.of(connections);
  } catch (error) {
    await connections.close();
    throw startFailure(error);
  }
  return {
    snapshot: (read) => inSnapshot(connections, (session) => read(rowsIn(session, db))),
    snapshotOfAll: (read) => snapshots.read((session) => read(rowsIn(session, db))),
    // An index of PostgreSQL's own is looked into by looking rows up.
    ownComparisons: () => [],
    close: () => connections.close(),
  };
}

const wallets = rowsAfter("wallets", "wallet_id");
const holds = rowsAfter("holds", "hold_id");
const keys = rowsAfter("idempotency_keys", "ordinal");
const moved = rowsAfter("moved_operations", "operation_id");

const newestKey = statement<{ partition: bigint }, Selectable<IdempotencyKeyTable>>("newest key", (db, arg) =>
  db
    .selectFrom("idempotency_keys")
    .selectAll()
    .where("partition", "=", arg("partition", "bigint"))
    .orderBy("partition", "desc")
    .orderBy("ordinal", "desc")
    .limit(one),
);

const marks = statement<MarkRange, Selectable<HistoryMarkTable>>("marks after", (db, arg) =>
  db
    .selectFrom("history_marks")
    .selectAll()
    .where("partition", "=", arg("partition", "bigint"))
    .where(sql<boolean>`(wallet_id, sequence) > (${arg("afterWalletId", "bigint")}, ${arg("afterSequence", "bigint")})`)
    .orderBy("partition")
    .orderBy("wallet_id")
    .orderBy("sequence")
    .limit(arg("limit", "bigint")),
);

const marksAt = statement<{ partition: bigint; walletIds: readonly bigint[]; sequences: readonly bigint[] }, Selectable<HistoryMarkTable>>("marks at", (db, arg) =>
  db
    .selectFrom(sql<{ wallet_id: bigint; sequence: bigint }>`unnest(${arg("walletIds", "bigint[]")}, ${arg("sequences", "bigint[]")})`.as<"listed">(sql`listed(wallet_id, sequence)`))
    .crossJoinLateral((rows) =>
      rows
        .selectFrom("history_marks")
        .selectAll()
        .where("history_marks.partition", "=", arg("partition", "bigint"))
        .whereRef("history_marks.wallet_id", "=", "listed.wallet_id")
        .whereRef("history_marks.sequence", "=", "listed.sequence")
        .offset(noOffset)
        .as("found"),
    )
    .selectAll("found"),
);

const movedAt = statement<{ partition: bigint; operationIds: readonly bigint[] }, Selectable<MovedOperationTable>>("moved at", (db, arg) =>
  db
    .selectFrom(listed(arg("operationIds", "bigint[]"), "id"))
    .crossJoinLateral((rows) =>
      rows.selectFrom("moved_operations").selectAll().where("partition", "=", arg("partition", "bigint")).whereRef("operation_id", "=", "listed.id").offset(noOffset).as("found"),
    )
    .selectAll("found"),
);

const partitioned = ["ledger_head", "wallets", "holds", "journal", "history_marks", "idempotency_keys", "currency_totals", "moved_operations"] as const;

/** Two ranges of the key, each found at once; "<>" would walk the table. */
const strays = partitioned.map((table) => ({
  table,
  statement: statement<{ partitions: bigint }, { partition: bigint }>(`strays ${table}`, (db, arg) =>
    db
      .selectFrom((below) => below.selectFrom(table).select("partition").where("partition", "<", sql<bigint>`0`).limit(one).as("below"))
      .select("below.partition")
      .unionAll(db.selectFrom((above) => above.selectFrom(table).select("partition").where("partition", ">=", arg("partitions", "bigint")).limit(one).as("above")).select("above.partition")),
  ),
}));

function rowsIn(session: Session, db: Kysely<Tables>): AuditRows {
  const recordsAt = (partition: bigint, sequences: readonly bigint[]) => session.all(queries.records, { partition, sequences: [...new Set(sequences)] });
  return {
    ...lookupsIn(session),
    schema: async () => ({ actual: await schemaOf(db), expected: newSchema() }),
    ledger: () => session.get(queries.ledger, {}),
    async strayTables(partitions) {
      const found = await Promise.all(strays.map((stray) => session.all(stray.statement, { partitions })));
      return partitioned.filter((_, index) => found[index]!.length > 0);
    },
    head: (partition) => session.get(queries.head, { partition }),
    records: (range) => session.all(queries.recordsAfter, range),
    async recordsAt(partition, sequences) {
      const found = new Map((await recordsAt(partition, sequences)).map((row) => [row.sequence, row]));
      return sequences.flatMap((sequence) => found.get(sequence) ?? []);
    },
    wallets: (range) => session.all(wallets, range),
    holds: (range) => session.all(holds, range),
    keys: (range) => session.all(keys, range),
    async keysWith(partition, keyHashes) {
      const rows = await session.all(queries.keys, { partition, keyHashes });
      const found = new Map(rows.map((row) => [hexOf(row.key_hash), row]));
      return keyHashes.map((hash) => found.get(hexOf(hash)));
    },
    endKey: (partition, end) => (end === "newest" ? session.get(newestKey, { partition }) : session.get(keys, { partition, after: belowEveryKey, limit: 1n })),
    marks: (range) => session.all(marks, range),
    async marksAt(wanted) {
      const partition = wanted[0]?.partition;
      if (partition === undefined) return [];
      return session.all(marksAt, { partition, walletIds: wanted.map((mark) => mark.wallet_id), sequences: wanted.map((mark) => mark.sequence) });
    },
    moved: (range) => session.all(moved, range),
    movedAt: (partition, operationIds) => session.all(movedAt, { partition, operationIds: [...new Set(operationIds)] }),
    currencyTotals: (partition) => session.all(queries.currencyTotals, { partition }),
  };
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}
