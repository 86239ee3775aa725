// The contract told a second time, as simply as it can be: one user of memory, no speed, no sharing of code with the domain.
//
// Whatever the whole service answers must be what this answers. Where the contract leaves open which of several things that are wrong with a
// request is named, the order is that of the domain's documentation.

import type { HoldStatus } from "../../src/domain/hold.ts";
import type { OperationKind } from "../../src/domain/journal.ts";
import type { Rejection } from "../../src/domain/rejection.ts";
import type { Asked, AskedOfWallet, AskedRelease } from "../support/asked.ts";

export interface NaiveRules {
  /** Decimals of the currencies that there are. */
  readonly exponents: Readonly<Record<string, number>>;
  readonly holdPeriodMs: number;
  readonly idempotencyRetentionMs: number;
}

export interface NaiveWallet {
  readonly walletId: bigint;
  readonly user: string;
  readonly currency: string;
  readonly exponent: number;
  readonly createTimeMs: number;
  readonly balanceMax: bigint | undefined;
  available: bigint;
  held: bigint;
  version: bigint;
  lastOperationId: bigint;
  updateTimeMs: number;
}

export interface NaiveHold {
  readonly holdId: bigint;
  readonly wallet: NaiveWallet;
  readonly amount: bigint;
  readonly createTimeMs: number;
  readonly eligibleTimeMs: number;
  status: HoldStatus;
  resolveTimeMs: number | undefined;
}

/** An operation, the wallet and the hold directly after it, and what the request said. */
export interface SeenOperation {
  readonly operationId: bigint;
  readonly previousOperationId: bigint;
  readonly kind: OperationKind;
  readonly timeMs: number;
  readonly amount: bigint;
  readonly wallet: { readonly walletId: bigint; readonly user: string; readonly currency: string; readonly exponent: number; readonly createTimeMs: number };
  readonly after: { readonly available: bigint; readonly held: bigint; readonly state: string; readonly version: bigint; readonly balanceMax: bigint | undefined };
  readonly hold: { readonly holdId: bigint; readonly amount: bigint; readonly captured: bigint; readonly status: HoldStatus; readonly createTimeMs: number; readonly eligibleTimeMs: number } | undefined;
  readonly related: bigint | undefined;
  readonly reference: string;
  readonly metadata: Readonly<Record<string, string>>;
}

export type Seen =
  | { readonly type: "applied"; readonly replayed: boolean; readonly operation: SeenOperation }
  | { readonly type: "rejected"; readonly replayed: boolean; readonly rejection: Rejection }
  | { readonly type: "released"; readonly count: number; readonly amounts: readonly (readonly [currency: string, amount: bigint])[]; readonly moreRemain: boolean };

/** Number and amount of operations of one kind in one currency. */
export interface Counted {
  readonly count: number;
  readonly amount: bigint;
}

interface Remembered {
  readonly user: string;
  readonly key: string;
  readonly request: string;
  readonly timeMs: number;
  readonly answer: Exclude<Seen, { type: "released" }>;
}

/** Everything that there is; plain data, so that it can be put back. */
interface State {
  wallets: NaiveWallet[];
  holds: NaiveHold[];
  operations: SeenOperation[];
  keys: Map<string, Remembered>;
  lastChangeMs: number;
}

const int64Max = 9_223_372_036_854_775_807n;
const forgottenReasons = ["AMOUNT_TOO_PRECISE", "AMOUNT_OUT_OF_RANGE", "UNKNOWN_CURRENCY", "CURRENCY_REQUIRED", "IDEMPOTENCY_KEY_REUSED", "VERSION_MISMATCH"];

/** Thrown inside, so that every check is one line. */
class No {
  readonly rejection: Rejection;
  constructor(rejection: Rejection) {
    this.rejection = rejection;
  }
}

export class NaiveLedger {
  readonly #rules: NaiveRules;
  #state: State;
  #now: number;

  constructor(rules: NaiveRules, createTimeMs: number) {
    this.#rules = rules;
    this.#now = createTimeMs;
    this.#state = { wallets: [], holds: [], operations: [], keys: new Map(), lastChangeMs: createTimeMs };
  }

