// What a sequence consists of: wishes whose amounts, holds, keys and versions are aimed at what the ledger has by then, clocks, and restarts.

import * as fc from "fast-check";
import type { Asked, AskedOfWallet } from "../support/asked.ts";
import { asksOf, picked } from "./aims.ts";
import { holdPeriodMs, idempotencyRetentionMs } from "./rules.ts";
import type { NaiveLedger } from "./naive-wallet.ts";

/** A request, said in terms of whatever there is when its turn comes. */
export interface Wish {
  readonly verb: AskedOfWallet["type"];
  /** At a wallet and a hold that are there, if there are any; else at this user and currency, whether or not they have a wallet. */
  readonly aimed: boolean;
  readonly user: string;
  readonly currency: string | undefined;
  /** As it is written, or so many minor units more than a part of the most that is possible. */
  readonly amount: string | { readonly parts: number; readonly more: number };
  readonly balanceMax: string | undefined;
  readonly periodMs: number | undefined;
  /** By how much the hold's period is to be longer. */
  readonly longerByMs: number;
  /** Whose wallet receives: where undefined, somebody's who has one in the currency. */
  readonly to: string | undefined;
  /** Whether a capture goes into a wallet. */
  readonly into: boolean;
  readonly final: boolean | undefined;
  /** Which wallet, hold, related operation or earlier request: an index, taken around. */
  readonly pick: number;
  /** 0 to 99, for whatever happens in so many of a hundred cases. */
  readonly dice: number;
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
  { weight: 6, arbitrary: fc.record({ parts: fc.constantFrom(1, 1, 1, 2, 3), more: fc.constantFrom(0, 0, 0, 1, -1) }) },
);

/** How often each is wished, relative to the others. */
const verbWeights: Readonly<Record<Wish["verb"], number>> = {
  init: 4,
  add: 6,
  hold: 8,
  reverse: 4,
  capture: 11,
  extend: 5,
  withdraw: 4,
  transfer: 9,
  freeze: 3,
  unfreeze: 3,
  close: 4,
  limit: 3,
};
const verbs = fc.oneof(...Object.entries(verbWeights).map(([verb, weight]) => ({ weight, arbitrary: fc.constant(verb as Wish["verb"]) })));

/** Periods as a ledger with this kind of clock can have them in a sequence that is to end always alike. */
interface Periods {
  readonly periodMs: fc.Arbitrary<number | undefined>;
  readonly longerByMs: fc.Arbitrary<number>;
}

function wish({ periodMs, longerByMs }: Periods): fc.Arbitrary<Wish> {
  return fc.record({
    verb: verbs,
    aimed: fc.integer({ min: 0, max: 9 }).map((number) => number < 9),
    user: users,
    currency: fc.oneof({ weight: 10, arbitrary: currencies }, { weight: 3, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.constant("XAU") }),
    amount: amounts,
    balanceMax: rarely(fc.constantFrom("0", "1", "100", "100.5", "1000", "9223372036854775807", "92233720368547758.07", "92233720368547758.08"), 4),
    periodMs,
    longerByMs,
    to: fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: users }),
    into: fc.boolean(),
    final: fc.constantFrom(undefined, undefined, false, true),
    pick: fc.nat(1000),
    dice: fc.nat(99),
    related: fc.integer({ min: 0, max: 9 }).map((number) => number === 0),
    key: rarely(fc.nat(40).map((number) => `k${number}`), 2),
    version: rarely(fc.constantFrom(0, 0, 0, 1, -1), 6),
    validateOnly: fc.integer({ min: 0, max: 9 }).map((number) => number === 0),
    reference: rarely(fc.constantFrom("rent", "Miete für März 🏠", ""), 5),
    metadata: rarely(fc.constantFrom({}, { a: "1" }, { b: "2", a: "1" }, JSON.parse('{"__proto__":"x","constructor":"","10":"a","9":"b"}') as Record<string, string>), 6),
    again: rarely(fc.constantFrom("same" as const, "same" as const, "spelled" as const, "other" as const), 6),
  });
}

const release: fc.Arbitrary<Step> = fc.record({
  type: fc.constant("release" as const),
  user: rarely(users, 3),
  currency: rarely(currencies, 4),
  validateOnly: fc.integer({ min: 0, max: 7 }).map((number) => number === 0),
});

const batch = (periods: Periods): fc.Arbitrary<Step> =>
  fc.record({ type: fc.constant("batch" as const), wishes: fc.array(wish(periods), { minLength: 1, maxLength: 4, size: "max" }) });

const restart: fc.Arbitrary<Step> = fc.constant({ type: "restart" });

const clock: fc.Arbitrary<Step> = fc.record({
  type: fc.constant("clock" as const),
  byMs: fc.constantFrom(1, 999, holdPeriodMs - 1, holdPeriodMs, idempotencyRetentionMs, 86_400_000, -1, -holdPeriodMs, -86_400_000),
});

const clockTo: fc.Arbitrary<Step> = fc.record({ type: fc.constant("clockTo" as const), what: fc.constantFrom("hold", "key"), pick: fc.nat(1000), offsetMs: fc.constantFrom(-1, 0, 0, 1) });

/** Steps for a ledger whose machine's clock the test moves. */
export const stepWithClock: fc.Arbitrary<Step> = fc.oneof(
  { weight: 14, arbitrary: batch({ periodMs: fc.constantFrom(undefined, undefined, 0, 1, 1000, 2 * holdPeriodMs), longerByMs: fc.constantFrom(0, -1, 1, 1, 1000, holdPeriodMs) }) },
  { weight: 3, arbitrary: release },
  { weight: 2, arbitrary: clock },
  { weight: 3, arbitrary: clockTo },
  { weight: 1, arbitrary: restart },
);

/** Steps for a ledger that runs on the real clock: a hold is eligible at once or not before the test is over. */
export const stepWithoutClock: fc.Arbitrary<Step> = fc.oneof(
  { weight: 14, arbitrary: batch({ periodMs: fc.constantFrom(undefined, 0, 0), longerByMs: fc.constantFrom(0, holdPeriodMs) }) },
  { weight: 3, arbitrary: release },
  { weight: 1, arbitrary: restart },
);

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
