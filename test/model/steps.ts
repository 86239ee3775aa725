// What a sequence consists of: wishes whose amounts, holds, keys and versions are aimed at what the ledger has by then, clocks, and restarts.

import * as fc from "fast-check";
import type { Asked, AskedOfWallet } from "../support/asked.ts";
import { holdPeriodMs, idempotencyRetentionMs } from "./rules.ts";
import type { NaiveHold, NaiveLedger, NaiveWallet } from "./naive-wallet.ts";

/** A request, said in terms of whatever there is when its turn comes. */
interface Wish {
  readonly verb: "init" | "add" | "hold" | "reverse";
  /** At a wallet and a hold that are there, if there are any; else at this user and currency, whether or not they have a wallet. */
  readonly aimed: boolean;
  readonly user: string;
  readonly currency: string | undefined;
  readonly amount: string | { readonly most: number };
  readonly balanceMax: string | undefined;
  readonly periodMs: number | undefined;
  /** Which wallet, hold, related operation or earlier request: an index, taken around. */
  readonly pick: number;
  readonly related: boolean;
  readonly key: string | undefined;
  readonly version: number | undefined;
  readonly validateOnly: boolean;
  readonly reference: string | undefined;
  readonly metadata: Readonly<Record<string, string>> | undefined;
  /** Sends an earlier request with a key again: as it was, with its amount spelled otherwise, or with something else in it. */
  readonly again: "same" | "spelled" | "other" | undefined;
}

export type Step =
  | { readonly type: "batch"; readonly wishes: readonly Wish[] }
  | { readonly type: "release"; readonly user: string | undefined; readonly currency: string | undefined; readonly validateOnly: boolean }
  /** The machine's clock moves; back where negative. */
  | { readonly type: "clock"; readonly byMs: number }
  /** The machine's clock goes to when a hold becomes eligible or a key runs out, give or take a millisecond. */
  | { readonly type: "clockTo"; readonly what: "hold" | "key"; readonly pick: number; readonly offsetMs: number }
  | { readonly type: "restart" };

const users = fc.oneof({ weight: 5, arbitrary: fc.constant("alice") }, { weight: 3, arbitrary: fc.constant("bob") }, { weight: 1, arbitrary: fc.constant("carol:+@1") });
const currencies = fc.oneof({ weight: 6, arbitrary: fc.constant("USD") }, { weight: 3, arbitrary: fc.constantFrom("JPY", "USDT") });
/** Once in so many times. */
const rarely = <T>(arbitrary: fc.Arbitrary<T>, oneIn: number): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: oneIn - 1, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });

const amounts = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom("1", "1.0", "1.00", "2", "3", "5.00", "007", "10", "25", "100", "100.000") },
  { weight: 2, arbitrary: fc.constantFrom("0.01", "0.10", "10.50", "99.99", "0.000001", "1.5", "0.001", "0.0000001") },
  { weight: 1, arbitrary: fc.constantFrom("92233720368547758.07", "92233720368547758.08", "9223372036854775807", "9223372036854775808", "9223372036854.775807") },
  { weight: 3, arbitrary: fc.record({ most: fc.constantFrom(0, 0, 1, -1) }) },
);

function wish(periods: fc.Arbitrary<number | undefined>): fc.Arbitrary<Wish> {
  return fc.record({
    verb: fc.oneof(
      { weight: 2, arbitrary: fc.constant("init" as const) },
      { weight: 5, arbitrary: fc.constant("add" as const) },
      { weight: 6, arbitrary: fc.constant("hold" as const) },
      { weight: 4, arbitrary: fc.constant("reverse" as const) },
    ),
    aimed: fc.integer({ min: 0, max: 9 }).map((number) => number < 9),
    user: users,
    currency: fc.oneof({ weight: 10, arbitrary: currencies }, { weight: 3, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.constant("XAU") }),
    amount: amounts,
    balanceMax: rarely(fc.constantFrom("0", "1", "100", "100.5", "1000", "9223372036854775807", "92233720368547758.07", "92233720368547758.08"), 4),
    periodMs: periods,
    pick: fc.nat(1000),
    related: fc.integer({ min: 0, max: 9 }).map((number) => number === 0),
    key: rarely(fc.nat(40).map((number) => `k${number}`), 2),
    version: rarely(fc.constantFrom(0, 0, 0, 1, -1), 6),
    validateOnly: fc.integer({ min: 0, max: 9 }).map((number) => number === 0),
    reference: rarely(fc.constantFrom("rent", "Miete für März 🏠", ""), 5),
    metadata: rarely(fc.constantFrom({}, { a: "1" }, { b: "2", a: "1" }, JSON.parse('{"__proto__":"x","constructor":"","10":"a","9":"b"}') as Record<string, string>), 6),
    again: rarely(fc.constantFrom("same" as const, "same" as const, "spelled" as const, "other" as const), 7),
  });
}

