// Rows 1 and 2: durable unary calls over gRPC, against servers that do nothing.

import { fromBinary } from "@bufbuild/protobuf";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { AddMoneyResponseSchema, HoldMoneyResponseSchema } from "../gen/wallet/v1/wallet_service_pb.ts";
import { fillLedger } from "./filled-ledger.ts";
import type { LoadOrder, LoadReport } from "./load.ts";
import { decimals, ratiosOf, spreadText, whole, type Findings, type Table, type Verdict } from "./measured.ts";
import type { Plan } from "./plan.ts";
import { newFolder, startContender, startHelper, startWallet, type Server } from "./processes.ts";
import { residentMib } from "./processor-time.ts";
import type { BenchMethod } from "./requests.ts";
import { spreadOf } from "./statistics.ts";

const targets: ReadonlyMap<number, number> = new Map([[1, 0.7], [16, 0.7], [64, 0.75], [256, 0.75]]);
const grpcJsInFlight = 64;

interface Contender {
  readonly name: string;
  readonly server: Server;
  readonly method: BenchMethod;
  readonly reports: LoadReport[];
}

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
  /** Memory of the wallet's process after all of that load, in MiB. */
  readonly loadedMib: { readonly now: number; readonly peak: number };
  /** What everything else on the machine took of all processors meanwhile, 0 to 1: where it is much, the figures say little. */
  readonly othersShare: number;
}

export async function measureUnary(plan: Plan, say: (line: string) => void): Promise<UnaryFindings> {
  const folder = newFolder();
  const databasePath = join(folder, "wallet.db");
  say(`rows 1 and 2: filling a ledger with ${whole(plan.wallets)} wallets`);
  await fillLedger(databasePath, plan.wallets);
  const wallet = await startWallet(databasePath);
  const noOp = await startContender("no-op");
  const noOpCommit = await startContender("no-op", join(folder, "commit.db"));
  const grpcJs = await startContender("grpc-js");
  const bareHttp2 = await startContender("bare-http2");
  const load = startHelper<LoadOrder, LoadReport>("bench/load.ts");

  const levels = plan.inFlight.map((inFlight): Level => ({
    inFlight,
    add: contender("wallet AddMoney", wallet, "AddMoney"),
    noOp: contender("no-op, same server", noOp, "AddMoney"),
    hold: contender("wallet HoldMoney", wallet, "HoldMoney"),
    noOpCommit: inFlight === 1 ? contender("no-op + bare commit", noOpCommit, "AddMoney") : undefined,
    grpcJs: inFlight === grpcJsInFlight ? contender("no-op, @grpc/grpc-js", grpcJs, "AddMoney") : undefined,
    bareHttp2: contender("ceiling: bare node:http2", bareHttp2, "AddMoney"),
  }));

  for (let round = 1; round <= plan.rounds; round++) {
    say(`rows 1 and 2: round ${round} of ${plan.rounds}`);
    for (const level of levels) {
      for (const { server, method, reports } of contendersOf(level)) {
        const { wallets, warmUpMs, measureMs } = plan;
        const report = await load.ask({ port: server.port, serverPid: server.pid, method, wallets, inFlight: level.inFlight, warmUpMs, measureMs });
        if (report.failures > 0 || report.calls === 0) throw new Error(`${server.name} ${method}: ${report.failures} failures in ${report.calls} calls`);
        if (server === wallet) checkSample(method, report.sample);
        reports.push(report);
      }
    }
  }
  const loadedMib = residentMib(wallet.pid);
  load.stop();
  await Promise.all([wallet, noOp, noOpCommit, grpcJs, bareHttp2].map((server) => server.stop()));

  const others = levels.flatMap(contendersOf).flatMap(({ reports }) => reports.map(({ othersMs, seconds }) => othersMs / 1000 / seconds / availableParallelism()));
  const verdicts: Verdict[] = levels.flatMap(({ inFlight, add, hold, noOp: idle, noOpCommit: committing }) => {
    const rival = committing ?? idle;
    return [add, hold].map((ours) => verdict("1", `${ours.method}, ${inFlight} in flight`, ours, rival, targets.get(inFlight)!));
  });
  for (const { inFlight, add, hold, grpcJs: rival } of levels) {
    if (rival !== undefined) verdicts.push(...[add, hold].map((ours) => verdict("2", `${ours.method}, ${inFlight} in flight`, ours, rival, 1)));
  }
  return { verdicts, tables: levels.map((level) => tableOf(level.inFlight, contendersOf(level))), loadedMib, othersShare: spreadOf(others).median };
}

