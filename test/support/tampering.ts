// Changes to a ledger's file behind the service's back, each of which changes what the ledger means; made at random, the same for the same seed.

import { createHash } from "node:crypto";
import Database from "better-sqlite3";
import { recordHash } from "../../src/domain/canonical.ts";
import { recordFromRow } from "../../src/store/rows.ts";
import { anyRow, endOf, idAt, insert, keys, remove, rowsOf, text, update, type Pick, type Row } from "./tampered-rows.ts";

/** Makes one change and says what it was; undefined where this ledger has nothing that it could change. */
type Change = (db: Database.Database, pick: Pick) => string | undefined;

/** A small step up or down, or a large one. */
function moved(value: bigint, pick: Pick): bigint {
  const steps = [1n, -1n, 100n, BigInt(1 + pick(1_000_000))];
  const after = value + steps[pick(steps.length)]!;
  return after < 0n ? value + 1n : after;
}

/** Changes one number of a row that satisfies `where`. */
function number(table: string, column: string, where = `${column} is not null`): Change {
  return (db, pick) => {
    const row = anyRow(db, pick, table, where);
    return row && update(db, table, row, { [column]: moved(row[column] as bigint, pick) });
  };
}

function oneOf(table: string, column: string, values: readonly (bigint | string)[], where = `${column} is not null`): Change {
  return (db, pick) => {
    const row = anyRow(db, pick, table, where);
    const others = values.filter((value) => value !== row?.[column]);
    return row && update(db, table, row, { [column]: others[pick(others.length)]! });
  };
}

function bytes(table: string, column: string, where = `${column} is not null and length(${column}) > 0`): Change {
  return (db, pick) => {
    const row = anyRow(db, pick, table, where);
    if (row === undefined) return undefined;
    const changed = Uint8Array.from(row[column] as Uint8Array);
    changed[pick(changed.length)]! ^= 1 << pick(7);
    return update(db, table, row, { [column]: changed });
  };
}

function deleted(table: string, where?: string): Change {
  return (db, pick) => {
    const row = anyRow(db, pick, table, where);
    return row && remove(db, table, row);
  };
}

/** Of a partition without keys nobody knows how many were forgotten. */
const hasKeys = "partition in (select partition from idempotency_keys)";

/** Runs that keys are found in: what becomes of others is nobody's loss. */
const live = "state = 2";
/** One that was only just begun has nothing yet that could be left behind. */
const begun = "(partition, run) in (select partition, run from key_chunks)";
const ofLive = "(partition, run) in (select partition, run from key_runs where state = 2)";

/** One entry of a run says the place of its neighbour, and the run's hash is made right again: its keys are all there. */
const elsewhere: Change = (db, pick) => {
  const row = anyRow(db, pick, "key_chunks", `${ofLive} and length(entries) >= 44`);
  if (row === undefined) return undefined;
  const entries = Buffer.from(row["entries"] as Uint8Array);
  entries.copy(entries, 16, 38, 44);
  const said = update(db, "key_chunks", row, { entries });
  const hash = createHash("sha256");
  const where = `partition = ${String(row["partition"])} and run = ${String(row["run"])}`;
  for (const chunk of rowsOf(db, "key_chunks", `${where} order by first_hash`)) hash.update(chunk["entries"] as Uint8Array);
  const [run] = rowsOf(db, "key_runs", where);
  const numbers = ["level", "first_ordinal", "last_ordinal", "entries", "filter_blocks"].map((column) => (run![column] as bigint).toString(16).padStart(16, "0"));
  db.prepare(`update key_runs set hash = ? where ${where}`).run(hash.update(Buffer.from(numbers.join(""), "hex")).digest());
  return said;
};

/** Journal columns that carry numbers of the record itself. */
const journalNumbers = [
  "operation_id", "wallet_id", "amount_minor", "available_after_minor", "held_after_minor", "version_after", "balance_max_after_minor", "previous_sequence", "time_ms", "hold_id",
  "hold_captured_after_minor", "hold_eligible_time_ms", "related_operation_id", "receiver_wallet_id", "receiver_amount_minor", "receiver_available_after_minor",
  "receiver_held_after_minor", "receiver_version_after", "receiver_balance_max_after_minor", "receiver_previous_sequence", "opened_exponent", "other_exponent",
] as const;

/** Changes a record's amount or a balance after it, and makes the chain right again for it and the next records, but not to the end. */
const localChain: Change = (db, pick) => {
  const row = anyRow(db, pick, "journal", "sequence < (select head.sequence from ledger_head as head where head.partition = journal.partition)");
  if (row === undefined) return undefined;
  const last = endOf(db, row);
  const columns = ["amount_minor", "available_after_minor", "reference", "time_ms"] as const;
  const column = columns[pick(columns.length)]!;
  const said = update(db, "journal", row, { [column]: column === "reference" ? "somebody else's" : (row[column] as bigint) + 1n });
  const first = row["sequence"] as bigint;
  const room = Number(last - first);
  const length = pick(2) === 0 ? 1 : 1 + pick(Math.min(room, 40));
  rechain(db, row["partition"] as bigint, first, first + BigInt(length) - 1n);
  return `${said}; hashes of ${length} records made right again`;
};

