// What a partition's journal says when everything is computed from it once more: balances, holds, counters, keys. Knows nothing of src/.

import { leb128, sealOf, type JournalRow } from "./canonical-bytes.ts";

const kinds = ["", "INIT", "ADD", "HOLD", "RELEASE", "REVERSE"] as const;
const state = { active: 1n } as const;
export const holdStatus = { active: 1n, released: 2n, reversed: 3n } as const;
const int64Max = 2n ** 63n - 1n;

/** A row of `wallets`, but for the partition. */
export interface WalletRow {
  readonly wallet_id: bigint;
  readonly user_id: string;
  readonly currency: string;
  readonly exponent: bigint;
  readonly create_time_ms: bigint;
  available_minor: bigint;
  held_minor: bigint;
  state: bigint;
  version: bigint;
  balance_max_minor: bigint | null;
  head_sequence: bigint;
  update_time_ms: bigint;
  /** Counters in their stored form, as hex. */
  totals: string;
}

/** A row of `holds`, but for the partition. */
export interface HoldRow {
  readonly hold_id: bigint;
  readonly wallet_id: bigint;
  readonly amount_minor: bigint;
  captured_minor: bigint;
  status: bigint;
  readonly create_time_ms: bigint;
  readonly eligible_time_ms: bigint;
  resolve_time_ms: bigint | null;
}

/** The last operation under a key. */
export interface KeyUse {
  readonly sequence: bigint;
  readonly timeMs: bigint;
}

export interface Recounted {
  readonly head: { sequence: bigint; hash: Uint8Array; time_ms: bigint };
  readonly wallets: Map<bigint, WalletRow>;
  readonly holds: Map<bigint, HoldRow>;
  /** Counters by `currency:exponent`. */
  readonly currencies: Map<string, Counters>;
  /** By the key's hash in hex. */
  readonly keys: Map<string, KeyUse>;
}

/** How many operations of each kind, and how much they moved. */
export class Counters {
  readonly #numbers = [0n, 0n, 0n, 0n];
  readonly #amounts = [0n, 0n, 0n, 0n];

  add(kind: (typeof kinds)[number], amountMinor: bigint): void {
    const index = ["ADD", "HOLD", "RELEASE", "REVERSE"].indexOf(kind);
    if (index === -1) return;
    this.#numbers[index]! += 1n;
    this.#amounts[index]! += amountMinor;
  }

  get addedMinor(): bigint {
    return this.#amounts[0]!;
  }

  /** As they are stored: of each kind that there is, its number from 1, the count and the amount as unsigned LEB128. */
  get hex(): string {
    const bytes = this.#numbers.flatMap((number, index) => (number === 0n ? [] : [index + 1, ...leb128(number), ...leb128(this.#amounts[index]!)]));
    return Buffer.from(bytes).toString("hex");
  }
}

/** Replays the records of one partition in the order of their sequences and tells `problem` what cannot be. */
export function recount(partition: bigint, createTimeMs: bigint, records: Iterable<JournalRow>, problem: (sentence: string) => void): Recounted {
  const books: Recounted = {
    head: { sequence: 0n, hash: new Uint8Array(32), time_ms: createTimeMs },
    wallets: new Map(),
    holds: new Map(),
    currencies: new Map(),
    keys: new Map(),
  };
  const countersOf = new Map<bigint, Counters>();
  for (const row of records) {
    const wrong = (sentence: string): void => problem(`journal ${partition}/${row.sequence}: ${sentence}`);
    checkPlace(partition, books, row, wrong);
    const kind = kinds[Number(row.kind)];
    if (kind === undefined || kind === "") wrong(`has kind ${row.kind}, which means nothing`);
    else {
      if (kind === "INIT") open(books, row, wrong);
      const wallet = books.wallets.get(row.wallet_id);
      if (wallet === undefined) wrong(`is about wallet ${row.wallet_id}, which was never opened`);
      else {
        apply(books, wallet, kind, row, wrong);
        count(books, countersOf, wallet, kind, row.amount_minor);
      }
    }
    if (row.key_hash !== null) {
      if (row.key_hash.length !== 16) wrong("has a key hash that is not 16 bytes");
      books.keys.set(hexOf(row.key_hash), { sequence: row.sequence, timeMs: row.time_ms });
    }
    Object.assign(books.head, { sequence: row.sequence, hash: row.hash, time_ms: row.time_ms });
  }
  for (const [walletId, counters] of countersOf) books.wallets.get(walletId)!.totals = counters.hex;
  return books;
}

