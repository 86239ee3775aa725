// SQLite's rows of wallets may have yet to learn of their last changes: the tests' own reading of the table that has these. Knows nothing of src/.

import type Database from "better-sqlite3";

/** A state without its counters: how many bytes these have (2), the state's number (1), and eight numbers of 8 bytes. */
export const fixedBytes = 67;

/** From here on, for this connection alone, `wallets` has what wallets are. */
export function bringWalletsUpToDate(connection: Database.Database, problem: (sentence: string) => void): void {
  connection.exec("create temp table wallets as select * from main.wallets; create index temp.wallets_of_partition on wallets (partition, wallet_id)");
  const versionOf = connection.prepare<[bigint, bigint], bigint>("select version from wallets where partition = ? and wallet_id = ?").pluck();
  const update = connection.prepare(
    `update wallets set available_minor = ?, held_minor = ?, state = ?, version = ?, balance_max_minor = ?, head_sequence = ?, last_hold_id = ?, update_time_ms = ?, totals = ?
     where partition = ? and wallet_id = ?`,
  );
  const rows = connection.prepare<[], { partition: bigint; sequence: bigint; states: Buffer; end: bigint | null }>(
    "select newer.*, (select head.sequence from ledger_head as head where head.partition = newer.partition) as end from newer_wallets as newer order by partition, sequence",
  );
  for (const { partition, sequence, states, end } of rows.all()) {
    const wrong = (sentence: string): void => problem(`newer_wallets ${partition}/${sequence}: ${sentence}`);
    if (states.length === 0) wrong("is empty");
    if (end === null || sequence > end) wrong(`is behind the journal's end, ${end}`);
    for (let at = 0; at < states.length; ) {
      const next = at + fixedBytes > states.length ? Infinity : at + fixedBytes + states.readUInt16LE(at);
      if (next > states.length) {
        wrong("breaks off");
        break;
      }
      const [walletId, available, held, version, limit, headSequence, lastHoldId, updateTime] = Array.from({ length: 8 }, (_, index) => states.readBigInt64LE(at + 3 + 8 * index));
      const before = versionOf.get(partition, walletId!);
      if (before === undefined) wrong(`has wallet ${walletId}, which has no row`);
      if (headSequence! > sequence) wrong(`has operation ${headSequence} of wallet ${walletId}, which came later`);
      if (before !== undefined && version! > before) {
        update.run(available, held, BigInt(states[at + 2]!), version, limit === -1n ? null : limit, headSequence, lastHoldId, updateTime, states.subarray(at + fixedBytes, next), partition, walletId);
      }
      at = next;
    }
  }
}