function rechain(db: Database.Database, partition: bigint, first: bigint, last: bigint): void {
  const here = `partition = ${partition}`;
  let hash = (rowsOf(db, "journal", `${here} and sequence = ${first - 1n}`)[0]?.["hash"] as Uint8Array | undefined) ?? new Uint8Array(32);
  for (const row of rowsOf(db, "journal", `${here} and sequence between ${first} and ${last} order by sequence`)) {
    hash = recordHash(hash, recordFromRow(row as never));
    db.prepare(`update journal set hash = ? where ${here} and sequence = ?`).run(hash, row["sequence"]);
  }
}

/** Two records change places, with or without their ids. */
const reordered: Change = (db, pick) => {
  const row = anyRow(db, pick, "journal");
  const other = row && anyRow(db, pick, "journal", `partition = ${String(row["partition"])} and sequence <> ${String(row["sequence"])}`);
  if (row === undefined || other === undefined) return undefined;
  const keepIds = pick(2) === 0;
  const content = (from: Row, to: Row): Row => ({ ...from, sequence: to["sequence"]!, ...(keepIds ? { operation_id: to["operation_id"]! } : {}), ...(pick(2) === 0 ? { hash: to["hash"]! } : {}) });
  const [a, b] = [content(other, row), content(row, other)];
  for (const each of [row, other]) remove(db, "journal", each);
  for (const each of [a, b]) insert(db, "journal", each);
  return `journal ${text(row["sequence"])} and ${text(other["sequence"])}: changed places`;
};

/** Takes the last records away, and makes the head fit them: what happened last never happened. */
const truncated: Change = (db, pick) => {
  const head = anyRow(db, pick, "ledger_head", "sequence > 6")!;
  const here = `partition = ${String(head["partition"])}`;
  const end = (head["sequence"] as bigint) - 1n - BigInt(pick(5));
  db.prepare(`delete from journal where ${here} and sequence > ?`).run(end);
  const row = rowsOf(db, "journal", `${here} and sequence = ${end}`)[0]!;
  db.prepare(`update ledger_head set sequence = ?, hash = ?, time_ms = ? where ${here}`).run(end, row["hash"], row["time_ms"]);
  return `journal of ${here}: all behind ${end} deleted, the head set back to it`;
};

/** A record that nobody asked for, at the end or in the middle. */
const inserted: Change = (db, pick) => {
  const row = anyRow(db, pick, "journal", "kind = 2");
  if (row === undefined) return undefined;
  const last = endOf(db, row);
  insert(db, "journal", { ...row, sequence: last + 1n, operation_id: idAt(row, last + 1n) });
  return `journal ${last + 1n}: an ADD of somebody's, behind the head`;
};

const copied =
  (table: string, alter: (row: Row, db: Database.Database) => Row): Change =>
  (db, pick) => {
    const row = anyRow(db, pick, table);
    if (row === undefined) return undefined;
    const copy = alter(row, db);
    insert(db, table, copy);
    return `${table}: a row more, like ${keys[table]!.map((key) => String(row[key])).join("/")}`;
  };

const walletIdAmong = (column: string, table: string): Change => (db, pick) => {
  const row = anyRow(db, pick, table);
  const other = row && anyRow(db, pick, "wallets", `wallet_id <> ${String(row[column])}`);
  return row && other && update(db, table, row, { [column]: other["wallet_id"]! });
};