type Wrong = (sentence: string) => void;

function checkPlace(partition: bigint, { head }: Recounted, row: JournalRow, wrong: Wrong): void {
  if (row.sequence !== head.sequence + 1n) wrong(`follows ${head.sequence}: something between them is missing`);
  if (row.operation_id !== (partition << 48n) + row.sequence) wrong(`has id ${row.operation_id}`);
  if (row.time_ms < head.time_ms) wrong(`is at ${row.time_ms}, before its predecessor's ${head.time_ms}`);
  if (hexOf(sealOf(head.hash, row)) !== hexOf(row.hash)) wrong("does not have the hash of its content and its predecessor");
}

function open({ wallets }: Recounted, row: JournalRow, wrong: Wrong): void {
  const { opened_user_id: user, opened_currency: currency, opened_exponent: exponent } = row;
  if (user === null || currency === null || exponent === null) return wrong("opens a wallet and does not say whose or in what");
  if (row.wallet_id !== row.operation_id) wrong(`opens wallet ${row.wallet_id}, whose id is not the operation's`);
  if (!/^[A-Za-z0-9._:@+-]{1,128}$/.test(user)) wrong(`opens a wallet of ${JSON.stringify(user)}, which is no user id`);
  if (exponent < 0n || exponent > 18n) wrong(`opens a wallet with ${exponent} decimals`);
  wallets.set(row.wallet_id, {
    wallet_id: row.wallet_id,
    user_id: user,
    currency,
    exponent,
    create_time_ms: row.time_ms,
    available_minor: 0n,
    held_minor: 0n,
    state: state.active,
    version: 0n,
    // What the opening itself says; nothing changes it yet.
    balance_max_minor: row.balance_max_after_minor,
    head_sequence: 0n,
    update_time_ms: row.time_ms,
    totals: "",
  });
}

function apply(books: Recounted, wallet: WalletRow, kind: (typeof kinds)[number], row: JournalRow, wrong: Wrong): void {
  if (kind !== "INIT" && (row.opened_user_id ?? row.opened_currency ?? row.opened_exponent) !== null) wrong("opens a wallet and is no opening");
  if (kind !== "ADD" && row.related_operation_id !== null) wrong("is related to another operation and is no addition");
  if (kind === "INIT" ? row.amount_minor !== 0n : row.amount_minor <= 0n) wrong(`moves ${row.amount_minor}`);
  if (kind === "RELEASE" && (row.key_hash ?? row.reference ?? row.metadata) !== null) wrong("is a release, which no request names");
  if (row.related_operation_id !== null && !isEarlier(row.related_operation_id, row)) wrong(`is related to operation ${row.related_operation_id}, which was not there`);

  if (kind === "ADD") wallet.available_minor += row.amount_minor;
  if (kind === "HOLD") move(wallet, row.amount_minor);
  if (kind === "RELEASE" || kind === "REVERSE") move(wallet, -row.amount_minor);
  applyToHold(books, kind, row, wrong);

  const total = wallet.available_minor + wallet.held_minor;
  if (wallet.available_minor < 0n || wallet.held_minor < 0n) wrong(`leaves the wallet with ${wallet.available_minor} available and ${wallet.held_minor} held`);
  if (total > int64Max) wrong("leaves the wallet with more than 64 bits hold");
  if (kind === "ADD" && wallet.balance_max_minor !== null && total > wallet.balance_max_minor) wrong("takes the wallet beyond its limit");

  const after = {
    available_after_minor: wallet.available_minor,
    held_after_minor: wallet.held_minor,
    state_after: wallet.state,
    version_after: wallet.version + 1n,
    balance_max_after_minor: wallet.balance_max_minor,
    previous_sequence: wallet.head_sequence,
  };
  for (const [column, expected] of Object.entries(after)) {
    const actual = row[column as keyof typeof after];
    if (actual !== expected) wrong(`has ${column} ${actual}, recomputed ${expected}`);
  }
  wallet.version += 1n;
  wallet.head_sequence = row.sequence;
  wallet.update_time_ms = row.time_ms;
}

