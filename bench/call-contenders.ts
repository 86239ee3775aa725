// Contenders that answer unary calls: they take turns under one load, and their reports become verdicts and tables.

import { fromBinary } from "@bufbuild/protobuf";
import { AddMoneyResponseSchema, HoldMoneyResponseSchema } from "../gen/wallet/v1/wallet_service_pb.ts";
import { bindingOf } from "./binding.ts";
import { busy, cpuUsPerCall, medianOf, rateOf, shareOf } from "./load-figures.ts";
import type { LoadOrder, LoadReport, Protocol } from "./load.ts";
import { decimals, percent, ratiosOf, spreadText, whole, type ProfiledLoad, type Table, type Verdict } from "./measured.ts";
import type { Plan } from "./plan.ts";
import { placeOf, type Helper, type Server } from "./processes.ts";
import type { BenchMethod } from "./requests.ts";
import { spreadOf } from "./statistics.ts";

export interface Contender {
  readonly name: string;
  readonly server: Server;
  readonly protocol: Protocol;
  readonly method: BenchMethod;
  readonly reports: LoadReport[];
}

export type Load = Helper<LoadOrder, LoadReport>;

export function contender(name: string, server: Server, protocol: Protocol, method: BenchMethod = "AddMoney"): Contender {
  return { name, server, protocol, method, reports: [] };
}

/** One turn of each, in order. Throws where a call fails, or where the wallet's answers are not those of new operations. */
export async function takeTurns(load: Load, contenders: readonly Contender[], plan: Plan, inFlight: number, connectionsMin = 1): Promise<void> {
  for (const { name, server, protocol, method, reports } of contenders) {
    const { wallets, warmUpMs, measureMs } = plan;
    const report = await load.ask({ protocol, servers: [placeOf(server)], method, wallets, inFlight, connectionsMin, warmUpMs, measureMs });
    checkReport(name, report);
    if (server.name === "wallet") checkSample(protocol, method, report.sample);
    reports.push(report);
  }
}

export function checkReport(name: string, { calls, failures }: LoadReport): void {
  if (failures > 0 || calls === 0) throw new Error(`${name}: ${failures} failures in ${calls} calls`);
}

/** A load that got wrong answers, or replays, would measure nothing. */
export function checkSample(protocol: Protocol, method: BenchMethod, sample: string, hashBytesExpected = 32): void {
  const bytes = Buffer.from(sample, "base64");
  const [amount, hashBytes, replayed] = protocol === "grpc" ? ofBinary(method, bytes) : ofJson(bytes);
  if (amount !== "0.01" || hashBytes !== hashBytesExpected || replayed) throw new Error(`${method} was answered with ${sample}`);
}

type Told = readonly [amount: string | undefined, hashBytes: number | undefined, replayed: boolean];

function ofBinary(method: BenchMethod, bytes: Buffer): Told {
  const { operation, replayed } = method === "AddMoney" ? fromBinary(AddMoneyResponseSchema, bytes) : fromBinary(HoldMoneyResponseSchema, bytes);
  return [operation?.amount, operation?.hash.length, replayed];
}

function ofJson(bytes: Buffer): Told {
  const { operation, replayed } = JSON.parse(bytes.toString()) as { operation: { amount: string; hash: string }; replayed: boolean };
  return [operation.amount, Buffer.from(operation.hash, "base64").length, replayed];
}

/** One of them under so many calls in flight, over gRPC where no other `way` is said, and what it is compared with. */
interface Match {
  readonly row: string;
  readonly ours: Contender;
  readonly way?: string;
  readonly inFlight: number;
  readonly rival: Contender;
  readonly target: number;
}

/** That one of them is at least so many times as fast as the other. */
export function rateVerdict({ row, ours, way = "", inFlight, rival, target }: Match): Verdict {
  const ratio = ratiosOf(ours.reports.map(rateOf), rival.reports.map(rateOf));
  return {
    row,
    what: `durable ${ours.method}${way}, ${inFlight} in flight`,
    against: rival.name,
    target: `≥ ${target}`,
    figure: `${whole(medianRate(ours))}/s against ${whole(medianRate(rival))}/s`,
    ratio: spreadText(ratio, (value) => decimals(value, 2)),
    isMet: ratio.median >= target,
    binding: bindingOf(ours.reports, { rivalPerSecond: medianRate(rival), target }),
    profile: profiledLoadOf(ours, inFlight),
  };
}

/** The one that is most like these calls. */
function profiledLoadOf({ protocol, method }: Contender, inFlight: number): ProfiledLoad {
  if (protocol !== "grpc") return "json";
  if (inFlight === 1) return "oneInFlight";
  return method === "HoldMoney" ? "holdMoney" : "addMoney";
}

export function callTable(title: string, contenders: readonly Contender[], notes: readonly string[]): Table {
  const rows = contenders.map(({ name, reports }) => [
    name,
    spreadText(spreadOf(reports.map(rateOf)), whole),
    decimals(medianOf(reports, (report) => report.p50Ms), 2),
    decimals(medianOf(reports, (report) => report.p99Ms), 2),
    whole(medianOf(reports, cpuUsPerCall)),
    percent(medianOf(reports, (report) => busy(report, "MainThread"))),
    percent(medianOf(reports, (report) => busy(report, "writer"))),
    percent(medianOf(reports, (report) => shareOf(report.loadMs, report))),
  ]);
  return { title, columns: ["contender", "calls/s", "p50 ms", "p99 ms", "server CPU µs/call", "main thread busy", "writer thread busy", "load busy"], rows, notes };
}

export function medianRate({ reports }: Contender): number {
  return medianOf(reports, rateOf);
}
