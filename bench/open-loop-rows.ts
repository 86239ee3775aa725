// Row 7: how long a call takes when calls arrive at half of the rate that the service can reach, whoever is still waiting.

import { join } from "node:path";
import { checkReport, contender, medianRate, takeTurns, type Contender, type Load } from "./call-contenders.ts";
import type { CommitOrder, CommitReport } from "./commit-times.ts";
import { filledLedger } from "./filled-ledger.ts";
import { cpuUsPerCall, medianOf, rateOf, shareOf } from "./load-figures.ts";
import type { LoadOrder, LoadReport } from "./load.ts";
import { decimals, percent, spreadText, whole, type Findings, type Table, type Verdict } from "./measured.ts";
import type { Plan } from "./plan.ts";
import { newFolder, placeOf, startContender, startHelper, startWallet } from "./processes.ts";
import { spreadOf } from "./statistics.ts";

const target = 2;
const shareOfPeak = 0.5;
const peakInFlight = 64;

/** More than ever wait in a service that keeps up, on as many connections as a few clients have. */
const inFlightMax = 512;

/** `peakPerSecond`: AddMoney of row 1 at 64 in flight, in the same run; measured here where that row was left out. */
export async function measureOpenLoop(plan: Plan, peakPerSecond: number | undefined, say: (line: string) => void): Promise<Findings> {
  say("row 7: starting the servers");
  const load = startHelper<LoadOrder, LoadReport>("bench/load.ts");
  const commits = startHelper<CommitOrder, CommitReport>("bench/commit-times.ts");
  const wallet = contender("wallet AddMoney", await startWallet(await filledLedger(plan.wallets)), "grpc");
  const noOp = contender("no-op, same server", await startContender("no-op"), "grpc");
  const commitReports: CommitReport[] = [];
  const commitPath = join(newFolder(), "commits.db");

  // Also warms both up.
  const peaks = [wallet, noOp].map((each) => ({ ...each, reports: [] }));
  await takeTurns(load, peaks, plan, peakInFlight);
  const callsPerSecond = Math.max(1, Math.round(shareOfPeak * (peakPerSecond ?? medianRate(peaks[0]!))));

  for (let round = 1; round <= plan.rounds; round++) {
    say(`row 7: round ${round} of ${plan.rounds}, ${whole(callsPerSecond)} calls a second`);
    await takeTurn(load, wallet, plan, callsPerSecond);
    await takeTurn(load, noOp, plan, callsPerSecond);
    commitReports.push(await commits.ask({ databasePath: commitPath, measureMs: plan.measureMs }));
  }
  load.stop();
  commits.stop();
  await Promise.all([wallet.server.stop(), noOp.server.stop()]);
  return {
    verdicts: [verdict(wallet, noOp, commitReports, callsPerSecond)],
    tables: [tableOf([wallet, noOp], commitReports, callsPerSecond)],
    causes: [{ row: "7", profile: "addMoney", sentence: causeOf(wallet, noOp, commitReports) }],
  };
}

async function takeTurn(load: Load, { name, server, protocol, method, reports }: Contender, plan: Plan, callsPerSecond: number): Promise<void> {
  const { wallets, warmUpMs, openLoopMs } = plan;
  const report = await load.ask({ protocol, servers: [placeOf(server)], method, wallets, inFlight: inFlightMax, callsPerSecond, warmUpMs, measureMs: openLoopMs });
  checkReport(name, report);
  reports.push(report);
}

function verdict({ reports: ours }: Contender, { reports: idle }: Contender, commits: readonly CommitReport[], callsPerSecond: number): Verdict {
  const ratio = spreadOf(ours.map((report, round) => report.p99Ms / (idle[round]!.p99Ms + commits[round]!.p99Ms)));
  const [noOpMs, commitMs] = [medianOf(idle, (report) => report.p99Ms), spreadOf(commits.map((each) => each.p99Ms)).median];
  return {
    row: "7",
    what: `p99 of durable AddMoney, ${whole(callsPerSecond)} calls a second arriving`,
    against: "p99 of the no-op + p99 of a bare commit",
    target: `≤ ${target}`,
    figure: `${decimals(medianOf(ours, (report) => report.p99Ms), 2)} ms against ${decimals(noOpMs, 2)} + ${decimals(commitMs, 2)} ms`,
    ratio: spreadText(ratio, (value) => decimals(value, 2)),
    isMet: ratio.median <= target,
  };
}

function tableOf(contenders: readonly Contender[], commits: readonly CommitReport[], callsPerSecond: number): Table {
  const rows = contenders.map(({ name, reports }) => [
    name,
    whole(medianOf(reports, rateOf)),
    ...[(report: LoadReport) => report.p50Ms, (report: LoadReport) => report.p99Ms, (report: LoadReport) => report.p999Ms].map((value) => spreadText(spreadOf(reports.map(value)), twoDecimals)),
    whole(medianOf(reports, cpuUsPerCall)),
    percent(medianOf(reports, (report) => shareOf(report.loadMs, report))),
  ]);
  const ofCommits = [(report: CommitReport) => report.p50Ms, (report: CommitReport) => report.p99Ms, (report: CommitReport) => report.p999Ms];
  rows.push(["a bare commit, one after another", whole(spreadOf(commits.map((each) => each.perSecond)).median), ...ofCommits.map((value) => spreadText(spreadOf(commits.map(value)), twoDecimals)), "–", "–"]);
  return {
    title: `Row 7: ${whole(callsPerSecond)} calls a second, whoever is still waiting`,
    columns: ["contender", "calls/s", "p50 ms", "p99 ms", "p99.9 ms", "server CPU µs/call", "load busy"],
    rows,
    notes: [
      `Half of the rate that AddMoney reaches with ${peakInFlight} in flight. Departures are a Poisson process: the times between them are random, so that now and then several come at once. A call counts from when it was to depart until its whole answer was there, so what a stall keeps waiting counts in full.`,
      "The load looks at the clock and at its sockets every 0.1 ms, which is as late as it can be; that is in all of the figures and takes it some of a processor.",
    ],
  };
}

function causeOf({ reports: ours }: Contender, { reports: idle }: Contender, commits: readonly CommitReport[]): string {
  const p50 = `at the median ${decimals(medianOf(ours, (report) => report.p50Ms), 2)} ms against ${decimals(medianOf(idle, (report) => report.p50Ms), 2)} + ${decimals(spreadOf(commits.map((each) => each.p50Ms)).median, 2)} ms`;
  return `A call takes ${p50}. What the p99 has beyond that is waiting: for the commit under way, for the one that it shares, and on this machine for one of the processors that server, sync and load share.`;
}

function twoDecimals(value: number): string {
  return decimals(value, 2);
}
