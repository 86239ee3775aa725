// What each verb does in the model: its checks in the documented order, then what it changes.

import type { OperationKind } from "../../src/domain/journal.ts";
import type { AskedOfWallet } from "../support/asked.ts";
import { amountIn, fact, int64Max } from "./naive-amounts.ts";
import { idAt, no, partitionOf, type NaiveHold, type NaiveRules, type NaiveWallet, type SeenOperation, type SeenPart, type State } from "./naive-state.ts";

/** A request's turn: the ledger as it is then, and the time on its clock. */
export interface Turn {
  readonly state: State;
  readonly rules: NaiveRules;
  readonly nowMs: number;
}

type AskedTo<Verb> = Extract<AskedOfWallet, { type: Verb }>;
type Said = Pick<AskedOfWallet, "reference" | "metadata">;

/** Does what is asked. Throws No where that cannot be. */
export function act(turn: Turn, asked: AskedOfWallet): SeenOperation {
  switch (asked.type) {
    case "init":
      return init(turn, asked);
    case "add":
      return add(turn, asked);
    case "hold":
      return hold(turn, asked);
    case "reverse": {
      const own = ownHold(turn, asked);
      expectActive(own);
      return giveBack(turn, own, "REVERSE", asked);
    }
    case "capture":
      return capture(turn, asked);
    case "extend":
      return extend(turn, asked);
    case "withdraw": {
      const { wallet, amount } = spendable(turn, asked);
      wallet.available -= amount;
      return record(turn, { kind: "WITHDRAW", wallet, amount }, asked);
    }
    case "transfer": {
      if (asked.to === asked.user) no({ reason: "SAME_WALLET", userId: asked.user });
      const { wallet, amount } = spendable(turn, asked);
      const receiver = receiverOf(turn, wallet, asked.to, amount);
      wallet.available -= amount;
      receiver.available += amount;
      return record(turn, { kind: "TRANSFER", wallet, amount, receiver }, asked);
    }
    case "freeze":
    case "unfreeze":
    case "close":
      return changeState(turn, asked);
    case "limit": {
      const wallet = walletOf(turn, asked);
      const balanceMax = asked.balanceMax === undefined ? undefined : amountIn(wallet, asked.balanceMax, "balance_max");
      expectVersion(asked, wallet.version);
      expectOpen(wallet);
      wallet.balanceMax = balanceMax;
      return record(turn, { kind: "SET_LIMITS", wallet, amount: 0n }, asked);
    }
    default:
      return asked satisfies never;
  }
}

function init(turn: Turn, asked: AskedTo<"init">): SeenOperation {
  const { user, currency } = asked;
  if (turn.state.wallets.some((wallet) => wallet.user === user && wallet.currency === currency)) no({ reason: "WALLET_EXISTS", userId: user, currency });
  const exponent = turn.rules.exponents[currency] ?? no({ reason: "UNKNOWN_CURRENCY", currency });
  expectVersion(asked, 0n);
  const balanceMax = asked.balanceMax === undefined ? undefined : amountIn({ currency, exponent }, asked.balanceMax, "balance_max");
  const wallet: NaiveWallet = {
    walletId: nextId(turn, user),
    user,
    currency,
    exponent,
    createTimeMs: turn.nowMs,
    balanceMax,
    state: "ACTIVE",
    available: 0n,
    held: 0n,
    version: 0n,
    lastSequence: 0n,
    updateTimeMs: turn.nowMs,
  };
  turn.state.wallets.push(wallet);
  return record(turn, { kind: "INIT", wallet, amount: 0n }, asked);
}

function add(turn: Turn, asked: AskedTo<"add">): SeenOperation {
  const { wallet, amount } = walletAndAmount(turn, asked);
  const { related } = asked;
  if (related !== undefined && !turn.state.operations.some(({ operationId }) => operationId === related)) no({ reason: "OPERATION_NOT_FOUND", operationId: related });
  expectOpen(wallet);
  const total = wallet.available + wallet.held;
  const maximum = wallet.balanceMax ?? int64Max;
  if (total + amount > maximum) no({ reason: "BALANCE_LIMIT_EXCEEDED", total: fact(wallet, total), requested: fact(wallet, amount), maximum: fact(wallet, maximum) });
  wallet.available += amount;
  return record(turn, { kind: "ADD", wallet, amount, related }, asked);
}