const release: fc.Arbitrary<Step> = fc.record({
  type: fc.constant("release" as const),
  user: rarely(users, 3),
  currency: rarely(currencies, 4),
  validateOnly: fc.integer({ min: 0, max: 7 }).map((number) => number === 0),
});

const batch = (periods: fc.Arbitrary<number | undefined>): fc.Arbitrary<Step> =>
  fc.record({ type: fc.constant("batch" as const), wishes: fc.array(wish(periods), { minLength: 1, maxLength: 4, size: "max" }) });

const restart: fc.Arbitrary<Step> = fc.constant({ type: "restart" });

const clock: fc.Arbitrary<Step> = fc.record({
  type: fc.constant("clock" as const),
  byMs: fc.constantFrom(1, 999, holdPeriodMs - 1, holdPeriodMs, idempotencyRetentionMs, 86_400_000, -1, -holdPeriodMs, -86_400_000),
});

const clockTo: fc.Arbitrary<Step> = fc.record({ type: fc.constant("clockTo" as const), what: fc.constantFrom("hold", "key"), pick: fc.nat(1000), offsetMs: fc.constantFrom(-1, 0, 0, 1) });

/** Steps for a ledger whose machine's clock the test moves. */
export const stepWithClock: fc.Arbitrary<Step> = fc.oneof(
  { weight: 14, arbitrary: batch(fc.constantFrom(undefined, undefined, 0, 1, 1000, 2 * holdPeriodMs)) },
  { weight: 3, arbitrary: release },
  { weight: 2, arbitrary: clock },
  { weight: 3, arbitrary: clockTo },
  { weight: 1, arbitrary: restart },
);

/** Steps for a ledger that runs on the real clock: a hold is eligible at once or not before the test is over. */
export const stepWithoutClock: fc.Arbitrary<Step> = fc.oneof(
  { weight: 14, arbitrary: batch(fc.constantFrom(undefined, 0, 0)) },
  { weight: 3, arbitrary: release },
  { weight: 1, arbitrary: restart },
);

/** The requests that the wishes mean on this ledger; `sent` are those with a key that were sent before. */
export function asksOf(wishes: readonly Wish[], ledger: NaiveLedger, sent: readonly AskedOfWallet[]): AskedOfWallet[] {
  return wishes.map((each, index) => {
    const earlier = picked(sent, each.pick);
    return each.again !== undefined && earlier !== undefined ? again(earlier, each) : askOf(each, ledger, index);
  });
}

function again(earlier: AskedOfWallet, { again: how, validateOnly }: Wish): AskedOfWallet {
  if (how === "other") return { ...earlier, reference: `${earlier.reference ?? ""}!` };
  if (how === "spelled" && "amount" in earlier) return { ...earlier, amount: earlier.amount.includes(".") ? `0${earlier.amount}0` : `${earlier.amount}.000` };
  return { ...earlier, validateOnly };
}

