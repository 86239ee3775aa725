// Operations made up at random, of every kind: mostly on a few hot wallets, now and then meant to be refused.

import { alone, together, type Intention, type Verb, type Verdict, type Wish } from "./intentions.ts";
import type { Random } from "./random.ts";

export interface WishesOptions {
  /** Wallets that most of it is about. */
  readonly hot?: number;
  /** How many of a hundred operations are about those. */
  readonly hotPercent?: number;
  /** How many of a thousand calls are batches. */
  readonly batchPermille?: number;
  /** Operations of a batch, at most. */
  readonly batchLengthMax?: number;
}

interface User {
  readonly userId: string;
  readonly currency: string;
}

const currencies = ["USD", "JPY"] as const;
/** Opened before anything else. */
const firstUsers = 40;
const holdsRememberedMax = 500;
/** The life of a wallet that is made to be closed, one step after the other. It is refused what its state forbids. */
const briefLife = ["initWallet", "addMoney", "closeWallet", "withdrawMoney", "closeWallet", "addMoney"] as const;
const briefAmount = 5;
/** Operations of any kind in a batch that is meant to be done as a whole, at most. */
const atomicMixedMax = 4;
/** More than any wallet ever has. */
const tooMuch = "1000000000000";

/** So many of a thousand operations are of each kind. Little is frozen: what is so refuses most of the rest. */
const shares: readonly (readonly [Verb, number])[] = [
  ["addMoney", 300],
  ["holdMoney", 240],
  ["captureHold", 120],
  ["transferMoney", 110],
  ["withdrawMoney", 90],
  ["reverseHold", 65],
  ["extendHold", 35],
  ["setWalletLimits", 15],
  ["initWallet", 15],
  ["closeWallet", 7],
  ["freezeWallet", 3],
];

export class Wishes {
  readonly #random: Random;
  readonly #hot: number;
  readonly #hotPercent: number;
  readonly #batchPermille: number;
  readonly #batchLengthMax: number;
  /** Those who are known to have a wallet: the first few that were made, and the others. */
  readonly #hotUsers: User[] = [];
  readonly #coldUsers: User[] = [];
  #userCount = 0;
  readonly #holds: { owner: User; holdId: bigint }[] = [];
  readonly #frozen: User[] = [];
  /** Wallets made to be closed that nobody is busy with, and how far each is in its life. */
  readonly #brief: { user: User; step: number }[] = [];
  readonly #busyBrief = new Map<string, { user: User; step: number }>();
  #briefCount = 0;
  #count = 0;

  constructor(random: Random, { hot = 10, hotPercent = 75, batchPermille = 30, batchLengthMax = 20 }: WishesOptions = {}) {
    this.#random = random;
    this.#hot = hot;
    this.#hotPercent = hotPercent;
    this.#batchPermille = batchPermille;
    this.#batchLengthMax = batchLengthMax;
  }

