// The queries on the remembered keys themselves, in the order of their age.

import type { Selectable } from "kysely";
import type { IdempotencyKeyTable } from "../../tables.ts";
import type { Statement, WriteQuery, Written } from "../statement.ts";

/** Each by the key of the table: nothing else leads to a row. */
export interface KeyRowStatements {
  readonly at: Statement<{ partition: bigint; ordinal: bigint }, Selectable<IdempotencyKeyTable>>;
  readonly after: Statement<{ partition: bigint; ordinal: bigint }, Selectable<IdempotencyKeyTable>>;
  /** The newest with this hash among those after an ordinal: walks them, so they must be few. */
  readonly withHashAfter: Statement<{ partition: bigint; ordinal: bigint; keyHash: Uint8Array }, Selectable<IdempotencyKeyTable>>;
  readonly oldest: Statement<{ partition: bigint }, { ordinal: bigint; time_ms: bigint }>;
  /** Of the oldest keys, so many at most, those from before this time. */
  readonly forget: Statement<{ partition: bigint; beforeMs: bigint; limit: bigint }, unknown>;
}

/** The queries of `KeyRowStatements`. */
export function writeKeyRows(query: WriteQuery): Written<KeyRowStatements> {
  return {
    at: query((db, arg) =>
      db.selectFrom("idempotency_keys").selectAll().where("partition", "=", arg("partition")).where("ordinal", "=", arg("ordinal")),
    ),
    after: query((db, arg) =>
      db.selectFrom("idempotency_keys").selectAll().where("partition", "=", arg("partition")).where("ordinal", ">", arg("ordinal")).orderBy("ordinal"),
    ),
    withHashAfter: query((db, arg) =>
      db
        .selectFrom("idempotency_keys")
        .selectAll()
        .where("partition", "=", arg("partition"))
        .where("ordinal", ">", arg("ordinal"))
        .where("key_hash", "=", arg("keyHash"))
        .orderBy("ordinal", "desc")
        .limit(1n),
    ),
    oldest: query((db, arg) =>
      db.selectFrom("idempotency_keys").select(["ordinal", "time_ms"]).where("partition", "=", arg("partition")).orderBy("ordinal").limit(1n),
    ),
    forget: query((db, arg) =>
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