function hold(turn: Turn, asked: AskedTo<"hold">): SeenOperation {
  const { wallet, amount } = spendable(turn, asked);
  wallet.available -= amount;
  wallet.held += amount;
  const placed: NaiveHold = {
    holdId: nextId(turn, wallet.user),
    wallet,
    amount,
    captured: 0n,
    status: "ACTIVE",
    resolveTimeMs: undefined,
    createTimeMs: turn.nowMs,
    eligibleTimeMs: turn.nowMs + (asked.periodMs ?? turn.rules.holdPeriodMs),
  };
  turn.state.holds.push(placed);
  return record(turn, { kind: "HOLD", wallet, amount, hold: placed }, asked);
}

function capture(turn: Turn, asked: AskedTo<"capture">): SeenOperation {
  const { user, holdId, to, final = false } = asked;
  if (to === user) no({ reason: "SAME_WALLET", userId: user });
  const own = ownHold(turn, asked);
  const { wallet } = own;
  const amount = amountIn(wallet, asked.amount, "amount");
  expectActive(own);
  expectNotFrozen(wallet);
  const remaining = own.amount - own.captured;
  if (amount > remaining) no({ reason: "CAPTURE_EXCEEDS_HOLD", holdId, remaining: fact(wallet, remaining), requested: fact(wallet, amount) });
  const receiver = to === undefined ? undefined : receiverOf(turn, wallet, to, amount);
  wallet.held -= amount;
  own.captured += amount;
  if (receiver !== undefined) receiver.available += amount;
  if (final || amount === remaining) {
    wallet.held -= remaining - amount;
    wallet.available += remaining - amount;
    own.status = "CAPTURED";
    own.resolveTimeMs = turn.nowMs;
  }
  return record(turn, { kind: "CAPTURE", wallet, amount, hold: own, receiver }, asked);
}

function extend(turn: Turn, asked: AskedTo<"extend">): SeenOperation {
  const own = ownHold(turn, asked);
  expectActive(own);
  const holdPeriodMs = own.eligibleTimeMs - own.createTimeMs;
  if (asked.periodMs <= holdPeriodMs) no({ reason: "HOLD_PERIOD_SHORTENED", holdId: own.holdId, holdPeriodMs, requestedMs: asked.periodMs });
  own.eligibleTimeMs = own.createTimeMs + asked.periodMs;
  return record(turn, { kind: "EXTEND", wallet: own.wallet, amount: 0n, hold: own }, asked);
}

function changeState(turn: Turn, asked: AskedTo<"freeze" | "unfreeze" | "close">): SeenOperation {
  const wallet = walletOf(turn, asked);
  expectVersion(asked, wallet.version);
  expectOpen(wallet);
  if (asked.type === "freeze") expectNotFrozen(wallet);
  if (asked.type === "close" && wallet.available + wallet.held > 0n) {
    no({ reason: "WALLET_NOT_EMPTY", available: fact(wallet, wallet.available), held: fact(wallet, wallet.held) });
  }
  const [kind, state] = ({ freeze: ["FREEZE", "FROZEN"], unfreeze: ["UNFREEZE", "ACTIVE"], close: ["CLOSE", "CLOSED"] } as const)[asked.type];
  wallet.state = state;
  return record(turn, { kind, wallet, amount: 0n }, asked);
}

/** What remains of the hold goes back to where it came from. */
export function giveBack(turn: Turn, held: NaiveHold, kind: "RELEASE" | "REVERSE", said: Said): SeenOperation {
  const { wallet } = held;
  const amount = held.amount - held.captured;
  wallet.held -= amount;
  wallet.available += amount;
  held.status = kind === "RELEASE" ? "RELEASED" : "REVERSED";
  held.resolveTimeMs = turn.nowMs;
  return record(turn, { kind, wallet, amount, hold: held }, said);
}

interface Done {
  readonly kind: OperationKind;
  readonly wallet: NaiveWallet;
  readonly amount: bigint;
  readonly receiver?: NaiveWallet | undefined;
  readonly hold?: NaiveHold;
  readonly related?: bigint | undefined;
}

/** Writes down what has been done. */
function record(turn: Turn, { kind, wallet, amount, receiver, hold: its, related }: Done, { reference = "", metadata = {} }: Said): SeenOperation {
  const { state, nowMs } = turn;
  const operation: SeenOperation = {
    operationId: nextId(turn, wallet.user),
    kind,
    timeMs: nowMs,
    related,
    reference,
    metadata,
    ...partOf(turn, wallet, amount),
    receiver: receiver && partOf(turn, receiver, amount),
    hold: its && { holdId: its.holdId, amount: its.amount, captured: its.captured, status: its.status, createTimeMs: its.createTimeMs, eligibleTimeMs: its.eligibleTimeMs },
  };
  // Where the receiver is in another partition, its journal has the operation too.
  for (const partition of new Set([wallet, receiver ?? wallet].map(({ user }) => partitionOf(state, user)))) {
    state.partitions[partition] = { length: state.partitions[partition]!.length + 1n, lastChangeMs: nowMs };
  }
  state.operations.push(operation);
  return operation;
}

