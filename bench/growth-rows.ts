// Row 5: row 4 again in a ledger that has grown large, against a small one; and row 10's memory while it grows.

import { statSync } from "node:fs";
import { join } from "node:path";
import { startBatchService, startDoor, type BatchContender, type BatchService, type BatchTurn } from "./batch-contenders.ts";
import type { BatchReport } from "./batch-report.ts";
import { filledLedger } from "./filled-ledger.ts";
import { growthPlots, growthTables } from "./growth-report.ts";
import { decimals, percent, ratiosOf, spreadText, whole, type Findings, type Verdict } from "./measured.ts";
import type { Plan } from "./plan.ts";
import { newFolder } from "./processes.ts";
import { memoryOf, type Memory } from "./processor-time.ts";
import { spreadOf } from "./statistics.ts";

const batchLength = 1_000;
const inFlight = 4;
const targets = { withKeys: 0.7, withoutKeys: 0.9 };

/** Memory is flat if it has grown by less than this share since the first fifth. */
const memoryGrowthMax = 0.15;
const firstFifth = 0.2;

/** A step of the growth: so many operations are in the ledger, the last of which went in at this rate. */
export interface Step {
  readonly operations: number;
  readonly wallets: number;
  readonly report: BatchReport;
  readonly memory: Memory;
}

/** The same batches on the small ledger and on the large one. */
export interface Pair {
  readonly contender: "ExecuteBatch" | "bare better-sqlite3";
  readonly withKeys: boolean;
  readonly small: BatchReport[];
  readonly large: BatchReport[];
}

export async function measureGrowth(plan: Plan, say: (line: string) => void): Promise<Findings> {
  const { growth } = plan;
  const wallets = growth.steps * growth.openingsAStep;
  const [smallPath, largePath] = [await filledLedger(plan.wallets), join(newFolder(), "wallet.db")];
  const large = await startBatchService(largePath, wallets);
  const steps = await grow(large, plan, say);

  const small = await startBatchService(smallPath, plan.wallets);
  const service = pairs("ExecuteBatch");
  await inTurns("row 5", service, { small, large }, plan, say);
  await Promise.all([small.stop(), large.stop()]);
  const largeBytes = statSync(largePath).size;

  const [bareSmall, bareLarge] = [await startDoor("bare", smallPath, plan.wallets), await startDoor("bare", largePath, wallets)];
  const bare = pairs("bare better-sqlite3");
  await inTurns("row 5, bare rows", bare, { small: bareSmall, large: bareLarge }, plan, say);
  await Promise.all([bareSmall.stop(), bareLarge.stop()]);

  const operations = steps.at(-1)!.operations;
  return {
    verdicts: [...service.map((pair) => verdict(pair, operations)), memoryVerdict(steps)],
    tables: growthTables({ steps, pairs: [...service, ...bare], largeBytes, smallWallets: plan.wallets }),
    plots: growthPlots(steps),
    causes: [{ row: "5", profile: "batches", sentence: causeOf(service, bare) }],
  };
}

/** The service itself opens wallets and adds to them, everything with a key, so that the ledger is as one that has been in use. */
async function grow({ server, runOn }: BatchService, { growth }: Plan, say: (line: string) => void): Promise<Step[]> {
  const steps: Step[] = [];
  for (let step = 1; step <= growth.steps; step++) {
    const wallets = step * growth.openingsAStep;
    const turn = (operations: number): BatchTurn => ({ batches: operations / batchLength, batchLength, inFlight, withKeys: true });
    await runOn(wallets, { type: "openings", firstUser: wallets - growth.openingsAStep }, turn(growth.openingsAStep));
    const report = await runOn(wallets, { type: "additions" }, turn(growth.additionsAStep));
    const operations = step * (growth.openingsAStep + growth.additionsAStep);
    steps.push({ operations, wallets, report, memory: memoryOf(server.pid) });
    say(`row 5: ${whole(operations)} operations, the last at ${whole(report.operationsPerSecond)} a second`);
  }
  return steps;
}

