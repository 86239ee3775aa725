// Rows 1 and 2: durable unary calls over gRPC, against servers that do nothing.

import { availableParallelism } from "node:os";
import { join } from "node:path";
import { callTable, contender, medianRate, rateVerdict, takeTurns, type Contender } from "./call-contenders.ts";
import { filledLedger } from "./filled-ledger.ts";
import { rateOf, shareOf } from "./load-figures.ts";
import type { LoadOrder, LoadReport } from "./load.ts";
import { whole, type Findings, type Verdict } from "./measured.ts";
import type { Plan } from "./plan.ts";
import type { Plot } from "./plots.ts";
import { newFolder, startContender, startHelper, startWallet } from "./processes.ts";
import { memoryOf, type Memory } from "./processor-time.ts";
import { spreadOf } from "./statistics.ts";

const targets: ReadonlyMap<number, number> = new Map([[1, 0.7], [16, 0.7], [64, 0.75], [256, 0.75]]);
const grpcJsInFlight = 64;

/** Where rows that need one rate take it from. */
const peakInFlight = 64;

const wayOfACall = "A call goes through the main thread (HTTP/2, protobuf, validation, the log line) and the writer thread (deciding, SQLite, sync); the no-ops have only the first of these.";

interface Level {
  readonly inFlight: number;
  readonly add: Contender;
  readonly noOp: Contender;
  readonly hold: Contender;
  /** What one call at a time is compared with. */
  readonly noOpCommit: Contender | undefined;
  readonly grpcJs: Contender | undefined;
  readonly bareHttp2: Contender;
}

export interface UnaryFindings extends Findings {
  /** Memory of the wallet's process after all of that load. */
  readonly loaded: Memory;
  /** What everything else on the machine took of all processors meanwhile, 0 to 1: where it is much, the figures say little. */
  readonly othersShare: number;
  /** AddMoney at 64 in flight, in calls a second. */
  readonly peakPerSecond: number;
}

export async function measureUnary(plan: Plan, say: (line: string) => void): Promise<UnaryFindings> {
  say(`rows 1 and 2: filling a ledger with ${whole(plan.wallets)} wallets`);
  const wallet = await startWallet(await filledLedger(plan.wallets));
  const noOp = await startContender("no-op");
  const noOpCommit = await startContender("no-op", join(newFolder(), "commit.db"));
  const grpcJs = await startContender("grpc-js");
  const bareHttp2 = await startContender("bare-http2");
  const load = startHelper<LoadOrder, LoadReport>("bench/load.ts");

  const levels = plan.inFlight.map((inFlight): Level => ({
    inFlight,
    add: contender("wallet AddMoney", wallet, "grpc", "AddMoney"),
    noOp: contender("no-op, same server", noOp, "grpc"),
    hold: contender("wallet HoldMoney", wallet, "grpc", "HoldMoney"),
    noOpCommit: inFlight === 1 ? contender("no-op + bare commit", noOpCommit, "grpc") : undefined,
    grpcJs: inFlight === grpcJsInFlight ? contender("no-op, @grpc/grpc-js", grpcJs, "grpc") : undefined,
    bareHttp2: contender("ceiling: bare node:http2", bareHttp2, "grpc"),
  }));

  for (let round = 1; round <= plan.rounds; round++) {
    say(`rows 1 and 2: round ${round} of ${plan.rounds}`);
    for (const level of levels) await takeTurns(load, contendersOf(level), plan, level.inFlight);
  }
  const loaded = memoryOf(wallet.pid);
  load.stop();
  await Promise.all([wallet, noOp, noOpCommit, grpcJs, bareHttp2].map((server) => server.stop()));

  const others = levels.flatMap(contendersOf).flatMap(({ reports }) => reports.map((report) => shareOf(report.othersMs, report) / availableParallelism()));
  const peak = levels.find(({ inFlight }) => inFlight === peakInFlight)!;
  return {
    verdicts: levels.flatMap(verdictsOfRow1).concat(levels.flatMap(verdictsOfRow2)),
    tables: levels.map((level) => callTable(`Rows 1 and 2: ${level.inFlight} in flight`, contendersOf(level), [])),
    plots: [plotOf(levels)],
    causes: [
      { row: "1", sentence: `${wayOfACall} With one call in flight these follow each other, mostly on one processor at a time, so that what all of them permit is out of reach.` },
      { row: "2", sentence: wayOfACall },
    ],
    loaded,
    othersShare: spreadOf(others).median,
    peakPerSecond: medianRate(peak.add),
  };
}

/** Those of a level in the order of their turns. */
function contendersOf({ add, noOp, hold, noOpCommit, grpcJs, bareHttp2 }: Level): Contender[] {
  return [add, noOp, hold, noOpCommit, grpcJs, bareHttp2].filter((each) => each !== undefined);
}

function verdictsOfRow1({ inFlight, add, hold, noOp, noOpCommit }: Level): Verdict[] {
  return [add, hold].map((ours) => rateVerdict({ row: "1", ours, inFlight, rival: noOpCommit ?? noOp, target: targets.get(inFlight)! }));
}

function verdictsOfRow2({ inFlight, add, hold, grpcJs }: Level): Verdict[] {
  return grpcJs === undefined ? [] : [add, hold].map((ours) => rateVerdict({ row: "2", ours, inFlight, rival: grpcJs, target: 1 }));
}

function plotOf(levels: readonly Level[]): Plot {
  const series = (name: string, which: (level: Level) => Contender): Plot["series"][number] => ({
    name,
    points: levels.map((level) => {
      const { median, min, max } = spreadOf(which(level).reports.map(rateOf));
      return { x: level.inFlight, y: median, min, max };
    }),
  });
  return {
    file: "rate-against-concurrency.svg",
    title: "Durable unary calls over gRPC, by how many are in flight",
    xLabel: "calls in flight",
    yLabel: "calls a second",
    xScale: "log",
    xTicks: levels.map(({ inFlight }) => inFlight),
    series: [series("no-op, same server", (level) => level.noOp), series("AddMoney", (level) => level.add), series("HoldMoney", (level) => level.hold)],
  };
}
