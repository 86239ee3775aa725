// The rows of a batch of additions, written by bare better-sqlite3 with prepared statements: what a ledger's disk work costs without the ledger.

import Database from "better-sqlite3";
import { randomFillSync } from "node:crypto";

/** The same tables and the same kinds of rows as the ledger writes for as many AddMoney: nothing is read, decided, hashed or checked. */
export interface BareRows {
  /** One transaction of so many operations, synced to disk. */
  writeBatch(operations: number, withKeys: boolean): void;
  close(): void;
}

const hashBytes = 32;
const keyBytes = 16;

/** Opens a ledger that holds so many wallets (ids as `fillLedger` gives them: each opening is followed by an addition). */
export function openBareRows(path: string, wallets: number): BareRows {
  const connection = new Database(path);
  // The writer's own settings; see src/store/sqlite/connection.ts.
  for (const pragma of ["journal_mode = WAL", "synchronous = FULL", "cache_size = -28672", "journal_size_limit = 67108864"]) connection.pragma(pragma);
  if (connection.pragma("synchronous", { simple: true }) !== 2) throw new Error("synchronous is not FULL");

  const insertRecord = connection.prepare(
    `insert into journal (partition, sequence, operation_id, kind, wallet_id, amount_minor, available_after_minor, held_after_minor, state_after,
       version_after, balance_max_after_minor, previous_sequence, time_ms, hold_id, hold_status_after, hold_captured_after_minor,
       hold_eligible_time_ms, opened_user_id, opened_currency, opened_exponent, related_operation_id, key_hash, reference, metadata, hash)
     values (0, ?, ?, 2, ?, 1, ?, 0, 1, 3, null, ?, ?, null, null, null, null, null, null, null, null, ?, null, null, ?)`,
  );
  const putWallet = connection.prepare(
    `insert into wallets (partition, wallet_id, user_id, currency, exponent, create_time_ms, available_minor, held_minor, state, version,
       balance_max_minor, head_sequence, update_time_ms, totals)
     values (0, ?, ?, 'USD', 2, ?, ?, 0, 1, 3, null, ?, ?, ?)
     on conflict (partition, wallet_id) do update set available_minor = excluded.available_minor, held_minor = excluded.held_minor,
       state = excluded.state, version = excluded.version, balance_max_minor = excluded.balance_max_minor, head_sequence = excluded.head_sequence,
       update_time_ms = excluded.update_time_ms, totals = excluded.totals`,
  );
  const putKey = connection.prepare(
    `insert into idempotency_keys (partition, ordinal, key_hash, fingerprint, time_ms, sequence, rejection) values (0, ?, ?, ?, ?, ?, null)`,
  );
  const putTotals = connection.prepare(
    `insert into currency_totals (partition, currency, exponent, totals) values (0, 'USD', 2, ?)
     on conflict (partition, currency, exponent) do update set totals = excluded.totals`,
  );
  const moveHead = connection.prepare("update ledger_head set sequence = ?, hash = ?, time_ms = ?, key_ordinal = ? where partition = 0");
  const [begin, commit] = [connection.prepare("begin immediate"), connection.prepare("commit")];

  const head = connection.prepare<[], { sequence: number; key_ordinal: number }>("select sequence, key_ordinal from ledger_head").get()!;
  let { sequence, key_ordinal: keyOrdinal } = head;
  const users = connection.prepare<[], { user_id: string }>("select user_id from wallets order by wallet_id").all().map((row) => row.user_id);
  const totals = connection.prepare<[], { totals: Buffer }>("select totals from wallets limit 1").get()!.totals;
  if (users.length !== wallets) throw new Error(`the ledger holds ${users.length} wallets, not ${wallets}`);
  const walletIds = connection.prepare<[], { wallet_id: number }>("select wallet_id from wallets order by wallet_id").all().map((row) => row.wallet_id);

  return {
    writeBatch(operations, withKeys) {
      const timeMs = Date.now();
      const random = randomFillSync(Buffer.allocUnsafe(operations * (hashBytes + 2 * keyBytes)));
      let at = 0;
      const bytes = (length: number): Buffer => random.subarray(at, (at += length));
      begin.run();
      for (let index = 0; index < operations; index++) {
        const wallet = Math.floor(Math.random() * wallets);
        sequence++;
        const keyHash = withKeys ? bytes(keyBytes) : null;
        insertRecord.run(sequence, sequence, walletIds[wallet], 100_000_001, walletIds[wallet]! + 1, timeMs, keyHash, bytes(hashBytes));
        putWallet.run(walletIds[wallet], users[wallet], timeMs, 100_000_001, sequence, timeMs, totals);
        if (withKeys) putKey.run(++keyOrdinal, keyHash, bytes(keyBytes), timeMs, sequence);
      }
      putTotals.run(totals);
      moveHead.run(sequence, random.subarray(0, hashBytes), timeMs, keyOrdinal);
      commit.run();
    },
    close: () => void connection.close(),
  };
}
