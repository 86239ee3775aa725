// Row 8: unary calls and batches on PostgreSQL, by one server process and by three, against the service that one would write first on the same database.

import { availableParallelism } from "node:os";
import type { BatchLoadOrder, BatchLoadReport } from "./batch-load.ts";
import { cpuUsPerCall, databaseUsPerCall, loadUsPerCall, rateOf } from "./load-figures.ts";
import type { LoadOrder, LoadReport } from "./load.ts";
import { decimals, percent, ratiosOf, spreadText, whole, type Findings, type ProfiledLoad, type Table, type Verdict } from "./measured.ts";
import type { Plan } from "./plan.ts";
import { batchesInFlight, batchLength, popularities, runBatches, runUnary, startDeployments, unaryInFlight, type Deployment } from "./postgres-contenders.ts";
import { startPostgres } from "./postgres-server.ts";
import { startHelper } from "./processes.ts";
import { processorBound } from "./processor-bound.ts";
import { spreadOf } from "./statistics.ts";
import type { Popularity } from "./wallet-picker.ts";

const [unaryTarget, batchedTarget] = [8, 15];
/** Of the rate on wallets that are all as popular as each other. */
const zipfTarget = 0.8;

/** What a turn came to, of unary calls or of batches; times in microseconds an operation. */
interface Turn {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly serversUs: number;
  readonly databaseUs: number;
  readonly loadUs: number;
}

/** The turns of one contender, round by round. */
interface Line {
  readonly deployment: Deployment;
  readonly popularity: Popularity;
  readonly turns: readonly Turn[];
  readonly profile: ProfiledLoad;
}

const wallets: Readonly<Record<Popularity, string>> = { uniform: "uniform", zipf: "Zipf(1.0)" };

export async function measurePostgres(plan: Plan, say: (line: string) => void): Promise<Findings> {
  say("row 8: starting PostgreSQL");
  const postgres = await startPostgres();
  const { obvious, ours, stop } = await startDeployments(postgres, { ...plan, ...plan.postgres }, say);
  const [load, batchLoad] = [startHelper<LoadOrder, LoadReport>("bench/load.ts"), startHelper<BatchLoadOrder, BatchLoadReport>("bench/batch-load.ts")];
  const { warmUpBatches, batchesATurn } = plan.postgres;
  // What is compiled while it runs is slow at first, and no turn is to be the first of its kind.
  for (const each of [obvious, ...ours]) await runUnary(load, each, "uniform", plan, postgres.pid);
  for (const each of ours) await runBatches(batchLoad, each, "uniform", plan.wallets, warmUpBatches, postgres.pid);
  for (let round = 1; round <= plan.rounds; round++) {
    say(`row 8: round ${round} of ${plan.rounds}`);
    for (const each of [obvious, ...ours]) for (const popularity of popularities) each.unary[popularity].push(await runUnary(load, each, popularity, plan, postgres.pid));
    for (const each of ours) {
      for (const popularity of popularities) each.batched[popularity].push(await runBatches(batchLoad, each, popularity, plan.wallets, batchesATurn, postgres.pid));
    }
  }
  for (const each of [load, batchLoad]) each.stop();
  await stop();
  await postgres.stop();

  const rivals = popularities.map((popularity) => unaryLine(obvious, popularity));
  const unary = ours.flatMap((each) => popularities.map((popularity) => unaryLine(each, popularity)));
  const batched = ours.flatMap((each) => popularities.map((popularity) => batchedLine(each, popularity)));
  const [rival] = rivals as [Line, ...Line[]];
  return {
    verdicts: [
      ...unary.filter(isUniform).map((line) => ratioVerdict(`durable AddMoney, ${unaryInFlight} in flight`, line, rival, unaryTarget)),
      ...batched.filter(isUniform).map((line) => ratioVerdict(`ExecuteBatch of ${whole(batchLength)}, ${batchesInFlight} in flight`, line, rival, batchedTarget)),
      ...zipfVerdicts("AddMoney", unary),
      ...zipfVerdicts("ExecuteBatch", batched),
    ],
    tables: [tableOf(`Row 8: PostgreSQL, unary calls, ${unaryInFlight} in flight`, [...rivals, ...unary], rivals, unaryNotes), tableOf(`Row 8: PostgreSQL, batches of ${whole(batchLength)}, ${batchesInFlight} in flight`, batched, rivals, batchedNotes)],
    causes: [{ row: "8", sentence: waitsFor }],
  };
}

const waitsFor = "What all processors are busy with binds a rate; the rest is waiting for commits, which one sync makes durable together, for answers of the database, and for heads of partitions.";

const unaryNotes = [
  "The obvious service is the wallet's own server with a handler that does what one would write first: a connection of a pool of 16, BEGIN, SELECT … FOR UPDATE of the wallet, a look for the key, UPDATE, INSERT of the operation, COMMIT. It keeps no history by wallet, no totals, no holds and no hashes.",
  "PostgreSQL 18 is on the same machine, with its own defaults: every commit is synced to disk. All contenders are on one server of it, each in a database of its own, and the load goes to several servers of the service in equal shares.",
  "Batches without partitions are those of 1 partition: what has more is beside it, with as many servers and the same popularity of wallets.",
  "PostgreSQL's processor time is that of all its processes together. Servers, PostgreSQL and load share the processors, so that a rate shows what all of them cost together: more servers can be no faster here than one that has the processors to itself.",
];
const batchedNotes = ["A batch is one transaction over all partitions that its wallets are in. The obvious service has no batches: the ratio is to its unary calls in the same round."];

