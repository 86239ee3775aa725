// Stories about the ledger's decisions: given(wallet("100.00")).when(hold("120.00")).rejects("INSUFFICIENT_FUNDS"). Pure, no database.

import { expect } from "vitest";
import type { Answer, AppliedAnswer } from "../../src/domain/answer.ts";
import { currencyRegistry } from "../../src/domain/currency.ts";
import { remainingMinor } from "../../src/domain/hold.ts";
import type { JournalRecord, ReceiverPart } from "../../src/domain/journal.ts";
import type { Changes } from "../../src/domain/loaded-state.ts";
import { formatMinor, parseDecimal, toMinor } from "../../src/domain/money.ts";
import { partitionOf } from "../../src/domain/partitions.ts";
import type { Rejection, RejectionReason } from "../../src/domain/rejection.ts";
import type { LedgerRules } from "../../src/domain/rules.ts";
import type { UserId, Wallet, WalletName } from "../../src/domain/wallet.ts";
import { toCommand, type Asked, type AskedOfWallet, type AskedRelease, type Marks } from "./asked.ts";
import { PureLedger, type PurePartition } from "./pure-ledger.ts";

export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;

/** When every story begins. */
export const startMs = Date.UTC(2026, 0, 1);

/** The rules of every story: USDT with six decimals and POINTS with none beside ISO 4217, holds of ten minutes, keys kept for an hour. */
export const storyRules: LedgerRules = {
  currencies: currencyRegistry(new Map([["POINTS", 0], ["USDT", 6]])),
  holdPeriodMs: 10 * minuteMs,
  autoRelease: false,
  idempotencyRetentionMs: hourMs,
};

/** The same rules after its operator has changed the assets. */
const rulesWithAssets = (assets: Readonly<Record<string, number>>): LedgerRules => ({ ...storyRules, currencies: currencyRegistry(new Map(Object.entries(assets))) });

/** A request, or one that depends on the holds that were given a name with `as`. */
export type Wish = Asked | ((holdNamed: (name: string) => bigint) => Asked);
type Named = { readonly as?: string };
type Options = Partial<Marks> & Named & { readonly currency?: string | undefined };

/** Unless told otherwise it is alice who asks, and about her dollars. `currency: undefined` leaves the currency out. */
const defaults = { user: "alice", currency: "USD" } as const;

export const init = (currency = "USD", options: Options & { readonly balanceMax?: string } = {}): AskedOfWallet => ({ type: "init", ...defaults, ...options, currency });
export const add = (amount: string, options: Options & { readonly related?: bigint } = {}): AskedOfWallet => ({ type: "add", amount, ...defaults, ...options });
export const hold = (amount: string, options: Options & { readonly periodMs?: number } = {}): AskedOfWallet => ({ type: "hold", amount, ...defaults, ...options });
export const release = (options: Omit<AskedRelease, "type"> = {}): AskedRelease => ({ type: "release", ...options });

/** Reverses the hold with this id, or the one that was placed with this name. */
export const reverse =
  (which: bigint | string, options: Partial<Marks> = {}): Wish =>
  (holdNamed) => ({ type: "reverse", user: defaults.user, ...options, holdId: typeof which === "bigint" ? which : holdNamed(which) });

/** Captures of the hold with this id, or of the one that was placed with this name. */
export const capture =
  (which: bigint | string, amount: string, options: Partial<Marks> & { readonly to?: string; readonly final?: boolean } = {}): Wish =>
  (holdNamed) => ({ type: "capture", user: defaults.user, amount, ...options, holdId: typeof which === "bigint" ? which : holdNamed(which) });

/** Extends the hold with this id, or the one that was placed with this name. */
export const extend =
  (which: bigint | string, periodMs: number, options: Partial<Marks> = {}): Wish =>
  (holdNamed) => ({ type: "extend", user: defaults.user, periodMs, ...options, holdId: typeof which === "bigint" ? which : holdNamed(which) });

export const withdraw = (amount: string, options: Options = {}): AskedOfWallet => ({ type: "withdraw", amount, ...defaults, ...options });
export const transfer = (amount: string, to: string, options: Options = {}): AskedOfWallet => ({ type: "transfer", amount, to, ...defaults, ...options });
export const freeze = (options: Options = {}): AskedOfWallet => ({ type: "freeze", ...defaults, ...options });
export const unfreeze = (options: Options = {}): AskedOfWallet => ({ type: "unfreeze", ...defaults, ...options });
export const close = (options: Options = {}): AskedOfWallet => ({ type: "close", ...defaults, ...options });
/** Without `balanceMax` the limit is lifted. */
export const limit = (balanceMax: string | undefined, options: Options = {}): AskedOfWallet => ({ type: "limit", balanceMax, ...defaults, ...options });