/** Every kind of change, by its name. */
export const changes: Readonly<Record<string, readonly Change[]>> = {
  balances: [number("wallets", "available_minor"), number("wallets", "held_minor"), (db, pick) => {
    const row = anyRow(db, pick, "wallets", "held_minor > 0");
    return row && update(db, "wallets", row, { held_minor: (row["held_minor"] as bigint) - 1n, available_minor: (row["available_minor"] as bigint) + 1n });
  }],
  wallets: [
    ...["version", "head_sequence", "last_hold_id", "create_time_ms", "update_time_ms", "exponent"].map((column) => number("wallets", column)),
    number("wallets", "balance_max_minor"),
    (db, pick) => {
      const row = anyRow(db, pick, "wallets", "balance_max_minor is not null");
      return row && update(db, "wallets", row, { balance_max_minor: null });
    },
    (db, pick) => {
      const row = anyRow(db, pick, "wallets");
      return row && update(db, "wallets", row, { user_id: `thief-${pick(1000)}` });
    },
    oneOf("wallets", "currency", ["CHF", "SEK"]),
    deleted("wallets"),
    copied("wallets", (row, db) => ({ ...row, wallet_id: idAt(row, endOf(db, row) + 7n), user_id: "ghost" })),
  ],
  statuses: [oneOf("wallets", "state", [1n, 2n, 3n]), oneOf("holds", "status", [1n, 2n, 3n, 4n])],
  holds: [
    ...["amount_minor", "create_time_ms", "eligible_time_ms", "resolve_time_ms", "previous_hold_id"].map((column) => number("holds", column)),
    (db, pick) => {
      const row = anyRow(db, pick, "holds", "captured_minor < amount_minor");
      return row && update(db, "holds", row, { captured_minor: (row["captured_minor"] as bigint) + 1n });
    },
    walletIdAmong("wallet_id", "holds"),
    oneOf("holds", "currency", ["USD", "JPY", "BHD"]),
    deleted("holds"),
    copied("holds", (row, db) => ({ ...row, hold_id: idAt(row, endOf(db, row) + 9n) })),
  ],
  counters: [bytes("wallets", "totals"), bytes("currency_totals", "totals"), deleted("currency_totals"), oneOf("currency_totals", "currency", ["CHF"]), (db, pick) => {
    const row = anyRow(db, pick, "wallets", "length(totals) > 0");
    return row && update(db, "wallets", row, { totals: new Uint8Array(0) });
  }],
  journal: [
    ...journalNumbers.map((column) => number("journal", column)),
    oneOf("journal", "kind", [1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n, 9n, 10n, 11n, 12n, 13n]),
    oneOf("journal", "state_after", [1n, 2n, 3n]),
    oneOf("journal", "receiver_state_after", [1n, 2n, 3n]),
    oneOf("journal", "hold_status_after", [1n, 2n, 3n, 4n]),
    oneOf("journal", "opened_user_id", ["thief"]),
    oneOf("journal", "opened_currency", ["CHF", "SEK"]),
    oneOf("journal", "reference", ["somebody else's"]),
    oneOf("journal", "other_user_id", ["thief"]),
    oneOf("journal", "side", [1n, 2n]),
    oneOf("journal", "metadata", ['{"shop":"elsewhere"}']),
    bytes("journal", "key_hash"),
    bytes("journal", "hash"),
  ],
  "deleted and added entries": [deleted("journal"), deleted("journal", "kind = 1"), deleted("journal", "kind = 3"), deleted("journal", "side = 1"), deleted("journal", "side = 2"), truncated, inserted],
  "reordered entries": [reordered],
  keys: [
    // Of a rejection the journal knows nothing, so only its place and time can be told.
    number("idempotency_keys", "sequence"),
    number("idempotency_keys", "time_ms", "sequence is not null"),
    bytes("idempotency_keys", "key_hash", "sequence is not null"),
    deleted("idempotency_keys"),
    (db, pick) => {
      const row = anyRow(db, pick, "idempotency_keys", "sequence is not null");
      return row && update(db, "idempotency_keys", row, { sequence: null, rejection: '{"reason":"WALLET_FROZEN","userId":"user-1","currency":"USD"}' });
    },
    (db, pick) => {
      const row = anyRow(db, pick, "idempotency_keys", "sequence is null");
      return row && update(db, "idempotency_keys", row, { sequence: BigInt(1 + pick(100)), rejection: null });
    },
  ],
  "runs of keys": [
    ...["state", "level", "first_ordinal", "last_ordinal", "entries", "filter_blocks"].map((column) => number("key_runs", column, live)),
    oneOf("key_runs", "state", [1n, 3n], live),
    bytes("key_runs", "hash", live),
    deleted("key_runs", `${live} or ${begun}`),
    bytes("key_chunks", "entries", ofLive),
    bytes("key_chunks", "first_hash", ofLive),
    deleted("key_chunks", ofLive),
    bytes("key_filters", "blocks", ofLive),
    number("key_filters", "first_block", ofLive),
    deleted("key_filters", ofLive),
    elsewhere,
  ],
  head: [number("ledger_head", "sequence"), number("ledger_head", "time_ms"), number("ledger_head", "key_ordinal", hasKeys), bytes("ledger_head", "hash")],
  marks: [deleted("history_marks"), number("history_marks", "sequence"), walletIdAmong("wallet_id", "history_marks"), copied("history_marks", (row) => ({ ...row, sequence: (row["sequence"] as bigint) - 1n }))],
  "chain made right again, locally": [localChain],
};

/** Makes one random change of this kind. */
export function tamper(path: string, kind: string, pick: Pick): string {
  const db = new Database(path);
  db.defaultSafeIntegers(true);
  // Whoever reaches the file needs no permission.
  db.pragma("ignore_check_constraints = ON");
  try {
    const all = changes[kind]!;
    for (;;) {
      const said = all[pick(all.length)]!(db, pick);
      if (said !== undefined) return said;
    }
  } finally {
    db.pragma("wal_checkpoint(TRUNCATE)");
    db.close();
  }
}