function move(wallet: WalletRow, amountMinor: bigint): void {
  wallet.available_minor -= amountMinor;
  wallet.held_minor += amountMinor;
}

function applyToHold({ holds }: Recounted, kind: (typeof kinds)[number], row: JournalRow, wrong: Wrong): void {
  const { hold_id: id, hold_status_after: status, hold_captured_after_minor: captured, hold_eligible_time_ms: eligible } = row;
  if (kind === "INIT" || kind === "ADD") {
    if ((id ?? status ?? captured ?? eligible) !== null) wrong("changes a hold and is neither a hold nor the end of one");
    return;
  }
  if (id === null || status === null || captured === null || eligible === null) return wrong("does not say which hold it changes to what");
  if (captured !== 0n) wrong(`captures ${captured}, which nothing here does`);
  if (kind === "HOLD") {
    if (id !== row.operation_id) wrong(`places hold ${id}, whose id is not the operation's`);
    if (status !== holdStatus.active) wrong(`places a hold in status ${status}`);
    if (eligible < row.time_ms) wrong("places a hold that was eligible before it was there");
    const placed = { hold_id: id, wallet_id: row.wallet_id, amount_minor: row.amount_minor, captured_minor: 0n, status: holdStatus.active };
    holds.set(id, { ...placed, create_time_ms: row.time_ms, eligible_time_ms: eligible, resolve_time_ms: null });
    return;
  }
  const hold = holds.get(id);
  if (hold === undefined) return wrong(`resolves hold ${id}, which was never placed`);
  if (hold.wallet_id !== row.wallet_id) wrong(`resolves hold ${id} of another wallet`);
  if (hold.status !== holdStatus.active) wrong(`resolves hold ${id} a second time`);
  if (hold.amount_minor !== row.amount_minor) wrong(`gives back ${row.amount_minor} of hold ${id}, of which ${hold.amount_minor} remained`);
  if (hold.eligible_time_ms !== eligible) wrong(`changes the eligible time of hold ${id}`);
  if (kind === "RELEASE" && row.time_ms < hold.eligible_time_ms) wrong(`releases hold ${id} before it was eligible`);
  const expected = kind === "RELEASE" ? holdStatus.released : holdStatus.reversed;
  if (status !== expected) wrong(`leaves hold ${id} in status ${status}`);
  hold.status = expected;
  hold.resolve_time_ms = row.time_ms;
}

function count({ currencies }: Recounted, countersOf: Map<bigint, Counters>, wallet: WalletRow, kind: (typeof kinds)[number], amountMinor: bigint): void {
  const currency = `${wallet.currency}:${wallet.exponent}`;
  const own = countersOf.get(wallet.wallet_id) ?? new Counters();
  const all = currencies.get(currency) ?? new Counters();
  own.add(kind, amountMinor);
  all.add(kind, amountMinor);
  countersOf.set(wallet.wallet_id, own);
  currencies.set(currency, all);
}

/** An operation of another partition cannot be looked up here; one of this partition is known by its number alone. */
function isEarlier(operationId: bigint, row: JournalRow): boolean {
  const partition = operationId >> 48n;
  return operationId > 0n && (partition !== row.partition || operationId < row.operation_id);
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
