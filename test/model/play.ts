// Plays a sequence of steps on a whole ledger and on the model side by side, and compares every answer and, at the end, everything else.

import { setImmediate as nextTurn } from "node:timers/promises";
import { expect } from "vitest";
import type { Answer } from "../../src/domain/answer.ts";
import type { JournalRecord } from "../../src/domain/journal.ts";
import { CommandQueue } from "../../src/ledger/command-queue.ts";
import { executorOn, type Executor } from "../../src/ledger/executor.ts";
import { toCommand, type Asked, type AskedOfWallet } from "../support/asked.ts";
import type { Engine, LedgerPlace } from "../support/engines.ts";
import { expectReadsToEqual, seenIn, timeless } from "./compare.ts";
import { count, type Tally } from "./coverage.ts";
import type { Seen } from "./naive-state.ts";
import { NaiveLedger } from "./naive-wallet.ts";
import { assets, holdPeriodMs, idempotencyRetentionMs, naiveRules, rules } from "./rules.ts";
import { asksOfStep, clockAfter, isAsking, type Step } from "./steps.ts";

/** Hears each request with the answer that the model gives, and each restart and turn of the clock. */
export type Trace = (line: string) => void;

const startMs = Date.UTC(2026, 0, 1);

/** On a store in this thread, with a clock that the steps move. A step's requests are one batch. */
export async function playOnStore(engine: Engine, steps: readonly Step[], tally: Tally, trace: Trace = () => {}): Promise<void> {
  const place = await engine.open();
  const ledger = new NaiveLedger(naiveRules, startMs, engine.partitions);
  const told = new Map<bigint, JournalRecord>();
  const sent: AskedOfWallet[] = [];
  let machineTimeMs = startMs;
  const open = async (): Promise<Executor> => executorOn(await place.openStore(() => machineTimeMs), rules);
  let executor = await open();
  try {
    for (const step of steps) {
      if (isAsking(step)) {
        const asks = asksOfStep(step, ledger, sent);
        const expected = ledger.execute(asks, machineTimeMs);
        describe(trace, asks, expected);
        const answers = await executor.execute(asks.map(toCommand));
        expect(answers.map(seenIn)).toEqual(expected);
        keepWhatWasTold(told, asks, answers);
        count(tally, asks, expected);
        sent.push(...withKeys(asks));
      } else if (step.type === "restart") {
        trace("restart");
        await executor.close();
        executor = await open();
      } else {
        machineTimeMs = clockAfter(step, ledger, machineTimeMs);
        trace(`the machine's clock stands at ${machineTimeMs - startMs} ms from the start`);
      }
    }
    await expectTheEnd(place, ledger, told, machineTimeMs, { withTimes: true });
  } finally {
    await executor.close();
    await place.remove();
  }
}

/** Batches shorter than what gathers, so that there are several. */
const queueTo = (executor: Executor): CommandQueue => new CommandQueue(executor, { queueLengthMax: 10_000, batchLengthMax: 5 });

async function oneByOne(queue: CommandQueue, asks: readonly Asked[]): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (const asked of asks) answers.push(await queue.submit(toCommand(asked)));
  return answers;
}

/** Through the queue and the executor that the service has, on the real clock. Requests are not waited for, so that they gather into batches of any length. */
export async function playOnQueue(engine: Engine, steps: readonly Step[], tally: Tally, trace: Trace = () => {}): Promise<void> {
  const place = await engine.open();
  const ledger = new NaiveLedger(naiveRules, Date.now(), engine.partitions);
  const told = new Map<bigint, JournalRecord>();
  const sent: AskedOfWallet[] = [];
  const start = (): Promise<Executor> => place.startExecutor({ assets, holdPeriodMs, autoRelease: false, idempotencyRetentionMs, batchLengthMax: 1_024 });
  let executor = await start();
  let queue = queueTo(executor);
  const underWay: { asks: Asked[]; expected: Seen[]; answers: Promise<Answer[]> }[] = [];
  const settle = async (): Promise<void> => {
    for (const { asks, expected, answers } of underWay.splice(0)) {
      expect((await answers).map(seenIn).map(timeless)).toEqual(expected.map(timeless));
      keepWhatWasTold(told, asks, await answers);
    }
  };
  try {
    for (const step of steps) {
      if (isAsking(step)) {
        const asks = asksOfStep(step, ledger, sent);
        const expected = asks.flatMap((asked) => ledger.execute([asked], Date.now()));
        describe(trace, asks, expected);
        // What is about every partition goes through them one after the other, and what is sent meanwhile may go before it in one that it has not reached.
        const isAboutEverybody = engine.partitions > 1 && asks.some((asked) => asked.type === "release" && asked.user === undefined);
        if (isAboutEverybody) await settle();
        underWay.push({ asks, expected, answers: isAboutEverybody ? oneByOne(queue, asks) : Promise.all(asks.map((asked) => queue.submit(toCommand(asked)))) });
        if (isAboutEverybody) await settle();
        count(tally, asks, expected);
        sent.push(...withKeys(asks));
        if (asks.length === 1) await nextTurn();
      } else if (step.type === "restart") {
        trace("restart");
        await queue.close();
        await settle();
        await executor.close();
        executor = await start();
        queue = queueTo(executor);
      }
    }
    await settle();
    await expectTheEnd(place, ledger, told, Date.now(), { withTimes: false });
  } finally {
    await queue.close();
    await executor.close();
    await place.remove();
  }
}

/** A read that starts after an answer was sent sees it, so the ledger is read while it is still open for writing. */
async function expectTheEnd(place: LedgerPlace, ledger: NaiveLedger, told: ReadonlyMap<bigint, JournalRecord>, machineTimeMs: number, options: { withTimes: boolean }): Promise<void> {
  const reads = await place.openReads(() => machineTimeMs);
  try {
    await expectReadsToEqual(ledger, reads, machineTimeMs, options);
    for (const [operationId, record] of told) expect((await reads.operation(operationId))?.record).toEqual({ ...record, hash: Buffer.from(record.hash) });
  } finally {
    await reads.close();
  }
  expect(await place.checkBooks(idempotencyRetentionMs)).toEqual({ operations: ledger.operations.length, problems: [] });
}

/** What an applied operation was said to be is what the journal has for ever, the hash included, however often it is said. */
function keepWhatWasTold(told: Map<bigint, JournalRecord>, asks: readonly Asked[], answers: readonly Answer[]): void {
  answers.forEach((answer, index) => {
    if (answer.type !== "applied" || (asks[index]!.validateOnly && !answer.replayed)) return;
    const before = told.get(answer.record.operationId);
    if (before !== undefined) expect({ ...answer.record, hash: hexOf(answer.record.hash) }).toEqual({ ...before, hash: hexOf(before.hash) });
    told.set(answer.record.operationId, answer.record);
  });
}

function describe(trace: Trace, asks: readonly Asked[], expected: readonly Seen[]): void {
  const text = (value: unknown): string => JSON.stringify(value, (_, each: unknown) => (typeof each === "bigint" ? Number(each) : each));
  asks.forEach((asked, index) => {
    const seen = expected[index]!;
    const answer = seen.type === "applied" ? `${seen.replayed ? "replayed" : "applied"} as operation ${seen.operation.operationId}, leaving ${text(seen.operation.after)}` : text(seen);
    trace(`${index === 0 ? "batch" : "  and"} ${text(asked)}\n        expected: ${answer}`);
  });
}

function withKeys(asks: readonly Asked[]): AskedOfWallet[] {
  return asks.filter((asked) => asked.type !== "release").filter((asked) => asked.key !== undefined);
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