function contender(name: string, server: Server, method: BenchMethod): Contender {
  return { name, server, method, reports: [] };
}

/** Those of a level in the order of their turns. */
function contendersOf({ add, noOp, hold, noOpCommit, grpcJs, bareHttp2 }: Level): Contender[] {
  return [add, noOp, hold, noOpCommit, grpcJs, bareHttp2].filter((each) => each !== undefined);
}

/** A load that got wrong answers, or replays, would measure nothing. */
function checkSample(method: BenchMethod, sample: string): void {
  const bytes = Buffer.from(sample, "base64");
  const { operation, replayed } = method === "AddMoney" ? fromBinary(AddMoneyResponseSchema, bytes) : fromBinary(HoldMoneyResponseSchema, bytes);
  if (operation?.amount !== "0.01" || operation.hash.length !== 32 || replayed) throw new Error(`${method} was answered with ${sample}`);
}

function verdict(row: string, what: string, ours: Contender, rival: Contender, target: number): Verdict {
  const ratio = ratiosOf(ours.reports.map(rateOf), rival.reports.map(rateOf));
  return {
    row,
    what: `durable ${what}`,
    against: rival.name,
    target: `≥ ${target}`,
    figure: `${whole(spreadOf(ours.reports.map(rateOf)).median)}/s against ${whole(spreadOf(rival.reports.map(rateOf)).median)}/s`,
    ratio: spreadText(ratio, (value) => decimals(value, 2)),
    isMet: ratio.median >= target,
  };
}

function tableOf(inFlight: number, contenders: readonly Contender[]): Table {
  const rows = contenders.map(({ name, reports }) => [
    name,
    spreadText(spreadOf(reports.map(rateOf)), whole),
    decimals(spreadOf(reports.map((report) => report.p50Ms)).median, 2),
    decimals(spreadOf(reports.map((report) => report.p99Ms)).median, 2),
    whole(spreadOf(reports.map((report) => (1000 * total(report.serverMs)) / report.calls)).median),
    percent(spreadOf(reports.map((report) => busy(report, "MainThread"))).median),
    percent(spreadOf(reports.map((report) => busy(report, "writer"))).median),
    percent(spreadOf(reports.map((report) => report.loadMs / 1000 / report.seconds)).median),
  ]);
  return {
    title: `Rows 1 and 2: ${inFlight} in flight`,
    columns: ["contender", "calls/s", "p50 ms", "p99 ms", "server CPU µs/call", "main thread busy", "writer thread busy", "load busy"],
    rows,
    notes: [binding(contenders[0]!)],
  };
}

/** What the wallet waits for, as far as its threads show it. */
function binding({ reports }: Contender): string {
  const [main, writer, load] = [
    spreadOf(reports.map((report) => busy(report, "MainThread"))).median,
    spreadOf(reports.map((report) => busy(report, "writer"))).median,
    spreadOf(reports.map((report) => report.loadMs / 1000 / report.seconds)).median,
  ];
  const shares = `main thread ${percent(main)}, writer thread ${percent(writer)}, load ${percent(load)}`;
  if (main > 0.85) return `AddMoney is bound by the main thread (HTTP/2, Connect, protobuf, validation, the log line): ${shares}.`;
  if (writer > 0.85) return `AddMoney is bound by the writer thread (deciding, SQLite, sync): ${shares}.`;
  return `AddMoney is bound by waiting, for the sync to disk or for a processor, not by one thread's work: ${shares}.`;
}

function rateOf(report: LoadReport): number {
  return report.calls / report.seconds;
}

function busy(report: LoadReport, thread: string): number {
  return (report.serverMs[thread] ?? 0) / 1000 / report.seconds;
}

function total(times: Record<string, number>): number {
  return Object.values(times).reduce((sum, ms) => sum + ms, 0);
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}
