// What a partition's journal says when everything is computed from it once more: balances, holds, counters, keys. Knows nothing of src/.

import { sealOf, type JournalRow } from "./canonical-bytes.ts";
import { Counters, type CounterName } from "./recount-counters.ts";
import { applyToHold, holdStatus, type HoldRow } from "./recount-holds.ts";

/** By their stored numbers, from 1. */
const kinds = ["INIT", "ADD", "HOLD", "RELEASE", "REVERSE", "CAPTURE", "WITHDRAW", "TRANSFER", "EXTEND", "FREEZE", "UNFREEZE", "CLOSE", "SET_LIMITS"] as const;
export type Kind = (typeof kinds)[number];
export type Wrong = (sentence: string) => void;

/** Whose record it is, of an operation between two partitions. */
const side = { payer: 1n, receiver: 2n } as const;
const walletState = { active: 1n, frozen: 2n, closed: 3n } as const;
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
  last_hold_id: bigint;
  update_time_ms: bigint;
  /** Counters in their stored form, as hex. */
  totals: string;
}

/** The last operation under a key. */
export interface KeyUse {
  readonly sequence: bigint;
  readonly timeMs: bigint;
}

/** All wallets of one currency that were opened with the same exponent. */
export interface CurrencyBooks {
  readonly currency: string;
  readonly exponent: bigint;
  readonly counters: Counters;
  /** What came into the ledger, less what left it, in minor units. */
  cameInMinor: bigint;
}

export interface Recounted {
  readonly head: { sequence: bigint; hash: Uint8Array; time_ms: bigint };
  readonly wallets: Map<bigint, WalletRow>;
  readonly holds: Map<bigint, HoldRow>;
  /** By `currency:exponent`, of all that have a wallet. */
  readonly currencies: Map<string, CurrencyBooks>;
  /** By the key's hash in hex. */
  readonly keys: Map<string, KeyUse>;
}

interface Journaled extends Recounted {
  readonly countersOf: Map<bigint, Counters>;
}

/** Replays the records of one partition in the order of their sequences and tells `problem` what cannot be. */
export function recount(partition: bigint, createTimeMs: bigint, records: Iterable<JournalRow>, problem: (sentence: string) => void): Recounted {
  const books: Journaled = {
    head: { sequence: 0n, hash: new Uint8Array(32), time_ms: createTimeMs },
    wallets: new Map(),
    holds: new Map(),
    currencies: new Map(),
    keys: new Map(),
    countersOf: new Map(),
  };
  for (const row of records) {
    const wrong = (sentence: string): void => problem(`journal ${partition}/${row.sequence}: ${sentence}`);
    checkPlace(partition, books, row, wrong);
    const kind = kinds[Number(row.kind) - 1];
    if (kind === undefined) wrong(`has kind ${row.kind}, which means nothing`);
    else {
      if (kind === "INIT") open(books, row, wrong);
      const wallet = books.wallets.get(row.wallet_id);
      if (row.side === side.receiver) receiveApart(books, kind, row, wrong);
      else if (wallet === undefined) wrong(`is about wallet ${row.wallet_id}, which was never opened`);
      else apply(books, wallet, kind, row, wrong);
    }
    if (row.key_hash !== null) {
      if (row.key_hash.length !== 16) wrong("has a key hash that is not 16 bytes");
      books.keys.set(hexOf(row.key_hash), { sequence: row.sequence, timeMs: row.time_ms });
    }
    Object.assign(books.head, { sequence: row.sequence, hash: row.hash, time_ms: row.time_ms });
  }
  for (const [walletId, counters] of books.countersOf) books.wallets.get(walletId)!.totals = counters.hex;
  return books;
}

function checkPlace(partition: bigint, { head }: Recounted, row: JournalRow, wrong: Wrong): void {
  if (row.sequence !== head.sequence + 1n) wrong(`follows ${head.sequence}: something between them is missing`);
  const isBornHere = row.operation_id >> 48n === partition;
  if (row.side === side.receiver ? isBornHere : row.operation_id !== (partition << 48n) + row.sequence) wrong(`has id ${row.operation_id}`);
  if (row.time_ms < head.time_ms) wrong(`is at ${row.time_ms}, before its predecessor's ${head.time_ms}`);
  if (hexOf(sealOf(head.hash, row)) !== hexOf(row.hash)) wrong("does not have the hash of its content and its predecessor");
}

function open({ wallets, currencies }: Journaled, row: JournalRow, wrong: Wrong): void {
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
    state: walletState.active,
    version: 0n,
    balance_max_minor: null,
    head_sequence: 0n,
    last_hold_id: 0n,
    update_time_ms: row.time_ms,
    totals: "",
  });
  const name = `${currency}:${exponent}`;
  if (!currencies.has(name)) currencies.set(name, { currency, exponent, counters: new Counters(), cameInMinor: 0n });
}