/** A wallet with this much available. */
export function wallet(amount: string, options: { readonly user?: string; readonly currency?: string; readonly balanceMax?: string } = {}): Asked[] {
  const opening = init(options.currency, options);
  return /^[0.]*$/.test(amount) ? [opening] : [opening, add(amount, options)];
}

/** An active hold of money that the wallet has. */
export const held = (amount: string, options: Parameters<typeof hold>[1] = {}): Asked[] => [hold(amount, options)];

/** Begins a story with what has happened before it. */
export function given(...before: readonly (readonly Wish[])[]): Story {
  return givenIn(1, ...before);
}

/** The same in a ledger with so many partitions. */
export function givenIn(partitions: number, ...before: readonly (readonly Wish[])[]): Story {
  const story = new Story(storyRules, partitions);
  for (const asked of before.flat()) story.when(asked).isGranted();
  return story;
}

/** What an applied operation's answer is expected to say; what is left out is not looked at. */
interface Expected {
  readonly available?: string;
  readonly held?: string;
  readonly amount?: string;
  readonly version?: bigint;
  readonly kind?: string;
  readonly state?: string;
  readonly hold?: { readonly status?: string; readonly captured?: string; readonly remaining?: string; readonly eligibleAfterMs?: number };
  /** The wallet that received, in its own minor units. */
  readonly receiver?: { readonly user?: string; readonly available?: string; readonly held?: string; readonly amount?: string; readonly version?: bigint; readonly state?: string };
}

/** What a wallet is expected to be now; what is left out is not looked at. */
interface Left {
  readonly available?: string;
  readonly held?: string;
  readonly version?: bigint;
  readonly state?: string;
  /** "" where there is no limit. */
  readonly balanceMax?: string;
}

export class Story {
  readonly ledger: PureLedger;
  /** The machine's clock. */
  machineTimeMs = startMs;
  readonly #holdIds = new Map<string, bigint>();
  readonly #firstAnswers = new Map<string, Answer>();
  #asked: readonly Asked[] = [];
  #answers: readonly Answer[] = [];
  #changes: readonly Changes[] = [];
  #current = 0;

  constructor(rules: LedgerRules = storyRules, partitionCount = 1) {
    this.ledger = new PureLedger(rules, startMs, partitionCount);
  }

  /** These requests as one batch, each seeing what those before it did. What follows speaks of the first one's answer. */
  when(...wishes: readonly Wish[]): this {
    const holdNamed = (name: string): bigint => this.#holdIds.get(name) ?? expect.fail(`no hold was placed as ${name}`);
    this.#asked = wishes.map((wish) => (typeof wish === "function" ? wish(holdNamed) : wish));
    const { answers, changes } = this.ledger.execute(this.#asked.map(toCommand), this.machineTimeMs);
    expect(answers).toHaveLength(wishes.length);
    this.#answers = answers;
    this.#changes = changes;
    this.#current = 0;
    this.#asked.forEach((asked, index) => {
      const answer = answers[index]!;
      if ("as" in asked && answer.type === "applied") this.#holdIds.set(asked.as as string, answer.hold!.holdId);
      if ("key" in asked && asked.key !== undefined && !this.#firstAnswers.has(asked.key)) this.#firstAnswers.set(asked.key, answer);
    });
    return this;
  }

  /** What follows speaks of the next request's answer in the same batch. */
  get and(): this {
    this.#current++;
    return this;
  }

  /** The machine's clock runs on, or with a negative number is set back. */
  afterMs(durationMs: number): this {
    this.machineTimeMs += durationMs;
    return this;
  }

  /** The ledger is served with these assets, and their decimals, from here on. */
  servedWith(assets: Readonly<Record<string, number>>): this {
    this.ledger.rules = rulesWithAssets(assets);
    return this;
  }

  get answer(): Answer {
    return this.#answers[this.#current] ?? expect.fail("there is no such answer");
  }