function askOf(wished: Wish, ledger: NaiveLedger, indexInBatch: number): AskedOfWallet {
  const { key, validateOnly, reference, metadata, pick } = wished;
  const hold = wished.aimed ? picked(pick % 4 === 0 ? ledger.holds : ledger.holds.filter(({ status }) => status === "ACTIVE"), pick) : undefined;
  const aim = wished.verb === "reverse" ? hold?.wallet : wished.aimed && wished.verb !== "init" ? picked(ledger.wallets, pick) : undefined;
  const user = aim?.user ?? wished.user;
  const currency = wished.currency === undefined ? undefined : (aim?.currency ?? wished.currency);
  const wallet = aim ?? ledger.wallets.find((each) => each.user === user && (currency ?? each.currency) === each.currency);
  const verb = wished.aimed ? possible(wished, ledger, wallet, hold) : wished.verb;
  const version = verb === "init" ? 0n : (wallet?.version ?? 0n);
  const expectedVersion = wished.version === undefined ? undefined : BigInt(Math.max(0, Number(version) + wished.version));
  const marks = { user, key, validateOnly, reference, metadata, expectedVersion };
  switch (verb) {
    case "init":
      return { type: "init", ...marks, currency: wished.currency ?? "USD", balanceMax: wished.balanceMax };
    case "add": {
      const related = wished.related ? BigInt(pick % (ledger.operations.length + 3)) : undefined;
      return { type: "add", ...marks, currency, amount: amountOf(wished, wallet, (each) => (each.balanceMax ?? 1000n) - each.available - each.held), related };
    }
    case "hold":
      return { type: "hold", ...marks, currency, amount: amountOf(wished, wallet, (each) => each.available), periodMs: wished.periodMs };
    case "reverse":
      // Where it is aimed at no hold: at what the batch itself may place, at somebody else's, or at nothing.
      return { type: "reverse", ...marks, holdId: hold?.holdId ?? BigInt(pick % 3 === 0 ? ledger.operations.length + indexInBatch : pick % (ledger.operations.length + 2)) };
    default:
      return verb satisfies never;
  }
}

/** An aimed wish with nothing to aim at becomes one that makes something: a wallet, money, or a hold. */
function possible({ verb, pick }: Wish, ledger: NaiveLedger, wallet: NaiveWallet | undefined, hold: NaiveHold | undefined): Wish["verb"] {
  if (ledger.wallets.length === 0) return "init";
  if (verb === "reverse" && hold === undefined) return "hold";
  if (verb === "hold" && wallet?.available === 0n && pick % 4 > 0) return "add";
  return verb;
}

function picked<Item>(items: readonly Item[], pick: number): Item | undefined {
  return items[pick % Math.max(1, items.length)];
}

/** The wished amount, or all that the wallet can bear, give or take a minor unit; never nothing, which the edge refuses. */
function amountOf({ amount }: Wish, wallet: NaiveWallet | undefined, mostOf: (wallet: NaiveWallet) => bigint): string {
  if (typeof amount === "string") return amount;
  if (wallet === undefined) return "1";
  const wished = mostOf(wallet) + BigInt(amount.most);
  const digits = (wished > 0n ? wished : 1n).toString().padStart(wallet.exponent + 1, "0");
  return wallet.exponent === 0 ? digits : `${digits.slice(0, -wallet.exponent)}.${digits.slice(-wallet.exponent)}`;
}

/** Where the machine's clock stands after the step. */
export function clockAfter(step: Extract<Step, { type: "clock" | "clockTo" }>, ledger: NaiveLedger, machineTimeMs: number): number {
  if (step.type === "clock") return Math.max(0, machineTimeMs + step.byMs);
  const hold = picked(ledger.holds.filter(({ status }) => status === "ACTIVE"), step.pick);
  const key = picked(ledger.keysAt(machineTimeMs), step.pick);
  const target = step.what === "hold" ? hold?.eligibleTimeMs : key && key.timeMs + idempotencyRetentionMs;
  return target === undefined ? machineTimeMs : target + step.offsetMs;
}

/** Whether the step asks something of the ledger. */
export function isAsking(step: Step): step is Extract<Step, { type: "batch" | "release" }> {
  return step.type === "batch" || step.type === "release";
}

/** The requests of an asking step. */
export function asksOfStep(step: Extract<Step, { type: "batch" | "release" }>, ledger: NaiveLedger, sent: readonly AskedOfWallet[]): Asked[] {
  return step.type === "release" ? [step] : asksOf(step.wishes, ledger, sent);
}
