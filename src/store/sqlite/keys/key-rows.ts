// The statements on the remembered keys themselves, in the order of their age.

import type Database from "better-sqlite3";
import type { Insertable, Selectable } from "kysely";
import type { IdempotencyKeyTable } from "../../tables.ts";
import { rowArguments, statement, type Statement } from "../statement.ts";

/** Each by the key of the table: nothing else leads to a row. */
export interface KeyRowStatements {
  readonly at: Statement<{ partition: bigint; ordinal: bigint }, Selectable<IdempotencyKeyTable>>;
  readonly after: Statement<{ partition: bigint; ordinal: bigint }, Selectable<IdempotencyKeyTable>>;
  /** The newest with this hash among those after an ordinal: walks them, so they must be few. */
  readonly withHashAfter: Statement<{ partition: bigint; ordinal: bigint; keyHash: Uint8Array }, Selectable<IdempotencyKeyTable>>;
  readonly oldest: Statement<{ partition: bigint }, { ordinal: bigint; time_ms: bigint }>;
  readonly put: Statement<Insertable<IdempotencyKeyTable>, unknown>;
  /** Of the oldest keys, so many at most, those from before this time. */
  readonly forget: Statement<{ partition: bigint; beforeMs: bigint; limit: bigint }, unknown>;
}

/** Prepares them on this connection. */
export function prepareKeyRows(connection: Database.Database): KeyRowStatements {
  return {
    at: statement(connection, (db, arg) =>
      db.selectFrom("idempotency_keys").selectAll().where("partition", "=", arg("partition")).where("ordinal", "=", arg("ordinal")),
    ),
    after: statement(connection, (db, arg) =>
      db.selectFrom("idempotency_keys").selectAll().where("partition", "=", arg("partition")).where("ordinal", ">", arg("ordinal")).orderBy("ordinal"),
    ),
    withHashAfter: statement(connection, (db, arg) =>
      db
        .selectFrom("idempotency_keys")
        .selectAll()
        .where("partition", "=", arg("partition"))
        .where("ordinal", ">", arg("ordinal"))
        .where("key_hash", "=", arg("keyHash"))
        .orderBy("ordinal", "desc")
        .limit(1n),
    ),
    oldest: statement(connection, (db, arg) =>
      db.selectFrom("idempotency_keys").select(["ordinal", "time_ms"]).where("partition", "=", arg("partition")).orderBy("ordinal").limit(1n),
    ),
    put: statement(connection, (db, arg) => db.insertInto("idempotency_keys").values(rowArguments(arg, keyColumns))),
    forget: statement(connection, (db, arg) =>
      db
        .deleteFrom("idempotency_keys")
        .where("partition", "=", arg("partition"))
        .where("time_ms", "<", arg("beforeMs"))
        .where("ordinal", "in", (oldest) =>
          oldest.selectFrom("idempotency_keys").select("ordinal").where("partition", "=", arg("partition")).orderBy("ordinal").limit(arg("limit")),
        ),
    ),
  };
}

const keyColumns = ["partition", "ordinal", "key_hash", "fingerprint", "time_ms", "sequence", "rejection"] as const;
