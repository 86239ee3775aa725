// Recomputed wallets, whose they are, and holds in a database of their own that nobody else sees and that is gone with its connection.

import type Database from "better-sqlite3";
import type { Hold } from "../../domain/hold.ts";
import type { Side } from "../../domain/journal.ts";
import type { Wallet, WalletIdentity } from "../../domain/wallet.ts";
import type { PartitionScratch, Scratch } from "../audit/audit.ts";
import { openTemporary, ScratchTable } from "./scratch-table.ts";

/** An empty scratch. Its file is in the folder that SQLite takes for temporary ones (SQLITE_TMPDIR, else TMPDIR), unless it stays small. */
export function openSqliteScratch(): Scratch {
  const connection = openTemporary();
  const wallets = new ScratchTable<Wallet>(connection, "wallets");
  const holds = new ScratchTable<Hold>(connection, "holds");
  const claim = claims(connection);
  const claimMoved = movedIds(connection);
  const { putApart, unmatched } = recordsApart(connection);
  return {
    of: (partition) => ({
      wallet: (walletId) => wallets.get(partition, walletId),
      hold: (holdId) => holds.get(partition, holdId),
      putWallet: (wallet) => wallets.put(partition, wallet.walletId, wallet),
      putHold: (hold) => holds.put(partition, hold.holdId, hold),
      claim,
      claimMoved,
      putApart,
      walletsAfter: (after, limit) => wallets.after(partition, after, limit),
      holdsAfter: (after, limit) => holds.after(partition, after, limit),
    }),
    unmatched,
    close: () => void connection.close(),
  };
}

/** The two records of each operation whose wallets are in two partitions, by the hash of what both must say. */
function recordsApart(connection: Database.Database): { putApart: PartitionScratch["putApart"]; unmatched: Scratch["unmatched"] } {
  connection.exec("create table apart (operation_id integer not null, side text not null, content blob not null, primary key (operation_id, side)) without rowid");
  const put = connection.prepare<[bigint, string, Uint8Array]>("insert into apart (operation_id, side, content) values (?, ?, ?) on conflict do update set content = excluded.content");
  const select = connection
    .prepare<[bigint, bigint], { operation_id: bigint; sides: bigint; side: Side }>(
      `select operation_id, count(*) as sides, min(side) as side from apart where operation_id > ?
       group by operation_id having count(*) < 2 or min(content) <> max(content) order by operation_id limit ?`,
    )
    .safeIntegers();
  return {
    putApart: (operationId, side, content) => void put.run(operationId, side, content),
    unmatched: (after, limit) =>
      select.all(after, limit).map(({ operation_id: operationId, sides, side }) => ({
        operationId,
        missing: sides === 2n ? undefined : side === "PAYER" ? "RECEIVER" : "PAYER",
      })),
  };
}

/** The ids of operations that were born in another ledger. */
function movedIds(connection: Database.Database): (operationId: bigint) => boolean {
  connection.exec("create table moved (operation_id integer primary key)");
  const insert = connection.prepare<[bigint]>("insert or ignore into moved (operation_id) values (?)");
  return (operationId) => insert.run(operationId).changes === 1;
}

/** Which wallet is whose: one for each user and currency. */
function claims(connection: Database.Database): (wallet: WalletIdentity) => bigint {
  connection.exec("create table owners (user_id text not null, currency text not null, wallet_id integer not null, primary key (user_id, currency)) without rowid");
  const insert = connection.prepare<[string, string, bigint]>("insert or ignore into owners (user_id, currency, wallet_id) values (?, ?, ?)");
  const select = connection.prepare<[string, string], bigint>("select wallet_id from owners where user_id = ? and currency = ?").safeIntegers().pluck();
  return ({ walletId, userId, currency }) => (insert.run(userId, currency, walletId).changes === 1 ? walletId : select.get(userId, currency)!);
}
