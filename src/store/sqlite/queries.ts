// The queries that both the writer and the readers make.

import assert from "node:assert/strict";
import type { Selectable, Sql } from "kysely";
import { birthplaceOf } from "../../domain/journal.ts";
import type { CurrencyTotalsTable, HoldTable, JournalTable, LedgerHeadTable, LedgerTable, WalletTable } from "../tables.ts";
import type { NewerWallets } from "./newer-wallets/newer-wallets.ts";
import { changingWalletColumns } from "./newer-wallets/wallet-state-encoding.ts";
import type { Statement, WriteQuery, Written } from "./statement.ts";

/**
 * A wallet's row with its counters in hex digits: for each blob the driver makes a piece of memory outside of the heap, which costs half as much as everything else about reading
 * the row. Null where they are no blob.
 */
export type WalletRowInText = Omit<Selectable<WalletTable>, "totals"> & { readonly totals: string | null };

/** Each by the key or index that serves it. `WalletRow` is what is answered of wallets. */
export interface Queries<WalletRow = Selectable<WalletTable>> {
  ledger: Statement<object, Selectable<LedgerTable>>;
  head: Statement<{ partition: bigint }, Selectable<LedgerHeadTable>>;
  wallet: Statement<{ partition: bigint; walletId: bigint }, WalletRow>;
  walletOfUser: Statement<{ partition: bigint; userId: string; currency: string }, WalletRow>;
  /** In no order: they are few, and an ORDER BY tempts SQLite to walk the partition instead. */
  walletsOfUser: Statement<{ partition: bigint; userId: string }, WalletRow>;
  hold: Statement<{ partition: bigint; holdId: bigint }, Selectable<HoldTable>>;
  record: Statement<{ partition: bigint; sequence: bigint }, Selectable<JournalTable>>;
  /** Where an operation is that was moved here with an id of another place. */
  moved: Statement<{ partition: bigint; operationId: bigint }, { sequence: bigint }>;
  recordsAfter: Statement<{ partition: bigint; after: bigint; limit: bigint }, Selectable<JournalTable>>;
  currencyTotals: Statement<{ partition: bigint }, Selectable<CurrencyTotalsTable>>;
}

/** The queries of `Queries`, of wallets as their rows are. */
export function writeQueries(query: WriteQuery): Written<Queries<WalletRowInText>> {
  return {
    ledger: query((db) => db.selectFrom("ledger").selectAll().where("id", "=", 1n)),
    head: query((db, arg) => db.selectFrom("ledger_head").selectAll().where("partition", "=", arg("partition"))),
    wallet: query((db, arg, sql) =>
      db.selectFrom("wallets").select(walletColumns(sql)).where("partition", "=", arg("partition")).where("wallet_id", "=", arg("walletId")),
    ),
    walletOfUser: query((db, arg, sql) =>
      db.selectFrom("wallets").select(walletColumns(sql)).where("partition", "=", arg("partition")).where("user_id", "=", arg("userId")).where("currency", "=", arg("currency")),
    ),
    walletsOfUser: query((db, arg, sql) =>
      db.selectFrom("wallets").select(walletColumns(sql)).where("partition", "=", arg("partition")).where("user_id", "=", arg("userId")),
    ),
    hold: query((db, arg) => db.selectFrom("holds").selectAll().where("partition", "=", arg("partition")).where("hold_id", "=", arg("holdId"))),
    record: query((db, arg) =>
      db.selectFrom("journal").selectAll().where("partition", "=", arg("partition")).where("sequence", "=", arg("sequence")),
    ),
    moved: query((db, arg) =>
      db.selectFrom("moved_operations").select("sequence").where("partition", "=", arg("partition")).where("operation_id", "=", arg("operationId")),
    ),
    recordsAfter: query((db, arg) =>
      db.selectFrom("journal").selectAll().where("partition", "=", arg("partition")).where("sequence", ">", arg("after")).orderBy("sequence").limit(arg("limit")),
    ),
    currencyTotals: query((db, arg) =>
      db.selectFrom("currency_totals").selectAll().where("partition", "=", arg("partition")).orderBy("currency").orderBy("exponent"),
    ),
  };
}

function walletColumns(sql: Sql) {
  const asTheyAre = ["partition", "wallet_id", "user_id", "currency", "exponent", "create_time_ms", ...changingWalletColumns.filter((column) => column !== "totals")] as const;
  return [...asTheyAre, sql<string | null>`case typeof(totals) when 'blob' then hex(totals) end`.as("totals")] as const;
}

/** The record that is the operation with this id: of two, the payer's. */
export function operationRow(queries: Queries, operationId: bigint): Selectable<JournalTable> | undefined {
  const { partition, sequence } = birthplaceOf(operationId);
  const row = queries.record.get({ partition: BigInt(partition), sequence });
  return row?.operation_id === operationId ? row : movedRow(queries, operationId, sequence);
}

/** Looked for in each partition, where journals begin behind the sequence that the id was born with: all of a ledger's begin behind the same one. */
function movedRow(queries: Queries, operationId: bigint, born: bigint): Selectable<JournalTable> | undefined {
  const start = queries.head.get({ partition: 0n })?.start_sequence ?? 0n;
  if (born > start) return undefined;
  const partitionCount = BigInt(partitionCountOf(queries));
  for (let partition = 0n; partition < partitionCount; partition++) {
    const found = queries.moved.get({ partition, operationId });
    if (found !== undefined) return queries.record.get({ partition, sequence: found.sequence });
  }
  return undefined;
}

/** How many partitions the ledger has; it never changes. */
export function partitionCountOf({ ledger }: Pick<Queries, "ledger">): number {
  const row = ledger.get({});
  if (row === undefined) throw new Error("the ledger has no row of its own");
  return Number(row.partitions);
}

/** The same queries, with wallets as they are now though their rows may be behind. */
export function withNewest(queries: Queries<WalletRowInText>, newer: NewerWallets): Queries {
  const newest = <Args>({ get, all, run }: Statement<Args, WalletRowInText>): Statement<Args, Selectable<WalletTable>> => ({
    get(args) {
      const row = get(args);
      return row && newer.newestOf(row, countersIn);
    },
    all: (args) => all(args).map((row) => newer.newestOf(row, countersIn)),
    run,
  });
  return { ...queries, wallet: newest(queries.wallet), walletOfUser: newest(queries.walletOfUser), walletsOfUser: newest(queries.walletsOfUser) };
}

function countersIn({ totals }: WalletRowInText): Uint8Array {
  assert(totals !== null, "a wallet's counters are bytes");
  return Buffer.from(totals, "hex");
}