  /** Everybody who has a wallet, or was meant to have one. */
  userIds(): string[] {
    return [...Array.from({ length: this.#userCount }, (_, number) => plainUser(number)), ...Array.from({ length: this.#briefCount }, (_, index) => briefUser(index + 1))];
  }

  /** Batches that open so many new wallets and put this much into each. */
  openings(count: number, { perBatch, amount }: { readonly perBatch: number; readonly amount: string }): Intention[] {
    const users = Array.from({ length: count }, () => this.#newUser());
    const wishes = users.flatMap((user) => [this.#open(user), this.#wishFor("addMoney", user, { amount }, BigInt(amount))]);
    return Array.from({ length: Math.ceil(wishes.length / perBatch) }, (_, index) => together(wishes.slice(index * perBatch, (index + 1) * perBatch), { atomic: false }));
  }

  next(): Intention {
    if (this.#hotUsers.length + this.#coldUsers.length < firstUsers) return alone(this.#open(this.#newUser()));
    return this.#random.between(1, 1_000) <= this.#batchPermille ? this.#batch() : alone(this.#wish());
  }

  /** Learns what a caller learns from an answer: which wallets and holds there are, and which steps are over. `undefined`: nothing is known. */
  heard({ verb, userId, key, currency }: Wish, verdict: Verdict | undefined): void {
    const isApplied = verdict?.type === "applied";
    if (verb === "holdMoney" && isApplied && !verdict.replayed) this.#rememberHold({ owner: { userId, currency }, holdId: verdict.holdId! });
    if (verb === "initWallet" && isApplied && !verdict.replayed) this.#rememberUser({ userId, currency });
    if (verb === "unfreezeWallet" && !isApplied) this.#frozen.push({ userId, currency });
    const life = this.#busyBrief.get(key);
    if (life === undefined) return;
    this.#busyBrief.delete(key);
    if (life.step < briefLife.length) this.#brief.push(life);
  }

  #rememberUser(user: User): void {
    const number = numberOf(user.userId);
    if (number !== undefined) (number < this.#hot ? this.#hotUsers : this.#coldUsers).push(user);
  }

  #rememberHold(hold: { owner: User; holdId: bigint }): void {
    if (this.#holds.length < holdsRememberedMax) this.#holds.push(hold);
    else this.#holds[this.#random.between(0, holdsRememberedMax - 1)] = hold;
  }

  /** Half of them all or nothing, and a sixth of those meant to be nothing. In some, a key comes twice: with the same request, or with another. */
  #batch(): Intention {
    const atomic = this.#random.between(1, 2) === 1;
    // Among many of any kind one is refused for sure: of those that shall be done together, few may be.
    const isLong = this.#random.between(1, 3) > 1;
    const lengthMax = atomic ? (isLong ? Math.ceil(this.#batchLengthMax / 2) : atomicMixedMax) : this.#batchLengthMax;
    const length = this.#random.between(1, lengthMax);
    const wishes = Array.from({ length }, () => (atomic && isLong ? this.#likely() : this.#wish()));
    const place = (): number => this.#random.between(0, wishes.length);
    if (this.#random.between(1, 4) === 1) wishes.splice(place(), 0, ...this.#wholeLife());
    const dice = this.#random.between(1, 12);
    if (dice <= 4) {
      const twice = this.#random.pick(wishes);
      wishes.splice(place(), 0, dice > 1 ? twice : { ...twice, ...this.#withdrawal(twice, "1") });
    }
    if (atomic && this.#random.between(1, 6) === 1) wishes.splice(place(), 0, this.#wishFor("withdrawMoney", this.#user(), { amount: tooMuch }, -BigInt(tooMuch)));
    return together(wishes, { atomic });
  }

  /** What is hardly ever refused. */
  #likely(): Wish {
    const dice = this.#random.between(1, 12);
    if (dice === 1) return this.#amountOut("1");
    if (dice <= 3) return this.#hold({ amount: "1" });
    return dice === 4 ? this.#open(this.#newUser()) : this.#add();
  }

  /** Another request under the key of the first. */
  #withdrawal({ userId, currency, key }: Wish, amount: string): Pick<Wish, "verb" | "bringsIn" | "item"> {
    return { verb: "withdrawMoney", bringsIn: -BigInt(amount), item: { case: "withdrawMoney", value: { userId, currency, amount, idempotencyKey: key, reference: key } } };
  }

  #wish(): Wish {
    // Whatever is frozen is not so for long.
    if (this.#frozen.length > 0 && this.#random.between(1, 20) === 1) return this.#wishFor("unfreezeWallet", this.#frozen.shift()!);
    const verb = this.#verb();
    switch (verb) {
      case "initWallet":
        // Now and then one that exists: its refusal is remembered like an operation.
        return this.#open(this.#random.between(1, 4) === 1 ? this.#user() : this.#newUser());
      case "closeWallet":
        return this.#stepOfBriefLife();
      case "captureHold":
      case "extendHold":
      case "reverseHold":
        return this.#holds.length === 0 ? this.#add() : this.#aboutHold(verb);
      case "holdMoney":
        return this.#hold();
      case "withdrawMoney":
        return this.#amountOut(this.#amount(200));
      case "transferMoney":
        return this.#transfer();
      case "setWalletLimits":
        return this.#wishFor(verb, this.#user(), this.#random.between(1, 10) > 1 ? {} : { balanceMax: this.#amount(20_000) });
      case "freezeWallet": {
        const user = this.#user();
        this.#frozen.push(user);
        return this.#wishFor(verb, user);
      }
      default:
        return this.#add();
    }
  }

  #verb(): Verb {
    let left = this.#random.between(1, 1_000);
    for (const [verb, share] of shares) {
      left -= share;
      if (left <= 0) return verb;
    }
    return "addMoney";
  }

  #add(): Wish {
    const amount = this.#amount(500);
    return this.#wishFor("addMoney", this.#user(), { amount }, BigInt(amount));
  }

  #amountOut(amount: string): Wish {
    return this.#wishFor("withdrawMoney", this.#user(), { amount }, -BigInt(amount));
  }

  #hold({ amount = this.#amount(400) } = {}): Wish {
    // Some are soon eligible, so that releases find something: at once, or while others still want to capture them.
    const nanos = this.#random.pick([1_000_000, this.#random.between(50, 900) * 1_000_000]);
    return this.#wishFor("holdMoney", this.#user(), { amount, ...(this.#random.between(1, 3) === 1 ? { holdPeriod: { nanos } } : {}) });
  }

  /** Captures are partial or final, and leave the ledger or go to somebody. */
  #aboutHold(verb: "captureHold" | "extendHold" | "reverseHold"): Wish {
    const at = this.#random.between(0, this.#holds.length - 1);
    const { owner, holdId } = this.#holds[at]!;
    if (verb === "extendHold") return this.#wishFor(verb, owner, { holdId, holdPeriod: { seconds: BigInt(this.#random.between(1, 2_400)) } });
    const final = this.#random.between(1, 2) === 1;
    // What is over is mostly not asked for again.
    if ((final || verb === "reverseHold") && this.#random.between(1, 5) > 1) {
      const last = this.#holds.pop()!;
      if (at < this.#holds.length) this.#holds[at] = last;
    }
    if (verb === "reverseHold") return this.#wishFor(verb, owner, { holdId });
    const amount = this.#amount(this.#random.pick([20, 200]));
    const to = this.#random.between(1, 2) === 1 ? this.#other(owner) : undefined;
    return this.#wishFor(verb, owner, { holdId, amount, final, ...(to === undefined ? {} : { toUserId: to.userId }) }, to === undefined ? -BigInt(amount) : 0n);
  }

  #transfer(): Wish {
    const payer = this.#user();
    return this.#wishFor("transferMoney", payer, { amount: this.#amount(200), toUserId: this.#other(payer).userId });
  }

  /** The next step in the life of a wallet that is made to be closed; of each, one step at a time. */
  #stepOfBriefLife(): Wish {
    const { user, step } = this.#brief.shift() ?? { user: this.#newBrief(), step: 0 };
    const wish = this.#briefStep(user, step);
    this.#busyBrief.set(wish.key, { user, step: step + 1 });
    return wish;
  }

  /** Opened, used and closed. */
  #wholeLife(): Wish[] {
    const user = this.#newBrief();
    return [0, 1, 3, 4].map((step) => this.#briefStep(user, step));
  }

  #briefStep(user: User, step: number): Wish {
    const verb = briefLife[step]!;
    if (verb === "initWallet") return this.#open(user);
    if (verb === "closeWallet") return this.#wishFor(verb, user);
    const brings = verb === "addMoney" ? briefAmount : -briefAmount;
    return this.#wishFor(verb, user, { amount: String(briefAmount) }, BigInt(brings));
  }

  #open({ userId, currency }: User): Wish {
    return this.#wishFor("initWallet", { userId, currency }, { currency });
  }

  #wishFor(verb: Verb, { userId, currency }: User, fields: object = {}, bringsIn = 0n): Wish {
    const key = `${verb}-${++this.#count}`;
    // A hold finds its wallet; elsewhere the currency may be left out, since each user has one wallet.
    const named = verb.endsWith("Hold") || this.#random.between(1, 2) === 1 ? {} : { currency };
    const item = { case: verb, value: { userId, ...named, ...fields, idempotencyKey: key, reference: key } } as unknown as Wish["item"];
    return { userId, key, verb, currency, bringsIn, item };
  }

  #newUser(): User {
    const number = this.#userCount++;
    return { userId: plainUser(number), currency: currencies[number % currencies.length]! };
  }

  #newBrief(): User {
    return { userId: briefUser(++this.#briefCount), currency: this.#random.pick(currencies) };
  }

  #user(): User {
    const isHot = this.#random.between(1, 100) <= this.#hotPercent;
    return this.#random.pick((isHot && this.#hotUsers.length > 0) || this.#coldUsers.length === 0 ? this.#hotUsers : this.#coldUsers);
  }

  /** Somebody else, mostly with a wallet in the same currency. */
  #other({ userId, currency }: User): User {
    const isFit = (user: User): boolean => user.userId !== userId && (user.currency === currency || this.#random.between(1, 50) === 1);
    for (;;) {
      const user = this.#user();
      if (isFit(user)) return user;
    }
  }

  /** Whole units, which every currency has. */
  #amount(max: number): string {
    return String(this.#random.between(1, max));
  }
}

function briefUser(number: number): string {
  return `brief-${number}`;
}

function plainUser(number: number): string {
  return `user-${number}`;
}

/** Undefined for somebody whose wallet is made to be closed. */
function numberOf(userId: string): number | undefined {
  const digits = /^user-(\d+)$/.exec(userId)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
