// Sequences of requests, clocks and restarts on the whole store, against a naive model of the contract: not one answer may differ.
//
// WALLET_MODEL_RUNS and WALLET_MODEL_LENGTH make it long (20000 and 60); WALLET_MODEL_SEED replays what a failure printed.
// WALLET_MODEL_SHRINK=0 tells the first sequence that diverges as it is, instead of looking for a shorter one.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { engines } from "../support/engines.ts";
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

/** Each starts a thread, so they are few. */
const runsOnQueue = Math.max(20, Math.floor(runs / 100));

const timeoutMs = 2_000 * runs;

interface Run {
  readonly title: string;
  readonly numRuns: number;
  readonly step: fc.Arbitrary<Step>;
  readonly play: (steps: readonly Step[], tally: Tally, trace?: Trace) => Promise<void>;
}

/** Plays sequences until one diverges; then throws an error that has the shortest such sequence and the line that plays it again. */
async function neverDiverges({ title, numRuns, step, play }: Run): Promise<Tally> {
  const tally: Tally = new Map();
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
  return tally;
}

describe.each(engines)("$name", (engine) => {
  test("a store answers as the model does", { timeout: timeoutMs }, async () => {
    const tally = await neverDiverges({ title: "a store answers as the model does", numRuns: runs, step: stepWithClock, play: (...sequence) => playOnStore(engine, ...sequence) });
    console.info(`${engine.name}: ${tally.get("request")} requests in ${runs} sequences, as the model has it\n${summaryOf(tally)}`);
    expect(path !== undefined || runs < 1000 ? [] : everything.filter((name) => !tally.has(name))).toEqual([]);
  });

  test("the queue and its executor answer as the model does", { timeout: timeoutMs }, async () => {
    const title = "the queue and its executor answer as the model does";
    await neverDiverges({ title, numRuns: runsOnQueue, step: stepWithoutClock, play: (...sequence) => playOnQueue(engine, ...sequence) });
  });
});
