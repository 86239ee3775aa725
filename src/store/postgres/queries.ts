// The queries of the engine on the rows themselves, each by the key or index that serves it. All name their partition but `ledger` and `spreadHeads`, which a process asks once.
//
// Several rows are found by a LATERAL join over the keys that are asked for: OFFSET 0 keeps the planner from turning it into a join that reads the whole partition, which it
// is tempted to where its statistics are behind. Wallets and keys have two indexes, and while there are no statistics the planner takes a partition for a row or two, so that a walk
// over the whole partition along the wrong index looks as cheap as a look-up in the right one. So there it is asked for the first row from the key on, in the key's order, which only one of them has; sorting is
// switched off (connection.ts).

import { sql, type Expression, type Selectable } from "kysely";
import type { CurrencyTotalsTable, HoldTable, IdempotencyKeyTable, JournalTable, LedgerHeadTable, LedgerTable, MovedOperationTable, WalletTable } from "../tables.ts";
import { noOffset, one } from "./literals.ts";
import { rowsAfter } from "./row-range.ts";
import { statement } from "./statement.ts";

interface InPartition {
  readonly partition: bigint;
}

/** The rows of an array parameter, as a table of one column. */
export function listed<Column extends string, Value>(values: Expression<readonly Value[]>, column: Column) {
  return sql<Record<Column, Value>>`unnest(${values})`.as<"listed">(sql`listed(${sql.ref(column)})`);
}