function pairs(contender: Pair["contender"]): Pair[] {
  return [true, false].map((withKeys) => ({ contender, withKeys, small: [], large: [] }));
}

async function inTurns(row: string, of: readonly Pair[], on: { small: BatchContender; large: BatchContender }, plan: Plan, say: (line: string) => void): Promise<void> {
  for (let round = 0; round <= plan.growth.rounds; round++) {
    say(round === 0 ? `${row}: warming up` : `${row}: round ${round} of ${plan.growth.rounds}`);
    for (const { withKeys, small, large } of of) {
      const turn = { batches: plan.batchesARound, batchLength, inFlight, withKeys };
      const reports = [await on.small.run(turn), await on.large.run(turn)] as const;
      if (round === 0) continue;
      small.push(reports[0]);
      large.push(reports[1]);
    }
  }
}

function verdict({ withKeys, small, large }: Pair, operations: number): Verdict {
  const target = withKeys ? targets.withKeys : targets.withoutKeys;
  const ratio = ratiosOf(large.map(rateOf), small.map(rateOf));
  return {
    row: "5",
    what: `ExecuteBatch of ${whole(batchLength)}, keys ${withKeys ? "on" : "off"}, after ${whole(operations)} operations`,
    against: "itself on a new ledger",
    target: `≥ ${target}`,
    figure: `${whole(medianRate(large))}/s against ${whole(medianRate(small))}/s`,
    ratio: spreadText(ratio, (value) => decimals(value, 2)),
    isMet: ratio.median >= target,
  };
}

/** Of the process's own memory: what it maps of files, such as its program, the system may take back at any time. */
function memoryVerdict(steps: readonly Step[]): Verdict {
  const early = Math.max(1, Math.round(steps.length * firstFifth));
  // Each of the two is the median of the steps around it, since the garbage collector comes when it wants.
  const [around, end] = [steps.slice(Math.max(0, early - 2), early + 1), steps.slice(-3)];
  const medianMib = (some: readonly Step[]): number => spreadOf(some.map((step) => step.memory.ownMib)).median;
  const [last, first] = [medianMib(end), medianMib(around)];
  const growth = last / first - 1;
  return {
    row: "10",
    what: `own memory after ${whole(steps.at(-1)!.operations)} operations`,
    against: `after ${whole(steps[early - 1]!.operations)}`,
    target: `flat: < ${percent(memoryGrowthMax)} more`,
    figure: `${whole(last)} MiB (median of the last ${end.length} steps) against ${whole(first)} MiB (median of the ${around.length} steps around it)`,
    ratio: `${growth < 0 ? "−" : "+"}${percent(Math.abs(growth))}`,
    isMet: growth < memoryGrowthMax,
  };
}

function causeOf(service: readonly Pair[], bare: readonly Pair[]): string {
  const told = (pairsOfOne: readonly Pair[]): string =>
    pairsOfOne.map(({ withKeys, small, large }) => `${decimals(ratiosOf(large.map(rateOf), small.map(rateOf)).median, 2)} with keys ${withKeys ? "on" : "off"}`).join(" and ");
  const writerUs = (reports: readonly BatchReport[]): string => decimals(spreadOf(reports.map((report) => report.writerThreadUs)).median, 0);
  const keyed = service[0]!;
  return (
    `The large ledger reaches ${told(service)}; the bare rows in the same files ${told(bare)}, which is what SQLite's larger trees cost by themselves. ` +
    `With keys an operation takes ${writerUs(keyed.large)} µs of the writer thread in the large ledger and ${writerUs(keyed.small)} µs in the small one; the rest is waiting for pages and syncs.`
  );
}

function rateOf(report: BatchReport): number {
  return report.operationsPerSecond;
}

function medianRate(reports: readonly BatchReport[]): number {
  return spreadOf(reports.map(rateOf)).median;
}
