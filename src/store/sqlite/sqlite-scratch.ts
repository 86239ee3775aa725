// Recomputed wallets, whose they are, and holds in a database of their own that nobody else sees and that is gone with its connection.

import { deserialize, serialize } from "node:v8";
import Database from "better-sqlite3";
import type { Hold } from "../../domain/hold.ts";
import type { Wallet, WalletIdentity } from "../../domain/wallet.ts";
import type { Scratch } from "../audit/audit.ts";

/** Entries of each kind in memory before they go to the database: a busy ledger's operations return to the same wallets. Some 10 MB at most. */
const cachedMax = 4_000;

/** Page cache of the scratch database, in KiB; what exceeds it goes to a temporary file. */
const cacheKib = 32 * 1024;

/** An empty scratch. Its file is in the folder that SQLite takes for temporary ones (SQLITE_TMPDIR, else TMPDIR), unless it stays small. */
export function openSqliteScratch(): Scratch {
  // https://sqlite.org/inmemorydb.html, "Temporary databases": an empty name is a file that is deleted when its connection closes.
  const connection = new Database("");
  connection.pragma("journal_mode = OFF");
  connection.pragma("synchronous = OFF");
  connection.pragma(`cache_size = -${cacheKib}`);
  const wallets = new ScratchTable<Wallet>(connection, "wallets");
  const holds = new ScratchTable<Hold>(connection, "holds");
  return {
    wallet: (walletId) => wallets.get(walletId),
    hold: (holdId) => holds.get(holdId),
    putWallet: (wallet) => wallets.put(wallet.walletId, wallet),
    putHold: (hold) => holds.put(hold.holdId, hold),
    claim: claims(connection),
    walletsAfter: (after, limit) => wallets.after(after, limit),
    holdsAfter: (after, limit) => holds.after(after, limit),
    close: () => void connection.close(),
  };
}

/** Which wallet is whose: one for each user and currency. */
function claims(connection: Database.Database): (wallet: WalletIdentity) => bigint {
  connection.exec("create table owners (user_id text not null, currency text not null, wallet_id integer not null, primary key (user_id, currency)) without rowid");
  const insert = connection.prepare<[string, string, bigint]>("insert or ignore into owners (user_id, currency, wallet_id) values (?, ?, ?)");
  const select = connection.prepare<[string, string], bigint>("select wallet_id from owners where user_id = ? and currency = ?").safeIntegers().pluck();
  return ({ walletId, userId, currency }) => (insert.run(userId, currency, walletId).changes === 1 ? walletId : select.get(userId, currency)!);
}

/** A map from id to value that keeps a bounded number of its entries in memory. */
class ScratchTable<Value> {
  readonly #cached = new Map<bigint, Value>();
  readonly #dirty = new Set<bigint>();
  readonly #select: Database.Statement<[bigint], { value: Buffer }>;
  readonly #range: Database.Statement<[bigint, bigint], { value: Buffer }>;
  readonly #flush: () => void;

  constructor(connection: Database.Database, name: string) {
    connection.exec(`create table ${name} (id integer primary key, value blob not null)`);
    this.#select = connection.prepare(`select value from ${name} where id = ?`);
    this.#range = connection.prepare(`select value from ${name} where id > ? order by id limit ?`);
    const put = connection.prepare<[bigint, Buffer]>(`insert into ${name} (id, value) values (?, ?) on conflict (id) do update set value = excluded.value`);
    this.#flush = connection.transaction(() => {
      for (const id of this.#dirty) put.run(id, serialize(this.#cached.get(id)));
      this.#dirty.clear();
    });
  }

  get(id: bigint): Value | undefined {
    const cached = this.#cached.get(id);
    if (cached !== undefined) return cached;
    const row = this.#select.get(id);
    if (row === undefined) return undefined;
    const value = deserialize(row.value) as Value;
    this.#keep(id, value);
    return value;
  }

  put(id: bigint, value: Value): void {
    this.#keep(id, value);
    this.#dirty.add(id);
  }

  after(id: bigint, limit: bigint): Value[] {
    this.#flush();
    return this.#range.all(id, limit).map((row) => deserialize(row.value) as Value);
  }

  /** Emptied whole when it is full: one transaction for many writes. */
  #keep(id: bigint, value: Value): void {
    if (this.#cached.size >= cachedMax && !this.#cached.has(id)) {
      this.#flush();
      this.#cached.clear();
    }
    this.#cached.set(id, value);
  }
}