  get wallets(): readonly NaiveWallet[] {
    return this.#state.wallets;
  }

  get holds(): readonly NaiveHold[] {
    return this.#state.holds;
  }

  get operations(): readonly SeenOperation[] {
    return this.#state.operations;
  }

  /** Keys that have not run out at this time of the machine's clock. */
  keysAt(machineTimeMs: number): readonly Remembered[] {
    return [...this.#state.keys.values()].filter((key) => this.clock(machineTimeMs) - key.timeMs < this.#rules.idempotencyRetentionMs);
  }

  /** The ledger's clock. */
  clock(machineTimeMs: number): number {
    return Math.max(machineTimeMs, this.#state.lastChangeMs);
  }

  /** All requests of a batch, at one time of the machine's clock. */
  execute(batch: readonly Asked[], machineTimeMs: number): Seen[] {
    this.#now = this.clock(machineTimeMs);
    return batch.map((asked) => (asked.type === "release" ? this.#release(asked) : this.#once(asked)));
  }

  /** Operations of one kind by currency, of one user or of all. */
  report(kind: OperationKind, user?: string): Map<string, Counted> {
    const report = new Map<string, Counted>();
    for (const operation of this.operations) {
      if (operation.kind !== kind || (user !== undefined && operation.wallet.user !== user)) continue;
      const { count, amount } = report.get(operation.wallet.currency) ?? { count: 0, amount: 0n };
      report.set(operation.wallet.currency, { count: count + 1, amount: amount + operation.amount });
    }
    return report;
  }

  #once(asked: AskedOfWallet): Seen {
    const key = asked.key === undefined ? undefined : `${asked.user} ${asked.key}`;
    const known = key === undefined ? undefined : this.#state.keys.get(key);
    if (known !== undefined && this.#now - known.timeMs < this.#rules.idempotencyRetentionMs) {
      if (known.request === requestOf(asked)) return { ...known.answer, replayed: true };
      return { type: "rejected", replayed: false, rejection: { reason: "IDEMPOTENCY_KEY_REUSED", idempotencyKey: asked.key! } };
    }
    const before = asked.validateOnly ? structuredClone(this.#state) : undefined;
    const answer = this.#answer(asked);
    if (before !== undefined) this.#state = before;
    else if (key !== undefined && (answer.type === "applied" || !forgottenReasons.includes(answer.rejection.reason))) {
      this.#state.keys.set(key, { user: asked.user, key: asked.key!, request: requestOf(asked), timeMs: this.#now, answer });
      this.#state.lastChangeMs = this.#now;
    }
    return answer;
  }

  #answer(asked: AskedOfWallet): Exclude<Seen, { type: "released" }> {
    try {
      return { type: "applied", replayed: false, operation: this.#act(asked) };
    } catch (thrown) {
      if (thrown instanceof No) return { type: "rejected", replayed: false, rejection: thrown.rejection };
      throw thrown;
    }
  }

  #act(asked: AskedOfWallet): SeenOperation {
    switch (asked.type) {
      case "init":
        return this.#init(asked);
      case "add": {
        const wallet = this.#walletOf(asked);
        const amount = amountIn(wallet, asked.amount, "amount");
        expectVersion(asked, wallet.version);
        if (asked.related !== undefined && !this.operations.some(({ operationId }) => operationId === asked.related)) {
          throw new No({ reason: "OPERATION_NOT_FOUND", operationId: asked.related });
        }
        const total = wallet.available + wallet.held;
        const maximum = wallet.balanceMax ?? int64Max;
        if (total + amount > maximum) {
          throw new No({ reason: "BALANCE_LIMIT_EXCEEDED", total: fact(wallet, total), requested: fact(wallet, amount), maximum: fact(wallet, maximum) });
        }
        wallet.available += amount;
        return this.#record("ADD", wallet, amount, undefined, asked, asked.related);
      }
      case "hold": {
        const wallet = this.#walletOf(asked);
        const amount = amountIn(wallet, asked.amount, "amount");
        expectVersion(asked, wallet.version);
        if (amount > wallet.available) throw new No({ reason: "INSUFFICIENT_FUNDS", available: fact(wallet, wallet.available), requested: fact(wallet, amount) });
        wallet.available -= amount;
        wallet.held += amount;
        const eligibleTimeMs = this.#now + (asked.periodMs ?? this.#rules.holdPeriodMs);
        const hold: NaiveHold = { holdId: this.#nextId, wallet, amount, createTimeMs: this.#now, eligibleTimeMs, status: "ACTIVE", resolveTimeMs: undefined };
        this.#state.holds.push(hold);
        return this.#record("HOLD", wallet, amount, hold, asked);
      }
      case "reverse": {
        const hold = this.holds.find(({ holdId, wallet }) => holdId === asked.holdId && wallet.user === asked.user);
        if (hold === undefined) throw new No({ reason: "HOLD_NOT_FOUND", userId: asked.user, holdId: asked.holdId });
        expectVersion(asked, hold.wallet.version);
        if (hold.status !== "ACTIVE") throw new No({ reason: "HOLD_NOT_ACTIVE", holdId: asked.holdId, status: hold.status });
        return this.#giveBack(hold, "REVERSE", asked);
      }
      default:
        throw new Error(`the model does not know ${asked.type} yet`);
    }
  }

  #init(asked: Extract<AskedOfWallet, { type: "init" }>): SeenOperation {
    const { user, currency } = asked;
    if (this.wallets.some((wallet) => wallet.user === user && wallet.currency === currency)) throw new No({ reason: "WALLET_EXISTS", userId: user, currency });
    const exponent = this.#rules.exponents[currency];
    if (exponent === undefined) throw new No({ reason: "UNKNOWN_CURRENCY", currency });
    expectVersion(asked, 0n);
    const balanceMax = asked.balanceMax === undefined ? undefined : amountIn({ currency, exponent }, asked.balanceMax, "balance_max");
    const identity = { walletId: this.#nextId, user, currency, exponent, createTimeMs: this.#now, balanceMax };
    const wallet: NaiveWallet = { ...identity, available: 0n, held: 0n, version: 0n, lastOperationId: 0n, updateTimeMs: this.#now };
    this.#state.wallets.push(wallet);
    return this.#record("INIT", wallet, 0n, undefined, asked);
  }

  #release({ user, currency, validateOnly = false }: AskedRelease): Seen {
    const eligible = this.holds
      .filter((hold) => hold.status === "ACTIVE" && this.#now >= hold.eligibleTimeMs)
      .filter(({ wallet }) => (user === undefined || wallet.user === user) && (currency === undefined || wallet.currency === currency))
      .toSorted((a, b) => a.eligibleTimeMs - b.eligibleTimeMs || Number(a.holdId - b.holdId));
    const amounts = new Map<string, bigint>();
    for (const hold of eligible) amounts.set(hold.wallet.currency, (amounts.get(hold.wallet.currency) ?? 0n) + hold.amount);
    if (!validateOnly) for (const hold of eligible) this.#giveBack(hold, "RELEASE", {});
    return { type: "released", count: eligible.length, amounts: [...amounts].toSorted(([a], [b]) => (a < b ? -1 : 1)), moreRemain: false };
  }

  #giveBack(hold: NaiveHold, kind: "RELEASE" | "REVERSE", said: { reference?: string | undefined; metadata?: Readonly<Record<string, string>> | undefined }): SeenOperation {
    hold.wallet.held -= hold.amount;
    hold.wallet.available += hold.amount;
    hold.status = kind === "RELEASE" ? "RELEASED" : "REVERSED";
    hold.resolveTimeMs = this.#now;
    return this.#record(kind, hold.wallet, hold.amount, hold, said);
  }

  #record(
    kind: OperationKind,
    wallet: NaiveWallet,
    amount: bigint,
    hold: NaiveHold | undefined,
    { reference = "", metadata = {} }: { reference?: string | undefined; metadata?: Readonly<Record<string, string>> | undefined },
    related?: bigint,
  ): SeenOperation {
    const { walletId, user, currency, exponent, createTimeMs } = wallet;
    const operationId = this.#nextId;
    const previousOperationId = wallet.lastOperationId;
    wallet.version += 1n;
    wallet.lastOperationId = operationId;
    wallet.updateTimeMs = this.#now;
    this.#state.lastChangeMs = this.#now;
    const operation: SeenOperation = {
      operationId,
      previousOperationId,
      kind,
      timeMs: this.#now,
      amount,
      related,
      reference,
      metadata,
      wallet: { walletId, user, currency, exponent, createTimeMs },
      after: { available: wallet.available, held: wallet.held, state: "ACTIVE", version: wallet.version, balanceMax: wallet.balanceMax },
      hold: hold && { holdId: hold.holdId, amount: hold.amount, captured: 0n, status: hold.status, createTimeMs: hold.createTimeMs, eligibleTimeMs: hold.eligibleTimeMs },
    };
    this.#state.operations.push(operation);
    return operation;
  }

  get #nextId(): bigint {
    return BigInt(this.operations.length + 1);
  }

  #walletOf({ user, currency }: { user: string; currency?: string | undefined }): NaiveWallet {
    const own = this.wallets.filter((wallet) => wallet.user === user);
    if (currency === undefined) {
      if (own.length > 1) throw new No({ reason: "CURRENCY_REQUIRED", userId: user, currencies: own.map((wallet) => wallet.currency).toSorted() });
      return own[0] ?? no({ reason: "WALLET_NOT_FOUND", userId: user });
    }
    const wallet = own.find((each) => each.currency === currency);
    if (wallet === undefined && !(currency in this.#rules.exponents)) throw new No({ reason: "UNKNOWN_CURRENCY", currency });
    return wallet ?? no({ reason: "WALLET_NOT_FOUND", userId: user, currency });
  }
}

function no(rejection: Rejection): never {
  throw new No(rejection);
}

function expectVersion({ expectedVersion }: { expectedVersion?: bigint | undefined }, actualVersion: bigint): void {
  if (expectedVersion !== undefined && expectedVersion !== actualVersion) throw new No({ reason: "VERSION_MISMATCH", expectedVersion, actualVersion });
}

function fact({ currency, exponent }: { currency: string; exponent: number }, minor: bigint): { currency: string; exponent: number; minor: bigint } {
  return { currency, exponent, minor };
}

function amountIn({ currency, exponent }: { currency: string; exponent: number }, text: string, field: string): bigint {
  const [whole = "", fraction = ""] = plain(text).split(".");
  if (fraction.length > exponent) throw new No({ reason: "AMOUNT_TOO_PRECISE", field, currency, exponent });
  const minor = BigInt(whole + fraction.padEnd(exponent, "0"));
  if (minor > int64Max) throw new No({ reason: "AMOUNT_OUT_OF_RANGE", field, maximum: { currency, exponent, minor: int64Max } });
  return minor;
}

/** An amount without the zeros that say nothing. */
function plain(amount: string): string {
  const [whole = "", fraction = ""] = amount.split(".");
  const shortWhole = whole.replace(/^0+(?=.)/, "");
  const shortFraction = fraction.replace(/0+$/, "");
  return shortFraction === "" ? shortWhole : `${shortWhole}.${shortFraction}`;
}

/** What of a request makes it the same request again. */
function requestOf(asked: AskedOfWallet): string {
  const { key: _key, validateOnly: _validateOnly, metadata = {}, reference = "", ...fields } = asked;
  const said: [string, unknown][] = Object.entries({ ...fields, reference }).map(([name, value]) => [
    name,
    typeof value === "bigint" ? `${value}` : name === "amount" || name === "balanceMax" ? value && plain(value as string) : value,
  ]);
  const sent = said.filter(([, value]) => value !== undefined).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([sent, Object.entries(metadata).toSorted(([a], [b]) => (a < b ? -1 : 1))]);
}