  isGranted(): this {
    expect(this.answer.type, this.#rejection).not.toBe("rejected");
    return this;
  }

  /** The operation was done, now and not as a replay. */
  applies(expected: Expected = {}): this {
    expect(this.answer.type, this.#rejection).toBe("applied");
    expect(this.answer).toMatchObject({ replayed: false });
    expect(this.#said()).toMatchObject(expected);
    return this;
  }

  /** The ledger said no, now and not as a replay, and neither wallets nor holds nor the journal changed. */
  rejects<Reason extends RejectionReason>(reason: Reason, facts: Partial<Extract<Rejection, { reason: Reason }>> = {}): this {
    expect(this.answer).toMatchObject({ type: "rejected", replayed: false, rejection: { reason, ...facts } });
    if (this.#answers.length === 1) {
      for (const { records, wallets, holds, currencyTotals } of this.#changes) expect({ records, wallets, holds, currencyTotals }).toEqual({ records: [], wallets: [], holds: [], currencyTotals: [] });
    }
    return this;
  }

  /** The answer is, to the last fact, the first that this idempotency key was given. */
  replays(): this {
    const asked = this.#asked[this.#current] as AskedOfWallet;
    expect(this.answer).toEqual({ ...this.#firstAnswers.get(asked.key!), replayed: true });
    return this;
  }

  releases(count: number, amounts: Readonly<Record<string, string>> = {}): this {
    expect(this.answer.type).toBe("released");
    const answer = this.answer as Extract<Answer, { type: "released" }>;
    expect(answer.count).toBe(count);
    expect(answer.amounts.map(({ currency, exponent, minor }) => [currency, formatMinor(minor, exponent)])).toEqual(Object.entries(amounts));
    expect(answer.moreRemain).toBe(false);
    return this;
  }

  /** Not even a key was remembered. */
  changesNothing(): this {
    expect(this.#changes).toEqual([]);
    return this;
  }

  /** The wallet as the ledger has it now. */
  leaves(expected: Left, of: { readonly user?: string; readonly currency?: string } = {}): this {
    const { availableMinor, heldMinor, balanceMaxMinor, exponent, version, state } = this.wallet(of);
    const text = (minor: bigint): string => formatMinor(minor, exponent);
    const balanceMax = balanceMaxMinor === undefined ? "" : text(balanceMaxMinor);
    expect({ available: text(availableMinor), held: text(heldMinor), balanceMax, version, state }).toMatchObject(expected);
    return this;
  }

  /** The last operation on this wallet, with the links of its history. */
  lastOperationOn(of: { readonly user?: string; readonly currency?: string } = {}): JournalRecord {
    const { userId, headSequence } = this.wallet(of);
    return this.#partitionOf(userId).records.get(headSequence)!;
  }

  wallet({ user = "alice", currency = "USD" }: { readonly user?: string; readonly currency?: string } = {}): Wallet {
    const found = [...this.#partitionOf(user as UserId).wallets.values()].find((each) => each.userId === user && each.currency === currency);
    return found ?? expect.fail(`${user} has no wallet in ${currency}`);
  }

  #partitionOf(userId: UserId): PurePartition {
    return this.ledger.partitions[partitionOf(userId, this.ledger.partitions.length)]!;
  }

  #said(): Expected {
    const { record, wallet: identity, receiver, hold: origin } = this.answer as AppliedAnswer;
    const text = (minor: bigint): string => formatMinor(minor, identity.exponent);
    return {
      kind: record.kind,
      amount: text(record.amountMinor),
      available: text(record.after.availableMinor),
      held: text(record.after.heldMinor),
      version: record.after.version,
      state: record.after.state,
      ...(record.receiver && receiver && { receiver: saidOf(record.receiver, receiver) }),
      ...(record.hold &&
        origin && {
          hold: {
            status: record.hold.status,
            captured: text(record.hold.capturedMinor),
            remaining: text(remainingMinor({ ...origin, ...record.hold })),
            eligibleAfterMs: record.hold.eligibleTimeMs - origin.createTimeMs,
          },
        }),
    };
  }

  get #rejection(): string {
    return this.answer.type === "rejected" ? JSON.stringify(this.answer.rejection, (_, value: unknown) => (typeof value === "bigint" ? `${value}` : value)) : "";
  }
}

function saidOf({ amountMinor, after: { availableMinor, heldMinor, version, state } }: ReceiverPart, { userId, exponent }: WalletName): NonNullable<Expected["receiver"]> {
  const text = (minor: bigint): string => formatMinor(minor, exponent);
  return { user: userId, amount: text(amountMinor), available: text(availableMinor), held: text(heldMinor), version, state };
}

/** An amount as rejections state it. */
export function money(amount: string, currency = "USD"): { currency: string; exponent: number; minor: bigint } {
  const exponent = storyRules.currencies.exponentOf(currency)!;
  return { currency, exponent, minor: toMinor(parseDecimal(amount)!, exponent)! };
}
