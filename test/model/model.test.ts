// Sequences of requests, clocks and restarts on the whole store, against a naive model of the contract: not one answer may differ.
//
// WALLET_MODEL_RUNS and WALLET_MODEL_LENGTH make it long (20000 and 60); WALLET_MODEL_SEED replays what a failure printed.
// WALLET_MODEL_SHRINK=0 tells the first sequence that diverges as it is, instead of looking for a shorter one.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { engines, type Engine } from "../support/engines.ts";
import { everything, summaryOf, type Tally } from "./coverage.ts";
import { playOnQueue, playOnStore, type Trace } from "./play.ts";
import { stepWithClock, stepWithoutClock, type Step } from "./steps.ts";

/** Sequences of the run on the store. */
const runs = Number(process.env["WALLET_MODEL_RUNS"] ?? 1000);

/** Steps of the longest sequences: the average one has half as many steps, and some two requests a step. */
const length = Number(process.env["WALLET_MODEL_LENGTH"] ?? 40);

/** `seed` or `seed@path`, as a failure prints it. */
const [seed, path] = (process.env["WALLET_MODEL_SEED"] ?? "").split("@");

/** Looking for the shortest sequence takes longer than finding one. */
const shrinks = process.env["WALLET_MODEL_SHRINK"] !== "0" && path === undefined;

/** The rules are the same code on every engine, so one plays them all; what others do besides shows in fewer. A server of its own makes a database for each sequence and waits for messages at each step. */
const runsOn = ({ name }: Engine): number => {
  if (name === "sqlite") return runs;
  return Math.max(20, Math.floor(runs / (name.startsWith("sqlite") ? 10 : 40)));
};

/** Each starts a thread, so they are few. */
const runsOnQueue = Math.max(20, Math.floor(runs / 100));

/** What is rare may be missing from a thousand sequences by chance; from so many times as many only where the generator has gone blind to it. Of a seed there is one play. */
const timesMax = seed ? 1 : 5;

const timeoutMs = 600_000 + 2_000 * runs * timesMax;

interface Run {
  readonly title: string;
  readonly numRuns: number;
  readonly step: fc.Arbitrary<Step>;
  readonly play: (steps: readonly Step[], tally: Tally, trace?: Trace) => Promise<void>;
}

/** Plays sequences, counted in the tally, until one diverges; then throws an error that has the shortest such sequence and the line that plays it again. */
async function neverDiverges({ title, numRuns, step, play }: Run, tally: Tally = new Map()): Promise<void> {
  const sequences = fc.array(step, { minLength: 1, maxLength: length, size: "max" });
  const result = await fc.check(
    fc.asyncProperty(sequences, (steps) => play(steps, tally)),
    { numRuns, ...(seed ? { seed: Number(seed) } : {}), ...(path ? { path } : {}), endOnFailure: !shrinks },
  );
  if (result.failed) {
    const line = `WALLET_MODEL_RUNS=${runs} WALLET_MODEL_LENGTH=${length} WALLET_MODEL_SEED='${result.seed}@${result.counterexamplePath}' npx vitest run test/model -t '${title}'`;
    const story: string[] = [];
    // Once more, to tell the shortest sequence in the requests' own words; it diverges again.
    await play(result.counterexample?.[0] ?? [], new Map(), (event) => void story.push(event)).catch(() => {});
    const error = result.errorInstance instanceof Error ? result.errorInstance : new Error(String(result.errorInstance));
    throw new Error(`The ledger and the model diverge after:\n\n${story.join("\n")}\n\nThis plays it again:\n\n  ${line}\n\n${error.message}`, { cause: error });
  }
}

describe.each(engines)("$name", (engine) => {
  test("a store answers as the model does", { timeout: timeoutMs }, async () => {
    const tally: Tally = new Map();
    const run: Run = { title: "a store answers as the model does", numRuns: runsOn(engine), step: stepWithClock, play: (...sequence) => playOnStore(engine, ...sequence) };
    const missing = (): readonly string[] => (path !== undefined || runsOn(engine) < 1000 ? [] : everything.filter((name) => !tally.has(name)));
    let times = 0;
    do await neverDiverges(run, tally);
    while (++times < timesMax && missing().length > 0);
    console.info(`${engine.name}: ${tally.get("request")} requests in ${times * runsOn(engine)} sequences, as the model has it\n${summaryOf(tally)}`);
    expect(missing()).toEqual([]);
  });

  test("the queue and its executor answer as the model does", { timeout: timeoutMs }, async () => {
    const title = "the queue and its executor answer as the model does";
    await neverDiverges({ title, numRuns: runsOnQueue, step: stepWithoutClock, play: (...sequence) => playOnQueue(engine, ...sequence) });
  });
});
