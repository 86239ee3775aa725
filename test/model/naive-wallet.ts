// The contract told a second time, as simply as it can be: one user of memory, no speed, no sharing of code with the domain.
//
// Whatever the whole service answers must be what this answers. Where the contract leaves open which of several things that are wrong with a
// request is named, the order is that of the domain's documentation.

import type { OperationKind } from "../../src/domain/journal.ts";
import type { Asked, AskedOfWallet, AskedRelease } from "../support/asked.ts";
import { plain } from "./naive-amounts.ts";
import { idAt, No, partitionOf, type NaiveHold, type NaiveRules, type NaiveWallet, type Remembered, type Seen, type SeenOperation, type State } from "./naive-state.ts";
import { act, giveBack, type Turn } from "./naive-verbs.ts";

/** Number and amount of operations or holds in one currency. */
export interface Counted {
  readonly count: number;
  readonly amount: bigint;
}

const forgottenReasons = [
  "AMOUNT_TOO_PRECISE",
  "AMOUNT_OUT_OF_RANGE",
  "UNKNOWN_CURRENCY",
  "CURRENCY_REQUIRED",
  "SAME_WALLET",
  "IDEMPOTENCY_KEY_REUSED",
  "VERSION_MISMATCH",
];

export class NaiveLedger {
  readonly #rules: NaiveRules;
  #state: State;
  #now: number;