function partOf(turn: Turn, wallet: NaiveWallet, amount: bigint): SeenPart {
  const previousSequence = wallet.lastSequence;
  wallet.version += 1n;
  wallet.lastSequence = lengthOf(turn, wallet.user) + 1n;
  wallet.updateTimeMs = turn.nowMs;
  const { walletId, user, currency, exponent, available, held, state, version, balanceMax } = wallet;
  return { previousSequence, amount, wallet: { walletId, user, currency, exponent }, after: { available, held, state, version, balanceMax } };
}

function nextId(turn: Turn, user: string): bigint {
  return idAt(turn.state, user, lengthOf(turn, user) + 1n);
}

/** How long the journal of this user's partition is. */
function lengthOf({ state }: Turn, user: string): bigint {
  return state.partitions[partitionOf(state, user)]!.length;
}

function walletOf({ state, rules }: Turn, { user, currency }: { user: string; currency?: string | undefined }): NaiveWallet {
  const own = state.wallets.filter((wallet) => wallet.user === user);
  if (currency === undefined) {
    if (own.length > 1) no({ reason: "CURRENCY_REQUIRED", userId: user, currencies: own.map((wallet) => wallet.currency).toSorted() });
    return own[0] ?? no({ reason: "WALLET_NOT_FOUND", userId: user });
  }
  const wallet = own.find((each) => each.currency === currency);
  if (wallet === undefined && !(currency in rules.exponents)) no({ reason: "UNKNOWN_CURRENCY", currency });
  return wallet ?? no({ reason: "WALLET_NOT_FOUND", userId: user, currency });
}

function walletAndAmount(turn: Turn, asked: AskedTo<"add" | "hold" | "withdraw" | "transfer">): { wallet: NaiveWallet; amount: bigint } {
  const wallet = walletOf(turn, asked);
  const amount = amountIn(wallet, asked.amount, "amount");
  expectVersion(asked, wallet.version);
  return { wallet, amount };
}

/** The wallet and the amount of a request for which this much must be available and free to go. */
function spendable(turn: Turn, asked: AskedTo<"hold" | "withdraw" | "transfer">): { wallet: NaiveWallet; amount: bigint } {
  const { wallet, amount } = walletAndAmount(turn, asked);
  expectNotFrozen(wallet);
  expectOpen(wallet);
  if (amount > wallet.available) no({ reason: "INSUFFICIENT_FUNDS", available: fact(wallet, wallet.available), requested: fact(wallet, amount) });
  return { wallet, amount };
}

/** The wallet that this user's money in the payer's currency goes to. Frozen ones still take money in. */
function receiverOf({ state }: Turn, payer: NaiveWallet, user: string, amount: bigint): NaiveWallet {
  const { currency } = payer;
  const wallet = state.wallets.find((each) => each.user === user && each.currency === currency) ?? no({ reason: "WALLET_NOT_FOUND", userId: user, currency });
  expectOpen(wallet);
  if (wallet.available + wallet.held + amount > (wallet.balanceMax ?? int64Max)) no({ reason: "BALANCE_LIMIT_EXCEEDED", toUserId: user, requested: fact(wallet, amount) });
  return wallet;
}

function ownHold({ state }: Turn, asked: AskedTo<"reverse" | "capture" | "extend">): NaiveHold {
  const { user, holdId } = asked;
  const own = state.holds.find((each) => each.holdId === holdId && each.wallet.user === user) ?? no({ reason: "HOLD_NOT_FOUND", userId: user, holdId });
  expectVersion(asked, own.wallet.version);
  return own;
}

function expectVersion({ expectedVersion }: { expectedVersion?: bigint | undefined }, actualVersion: bigint): void {
  if (expectedVersion !== undefined && expectedVersion !== actualVersion) no({ reason: "VERSION_MISMATCH", expectedVersion, actualVersion });
}

function expectActive({ holdId, status }: NaiveHold): void {
  if (status !== "ACTIVE") no({ reason: "HOLD_NOT_ACTIVE", holdId, status });
}

function expectOpen({ state, user, currency }: NaiveWallet): void {
  if (state === "CLOSED") no({ reason: "WALLET_CLOSED", userId: user, currency });
}

function expectNotFrozen({ state, user, currency }: NaiveWallet): void {
  if (state === "FROZEN") no({ reason: "WALLET_FROZEN", userId: user, currency });
}