function apply(books: Journaled, wallet: WalletRow, kind: Kind, row: JournalRow, wrong: Wrong): void {
  checkForm(kind, row, wrong);
  if (wallet.state === walletState.closed) wrong("follows the wallet's closing");
  if (wallet.state === walletState.frozen && cannotBeFrozen.has(kind)) wrong("is done with a frozen wallet");
  const hold = applyToHold(books.holds, wallet, kind, row, wrong);
  moveMoney(books, wallet, kind, row, hold);
  if (kind === "INIT" || kind === "SET_LIMITS") setLimit(wallet, row.balance_max_after_minor, wrong);
  wallet.state = stateAfter[kind] ?? wallet.state;
  if (kind === "CLOSE" && wallet.available_minor + wallet.held_minor !== 0n) wrong("closes a wallet that is not empty");
  checkBalances(wallet, kind === "ADD", "the wallet", wrong);
  takePlace(wallet, row, "", wrong);

  if (row.side === side.payer && row.receiver_wallet_id === null) wrong("pays into another partition and says into no wallet");
  if (row.receiver_wallet_id === null || row.side === side.payer) return;
  const receiver = books.wallets.get(row.receiver_wallet_id);
  if (receiver === undefined) return wrong(`pays wallet ${row.receiver_wallet_id}, which was never opened`);
  receive(books, receiver, { payer: wallet, row, wrong });
}

const cannotBeFrozen: ReadonlySet<Kind> = new Set(["HOLD", "CAPTURE", "WITHDRAW", "TRANSFER", "FREEZE"]);
const stateAfter: Partial<Record<Kind, bigint>> = { FREEZE: walletState.frozen, UNFREEZE: walletState.active, CLOSE: walletState.closed };
const movesNothing: ReadonlySet<Kind> = new Set(["INIT", "EXTEND", "FREEZE", "UNFREEZE", "CLOSE", "SET_LIMITS"]);

/** Which columns a record of this kind fills. */
function checkForm(kind: Kind, row: JournalRow, wrong: Wrong): void {
  if (kind !== "INIT" && (row.opened_user_id ?? row.opened_currency ?? row.opened_exponent) !== null) wrong("opens a wallet and is no opening");
  if (kind !== "ADD" && row.related_operation_id !== null) wrong("is related to another operation and is no addition");
  if (movesNothing.has(kind) ? row.amount_minor !== 0n : row.amount_minor <= 0n) wrong(`moves ${row.amount_minor}`);
  if (kind === "RELEASE" && (row.key_hash ?? row.reference ?? row.metadata) !== null) wrong("is a release, which no request names");
  if (row.related_operation_id !== null && !isEarlier(row.related_operation_id, row)) wrong(`is related to operation ${row.related_operation_id}, which was not there`);
  const receiver = [row.receiver_wallet_id, row.receiver_amount_minor, row.receiver_available_after_minor, row.receiver_held_after_minor];
  receiver.push(row.receiver_state_after, row.receiver_version_after, row.receiver_previous_sequence);
  const said = receiver.filter((value) => value !== null).length + (row.receiver_balance_max_after_minor === null ? 0 : 1);
  if (row.receiver_wallet_id === null ? said > 0 : receiver.includes(null)) wrong("says half of what happens to a receiver");
  if (kind === "TRANSFER" && row.receiver_wallet_id === null) wrong("transfers to nobody");
  if (kind !== "TRANSFER" && kind !== "CAPTURE" && row.receiver_wallet_id !== null) wrong("has a receiver and pays nobody");
}

function moveMoney(books: Journaled, wallet: WalletRow, kind: Kind, { amount_minor: amount, receiver_wallet_id: receiverId }: JournalRow, hold: HoldRow | undefined): void {
  switch (kind) {
    case "ADD":
      wallet.available_minor += amount;
      cameIn(books, wallet, amount);
      return count(books, wallet, "adds", amount);
    case "HOLD":
      reserve(wallet, amount);
      return count(books, wallet, "holds", amount);
    case "RELEASE":
      reserve(wallet, -amount);
      return count(books, wallet, "releases", amount);
    case "REVERSE":
      reserve(wallet, -amount);
      return count(books, wallet, "reversals", amount);
    case "CAPTURE":
      wallet.held_minor -= amount;
      if (receiverId === null) cameIn(books, wallet, -amount);
      count(books, wallet, "captures", amount);
      return hold?.status === holdStatus.captured ? endCaptured(books, wallet, hold) : undefined;
    case "WITHDRAW":
      wallet.available_minor -= amount;
      cameIn(books, wallet, -amount);
      return count(books, wallet, "withdrawals", amount);
    case "TRANSFER":
      wallet.available_minor -= amount;
      return count(books, wallet, "transfers out", amount);
    default:
  }
}