  constructor(rules: NaiveRules, createTimeMs: number, partitions: number) {
    this.#rules = rules;
    this.#now = createTimeMs;
    const empty = Array.from({ length: partitions }, () => ({ length: 0n, lastChangeMs: createTimeMs }));
    this.#state = { wallets: [], holds: [], operations: [], keys: new Map(), partitions: empty };
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
    return [...this.#state.keys.values()].filter((key) => this.#clockOf([this.#partitionOf(key.user)], machineTimeMs) - key.timeMs < this.#rules.idempotencyRetentionMs);
  }

  /** Whether the request was refused, and its key remembered with that. */
  hasRefused({ user, key }: AskedOfWallet): boolean {
    return key !== undefined && this.#state.keys.get(nameOf(user, key))?.answer.type === "rejected";
  }

  /** The ledger's clock. */
  clock(machineTimeMs: number): number {
    return this.#clockOf([...this.#state.partitions.keys()], machineTimeMs);
  }

  /** How long the journal of this user's partition is. */
  lengthFor(user: string): bigint {
    return this.#state.partitions[this.#partitionOf(user)]!.length;
  }

  /** The id of the operation in this place of the user's partition. */
  idFor(user: string, sequence: bigint): bigint {
    return idAt(this.#state, user, sequence);
  }

  /** All requests of a batch, at one time of the machine's clock; a release is asked alone. */
  execute(batch: readonly Asked[], machineTimeMs: number): Seen[] {
    const [first] = batch;
    if (first?.type === "release") return [this.#release(first, machineTimeMs)];
    return this.#executeTogether(batch as readonly AskedOfWallet[], machineTimeMs);
  }

  #executeTogether(batch: readonly AskedOfWallet[], machineTimeMs: number): Seen[] {
    const touched = batch.flatMap((asked) => [asked.user, ...("to" in asked && asked.to !== undefined ? [asked.to] : [])]);
    this.#now = this.#clockOf(touched.map((user) => this.#partitionOf(user)), machineTimeMs);
    return batch.map((asked) => this.#once(asked));
  }

  #partitionOf(user: string): number {
    return partitionOf(this.#state, user);
  }

  /** What time it is for whoever touches these partitions: never before the last change of any of them. */
  #clockOf(partitions: readonly number[], machineTimeMs: number): number {
    return Math.max(machineTimeMs, ...partitions.map((partition) => this.#state.partitions[partition]!.lastChangeMs));
  }

  /** Operations of one kind by currency, of one user or of all. */
  operationReport(kind: OperationKind, user?: string): Map<string, Counted> {
    return counted(this.operations.filter((operation) => operation.kind === kind && (user ?? operation.wallet.user) === operation.wallet.user));
  }

  /** What came in from other wallets by currency, of one user or of all. */
  transfersInReport(user?: string): Map<string, Counted> {
    const received = this.operations.map(({ receiver }) => receiver).filter((part) => part !== undefined);
    return counted(received.filter(({ wallet }) => (user ?? wallet.user) === wallet.user));
  }

  /** This amount of the holds of one status by currency, of one user or of all; holds that have nothing of it are not counted. */
  holdReport(status: NaiveHold["status"], amountOf: (hold: NaiveHold) => bigint, user?: string): Map<string, Counted> {
    const own = this.holds.filter((hold) => hold.status === status && (user ?? hold.wallet.user) === hold.wallet.user);
    return counted(own.map((hold) => ({ wallet: hold.wallet, amount: amountOf(hold) })).filter(({ amount }) => amount > 0n));
  }

  #once(asked: AskedOfWallet): Seen {
    const key = asked.key === undefined ? undefined : nameOf(asked.user, asked.key);
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
      this.#state.partitions[this.#partitionOf(asked.user)]!.lastChangeMs = this.#now;
    }
    return answer;
  }

  #answer(asked: AskedOfWallet): Exclude<Seen, { type: "released" }> {
    try {
      const operation = act(this.#turn, asked);
      const { createTimeMs } = this.wallets.find(({ walletId }) => walletId === operation.wallet.walletId)!;
      return { type: "applied", replayed: false, operation, walletCreateTimeMs: createTimeMs };
    } catch (thrown) {
      if (thrown instanceof No) return { type: "rejected", replayed: false, rejection: thrown.rejection };
      throw thrown;
    }
  }

  /** Partition after partition, each by its own clock. */
  #release(asked: AskedRelease, machineTimeMs: number): Seen {
    const amounts = new Map<string, bigint>();
    let count = 0;
    for (const partition of this.#state.partitions.keys()) {
      this.#now = this.#clockOf([partition], machineTimeMs);
      const eligible = this.#eligibleIn(partition, asked);
      count += eligible.length;
      for (const { wallet, amount, captured } of eligible) amounts.set(wallet.currency, (amounts.get(wallet.currency) ?? 0n) + amount - captured);
      if (!asked.validateOnly) for (const hold of eligible) giveBack(this.#turn, hold, "RELEASE", {});
    }
    return { type: "released", count, amounts: [...amounts].toSorted(([a], [b]) => (a < b ? -1 : 1)), moreRemain: false };
  }

  #eligibleIn(partition: number, { user, currency }: AskedRelease): NaiveHold[] {
    return this.holds
      .filter((hold) => hold.status === "ACTIVE" && this.#now >= hold.eligibleTimeMs && this.#partitionOf(hold.wallet.user) === partition)
      .filter(({ wallet }) => (user === undefined || wallet.user === user) && (currency === undefined || wallet.currency === currency))
      .toSorted((a, b) => a.eligibleTimeMs - b.eligibleTimeMs || Number(a.holdId - b.holdId));
  }

  get #turn(): Turn {
    return { state: this.#state, rules: this.#rules, nowMs: this.#now };
  }
}

function counted(items: readonly { readonly wallet: { readonly currency: string }; readonly amount: bigint }[]): Map<string, Counted> {
  const report = new Map<string, Counted>();
  for (const { wallet, amount } of items) {
    const before = report.get(wallet.currency) ?? { count: 0, amount: 0n };
    report.set(wallet.currency, { count: before.count + 1, amount: before.amount + amount });
  }
  return report;
}

/** Keys of two users are two keys. */
function nameOf(user: string, key: string): string {
  return `${user} ${key}`;
}

/** What of a request makes it the same request again. */
function requestOf(asked: AskedOfWallet): string {
  const { key: _key, validateOnly: _validateOnly, metadata = {}, reference = "", ...fields } = asked;
  const final = asked.type === "capture" ? (asked.final ?? false) : undefined;
  const said: [string, unknown][] = Object.entries({ ...fields, final, reference }).map(([name, value]) => [
    name,
    typeof value === "bigint" ? `${value}` : name === "amount" || name === "balanceMax" ? value && plain(value as string) : value,
  ]);
  const sent = said.filter(([, value]) => value !== undefined).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([sent, Object.entries(metadata).toSorted(([a], [b]) => (a < b ? -1 : 1))]);
}