export const queries = {
  lockHead: statement<InPartition, Selectable<LedgerHeadTable>>("lock head", (db, arg) =>
    db.selectFrom("ledger_head").selectAll().where("partition", "=", arg("partition", "bigint")).forUpdate(),
  ),

  head: statement<InPartition, Selectable<LedgerHeadTable>>("head", (db, arg) => db.selectFrom("ledger_head").selectAll().where("partition", "=", arg("partition", "bigint"))),

  wallets: statement<InPartition & { readonly walletIds: readonly bigint[] }, Selectable<WalletTable>>("wallets", (db, arg) =>
    db
      .selectFrom(listed(arg("walletIds", "bigint[]"), "id"))
      .crossJoinLateral((rows) =>
        rows
          .selectFrom("wallets")
          .selectAll()
          .where("partition", "=", arg("partition", "bigint"))
          .whereRef("wallet_id", ">=", "listed.id")
          .orderBy("partition")
          .orderBy("wallet_id")
          .limit(one)
          .as("found"),
      )
      .whereRef("found.wallet_id", "=", "listed.id")
      .selectAll("found"),
  ),

  /** Each user's wallet in the currency that stands in the same place. */
  walletsOfUsersIn: statement<InPartition & { readonly userIds: readonly string[]; readonly currencies: readonly string[] }, Selectable<WalletTable>>("wallets of users in", (db, arg) =>
    db
      .selectFrom(
        sql<{ user_id: string; currency: string }>`unnest(${arg("userIds", "text[]")}, ${arg("currencies", "text[]")})`.as<"listed">(sql`listed(user_id, currency)`),
      )
      .crossJoinLateral((rows) =>
        rows
          .selectFrom("wallets")
          .selectAll()
          .where("partition", "=", arg("partition", "bigint"))
          .whereRef("wallets.user_id", "=", "listed.user_id")
          .whereRef("wallets.currency", ">=", "listed.currency")
          .orderBy("partition")
          .orderBy("user_id")
          .orderBy("currency")
          .limit(one)
          .as("found"),
      )
      .whereRef("found.currency", "=", "listed.currency")
      .selectAll("found"),
  ),

  walletsOfUsers: statement<InPartition & { readonly userIds: readonly string[] }, Selectable<WalletTable>>("wallets of users", (db, arg) =>
    db
      .selectFrom(listed(arg("userIds", "text[]"), "user_id"))
      .crossJoinLateral((rows) =>
        rows
          .selectFrom("wallets")
          .selectAll()
          .where("partition", "=", arg("partition", "bigint"))
          .whereRef("wallets.user_id", "=", "listed.user_id")
          .orderBy("partition")
          .orderBy("user_id")
          .orderBy("currency")
          .offset(noOffset)
          .as("found"),
      )
      .selectAll("found"),
  ),

  holds: statement<InPartition & { readonly holdIds: readonly bigint[] }, Selectable<HoldTable>>("holds", (db, arg) =>
    db
      .selectFrom(listed(arg("holdIds", "bigint[]"), "id"))
      .crossJoinLateral((rows) =>
        rows.selectFrom("holds").selectAll().where("partition", "=", arg("partition", "bigint")).whereRef("hold_id", "=", "listed.id").offset(noOffset).as("found"),
      )
      .selectAll("found"),
  ),

  records: statement<InPartition & { readonly sequences: readonly bigint[] }, Selectable<JournalTable>>("records", (db, arg) =>
    db
      .selectFrom(listed(arg("sequences", "bigint[]"), "place"))
      .crossJoinLateral((rows) =>
        rows.selectFrom("journal").selectAll().where("partition", "=", arg("partition", "bigint")).whereRef("sequence", "=", "listed.place").offset(noOffset).as("found"),
      )
      .selectAll("found"),
  ),

  /** The ids of the operations in these places: of two records of one operation, the payer's has it as its own. */
  operationIds: statement<InPartition & { readonly sequences: readonly bigint[] }, { operation_id: bigint }>("operation ids", (db, arg) =>
    db
      .selectFrom(listed(arg("sequences", "bigint[]"), "place"))
      .crossJoinLateral((rows) =>
        rows.selectFrom("journal").select("operation_id").where("partition", "=", arg("partition", "bigint")).whereRef("sequence", "=", "listed.place").offset(noOffset).as("found"),
      )
      .selectAll("found"),
  ),

  movedOperations: statement<InPartition & { readonly operationIds: readonly bigint[] }, Selectable<MovedOperationTable>>("moved operations", (db, arg) =>
    db
      .selectFrom(listed(arg("operationIds", "bigint[]"), "id"))
      .crossJoinLateral((rows) =>
        rows.selectFrom("moved_operations").selectAll().where("partition", "=", arg("partition", "bigint")).whereRef("operation_id", "=", "listed.id").offset(noOffset).as("found"),
      )
      .selectAll("found"),
  ),

  /** The heads of partitions that were begun behind another ledger's end. */
  spreadHeads: statement<object, Pick<Selectable<LedgerHeadTable>, "partition" | "start_sequence">>("spread heads", (db) =>
    db.selectFrom("ledger_head").select(["partition", "start_sequence"]).where("start_sequence", ">", sql<bigint>`0`),
  ),

  recordsAfter: rowsAfter("journal", "sequence"),

  keys: statement<InPartition & { readonly keyHashes: readonly Uint8Array[] }, Selectable<IdempotencyKeyTable>>("keys", (db, arg) =>
    db
      .selectFrom(listed(arg("keyHashes", "bytea[]"), "hash"))
      .crossJoinLateral((rows) =>
        rows
          .selectFrom("idempotency_keys")
          .selectAll()
          .where("partition", "=", arg("partition", "bigint"))
          .whereRef("key_hash", ">=", "listed.hash")
          .orderBy("partition")
          .orderBy("key_hash")
          .limit(one)
          .as("found"),
      )
      .whereRef("found.key_hash", "=", "listed.hash")
      .selectAll("found"),
  ),

  /** Of those from this ordinal on. */
  oldestKey: statement<InPartition & { readonly from: bigint }, Pick<Selectable<IdempotencyKeyTable>, "ordinal" | "time_ms">>("oldest key", (db, arg) =>
    db
      .selectFrom("idempotency_keys")
      .select(["ordinal", "time_ms"])
      .where("partition", "=", arg("partition", "bigint"))
      .where("ordinal", ">=", arg("from", "bigint"))
      .orderBy("partition")
      .orderBy("ordinal")
      .limit(one),
  ),

  currencyTotals: statement<InPartition, Selectable<CurrencyTotalsTable>>("currency totals", (db, arg) =>
    db.selectFrom("currency_totals").selectAll().where("partition", "=", arg("partition", "bigint")).orderBy("currency").orderBy("exponent"),
  ),

  ledger: statement<object, Selectable<LedgerTable>>("ledger", (db) => db.selectFrom("ledger").selectAll()),
} as const;