/** What was not captured of a hold that a capture ended is available again. */
function endCaptured(books: Journaled, wallet: WalletRow, hold: HoldRow): void {
  const rest = hold.amount_minor - hold.captured_minor;
  reserve(wallet, -rest);
  count(books, wallet, "captured holds", hold.captured_minor);
  if (rest !== 0n) count(books, wallet, "capture returns", rest);
}

function reserve(wallet: WalletRow, amountMinor: bigint): void {
  wallet.available_minor -= amountMinor;
  wallet.held_minor += amountMinor;
}

/** The receiver's record of an operation whose payer is in another partition: there is everything that is the payer's. */
function receiveApart(books: Journaled, kind: Kind, row: JournalRow, wrong: Wrong): void {
  const receiver = books.wallets.get(row.receiver_wallet_id ?? 0n);
  if (receiver === undefined) return wrong(`pays wallet ${row.receiver_wallet_id}, which was never opened`);
  checkForm(kind, row, wrong);
  if ((row.hold_id ?? row.hold_status_after ?? row.hold_captured_after_minor ?? row.hold_eligible_time_ms ?? row.key_hash) !== null) wrong("tells the receiver of the payer's hold or key");
  receive(books, receiver, { payer: { wallet_id: row.wallet_id, currency: receiver.currency, exponent: row.other_exponent ?? 0n }, row, wrong });
}

function receive(books: Journaled, receiver: WalletRow, { payer, row, wrong }: { payer: Pick<WalletRow, "wallet_id" | "currency" | "exponent">; row: JournalRow; wrong: Wrong }): void {
  const incoming = row.receiver_amount_minor ?? 0n;
  if (receiver.wallet_id === payer.wallet_id) wrong("pays the wallet that pays");
  if (receiver.currency !== payer.currency) wrong(`pays ${payer.currency} into a wallet of ${receiver.currency}`);
  if (row.amount_minor * 10n ** receiver.exponent !== incoming * 10n ** payer.exponent) wrong(`takes ${row.amount_minor} and gives ${incoming}`);
  if (receiver.state === walletState.closed) wrong("follows the receiver's closing");
  receiver.available_minor += incoming;
  count(books, receiver, "transfers in", incoming);
  checkBalances(receiver, true, "the receiver", wrong);
  takePlace(receiver, row, "receiver_", wrong);
}

function setLimit(wallet: WalletRow, maximumMinor: bigint | null, wrong: Wrong): void {
  if (maximumMinor !== null && maximumMinor < 0n) wrong(`limits the wallet to ${maximumMinor}`);
  wallet.balance_max_minor = maximumMinor;
}

function checkBalances({ available_minor: available, held_minor: held, balance_max_minor: maximum }: WalletRow, isPaidIn: boolean, whose: string, wrong: Wrong): void {
  if (available < 0n || held < 0n) wrong(`leaves ${whose} with ${available} available and ${held} held`);
  if (available + held > int64Max) wrong(`leaves ${whose} with more than 64 bits hold`);
  if (isPaidIn && maximum !== null && available + held > maximum) wrong(`takes ${whose} beyond its limit`);
}

/** The record says of the wallet what was recomputed, and is the next one in the wallet's history. */
function takePlace(wallet: WalletRow, row: JournalRow, prefix: "" | "receiver_", wrong: Wrong): void {
  const after = {
    available_after_minor: wallet.available_minor,
    held_after_minor: wallet.held_minor,
    state_after: wallet.state,
    version_after: wallet.version + 1n,
    balance_max_after_minor: wallet.balance_max_minor,
    previous_sequence: wallet.head_sequence,
  };
  for (const [column, expected] of Object.entries(after)) {
    const actual = row[`${prefix}${column as keyof typeof after}`];
    if (actual !== expected) wrong(`has ${prefix}${column} ${actual}, recomputed ${expected}`);
  }
  wallet.version += 1n;
  wallet.head_sequence = row.sequence;
  wallet.update_time_ms = row.time_ms;
}

function count({ countersOf, currencies }: Journaled, wallet: WalletRow, name: CounterName, amountMinor: bigint): void {
  const own = countersOf.get(wallet.wallet_id) ?? new Counters();
  own.add(name, amountMinor);
  countersOf.set(wallet.wallet_id, own);
  currencies.get(`${wallet.currency}:${wallet.exponent}`)!.counters.add(name, amountMinor);
}

function cameIn({ currencies }: Journaled, wallet: WalletRow, amountMinor: bigint): void {
  currencies.get(`${wallet.currency}:${wallet.exponent}`)!.cameInMinor += amountMinor;
}

/** An operation of another partition cannot be looked up here; one of this partition is known by its number alone. */
function isEarlier(operationId: bigint, row: JournalRow): boolean {
  const partition = operationId >> 48n;
  return operationId > 0n && (partition !== row.partition || operationId < row.operation_id);
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