function unaryLine(deployment: Deployment, popularity: Popularity): Line {
  const turns = deployment.unary[popularity].map((report): Turn => {
    const { p50Ms, p99Ms } = report;
    return { perSecond: rateOf(report), p50Ms, p99Ms, serversUs: cpuUsPerCall(report), databaseUs: databaseUsPerCall(report), loadUs: loadUsPerCall(report) };
  });
  return { deployment, popularity, turns, profile: "postgresAddMoney" };
}

function batchedLine(deployment: Deployment, popularity: Popularity): Line {
  const turns = deployment.batched[popularity].map(
    ({ operationsPerSecond, p50Ms, p99Ms, cpuUs, databaseUs, loadUs }): Turn => ({ perSecond: operationsPerSecond, p50Ms, p99Ms, serversUs: cpuUs, databaseUs, loadUs }),
  );
  return { deployment, popularity, turns, profile: "postgresBatches" };
}

function isUniform({ popularity }: Line): boolean {
  return popularity === "uniform";
}

function ratioVerdict(what: string, line: Line, rival: Line, target: number): Verdict {
  const ratio = ratiosOf(rates(line), rates(rival));
  return {
    row: "8",
    what: `PostgreSQL: ${what}, ${line.deployment.name}`,
    against: rival.deployment.name,
    target: `≥ ${target}`,
    figure: `${whole(medianOf(line, (turn) => turn.perSecond))}/s against ${whole(medianOf(rival, (turn) => turn.perSecond))}/s`,
    ratio: spreadText(ratio, (value) => decimals(value, 1)),
    isMet: ratio.median >= target,
    binding: bindingOf(line, rival, target),
    profile: line.profile,
  };
}

/** Lines come in pairs. */
function zipfVerdicts(method: string, lines: readonly Line[]): Verdict[] {
  return lines.filter(isUniform).map((uniform) => {
    const zipf = lines.find(({ deployment, popularity }) => deployment === uniform.deployment && popularity === "zipf")!;
    const ratio = ratiosOf(rates(zipf), rates(uniform));
    return {
      row: "8",
      what: `PostgreSQL: ${method} on ${wallets.zipf} wallets, ${zipf.deployment.name}`,
      against: "itself on uniform wallets",
      target: `≥ ${zipfTarget}`,
      figure: `${whole(medianOf(zipf, (turn) => turn.perSecond))}/s against ${whole(medianOf(uniform, (turn) => turn.perSecond))}/s`,
      ratio: spreadText(ratio, (value) => decimals(value, 2)),
      isMet: ratio.median >= zipfTarget,
      binding: bindingOf(zipf, uniform, zipfTarget),
      profile: zipf.profile,
    };
  });
}

function tableOf(title: string, lines: readonly Line[], rivals: readonly Line[], notes: readonly string[]): Table {
  const rows = lines.map((line) => {
    const rival = rivals.find(({ popularity }) => popularity === line.popularity)!;
    const undivided = lines.find(({ deployment, popularity }) => deployment.partitions === 1 && deployment.servers.length === line.deployment.servers.length && popularity === line.popularity);
    const median = (value: (turn: Turn) => number, digits: number): string => decimals(medianOf(line, value), digits);
    return [
      line.deployment.name,
      wallets[line.popularity],
      spreadText(spreadOf(rates(line)), whole),
      line === rival ? "1" : spreadText(ratiosOf(rates(line), rates(rival)), (value) => decimals(value, 1)),
      line.deployment.partitions > 1 && undivided !== undefined ? spreadText(ratiosOf(rates(line), rates(undivided)), (value) => decimals(value, 2)) : "–",
      median((turn) => turn.p50Ms, 1),
      median((turn) => turn.p99Ms, 1),
      median((turn) => turn.serversUs, 0),
      median((turn) => turn.databaseUs, 0),
      median((turn) => turn.loadUs, 0),
    ];
  });
  return { title, columns: ["contender", "wallets", "operations/s", "of the obvious service", "of 1 partition", "p50 ms", "p99 ms", "servers' CPU µs/operation", "PostgreSQL's", "the load's"], rows, notes };
}

/** What the processors permit it, and how much of them it keeps busy. */
function bindingOf(line: Line, rival: Line, target: number): string {
  const [serversUs, databaseUs, loadUs] = [medianOf(line, (turn) => turn.serversUs), medianOf(line, (turn) => turn.databaseUs), medianOf(line, (turn) => turn.loadUs)];
  const bound = processorBound("An operation", { serversUs, databaseUs, loadUs }, { rivalPerSecond: medianOf(rival, (turn) => turn.perSecond), target });
  const share = medianOf(line, (turn) => ((turn.serversUs + turn.databaseUs + turn.loadUs) * turn.perSecond) / 1_000_000 / availableParallelism());
  return `${bound}. It keeps ${percent(share)} of all processors busy.`;
}

function rates({ turns }: Line): number[] {
  return turns.map((turn) => turn.perSecond);
}

function medianOf({ turns }: Line, value: (turn: Turn) => number): number {
  return spreadOf(turns.map(value)).median;
}
