// Row 4: ExecuteBatch of a thousand operations over gRPC, against the same rows written by bare better-sqlite3.

import { startBatchService, startDoor } from "./batch-contenders.ts";
import type { BatchReport } from "./batch-report.ts";
import { filledLedger } from "./filled-ledger.ts";
import { decimals, ratiosOf, spreadText, whole, type Findings, type Table, type Verdict } from "./measured.ts";
import type { Plan } from "./plan.ts";
import { spreadOf } from "./statistics.ts";

const batchLength = 1_000;
/** One batch at a time waits for each to be sent, made durable and told; of four, one is read while another is written. */
const batchesAtATime = [1, 4];
const target = 0.7;
/** Speed.md asks for this rate where the bare loop does half as much again. */
const rateTarget = 100_000;
const bareRateForTarget = 150_000;

/** What took turns with each other, round after round. */
interface Kind {
  readonly withKeys: boolean;
  readonly inFlight: number;
  readonly rpc: BatchReport[];
  readonly bare: BatchReport[];
  readonly door: BatchReport[];
}

export async function measureBatches(plan: Plan, say: (line: string) => void): Promise<Findings> {
  const { wallets, batchesARound: batches, batchRounds } = plan;
  say(`row 4: starting on ledgers with ${whole(wallets)} wallets`);
  const [bare, door] = [await startDoor("bare", await filledLedger(wallets), wallets), await startDoor("door", await filledLedger(wallets), wallets)];
  const service = await startBatchService(await filledLedger(wallets), wallets);

  const kinds = [true, false].flatMap((withKeys) => batchesAtATime.map((inFlight): Kind => ({ withKeys, inFlight, rpc: [], bare: [], door: [] })));
  for (let round = 0; round <= batchRounds; round++) {
    say(round === 0 ? "row 4: warming up" : `row 4: round ${round} of ${batchRounds}`);
    for (const kind of kinds) {
      const turn = { batches, batchLength, inFlight: kind.inFlight, withKeys: kind.withKeys };
      // Each as often as the others, so that their files grow alike.
      const reports = [await service.run(turn), await bare.run(turn), await door.run(turn)] as const;
      if (round === 0) continue;
      kind.rpc.push(reports[0]);
      kind.bare.push(reports[1]);
      kind.door.push(reports[2]);
    }
  }
  for (const each of [service, bare, door]) await each.stop();
  return { verdicts: kinds.map(verdict), tables: [tableOf(kinds)], causes: [{ row: "4", profile: "batches", sentence: causeOf(kinds) }] };
}

/** From the figures of four in flight with keys, which is what clients are told to do. */
function causeOf(kinds: readonly Kind[]): string {
  const { rpc, bare, door } = kinds.find(({ withKeys, inFlight }) => withKeys && inFlight === Math.max(...batchesAtATime))!;
  const us = (reports: readonly BatchReport[], value: (report: BatchReport) => number): number => spreadOf(reports.map(value)).median;
  const [clockUs, writerUs, mainUs] = [us(rpc, (report) => 1_000_000 / rateOf(report)), us(rpc, (report) => report.writerThreadUs), us(rpc, (report) => report.mainThreadUs)];
  const busiest = writerUs > mainUs ? "the writer thread (reading, deciding, hashing, writing)" : "the main thread (HTTP/2, protobuf, validation)";
  return (
    `With keys and ${Math.max(...batchesAtATime)} in flight an operation takes ${whole(clockUs)} µs by the clock. The writer thread computes for ${whole(writerUs)} µs of them and the main thread for ${whole(mainUs)} µs; ` +
    `the bare rows take ${whole(us(bare, (report) => report.cpuUs))} µs, and the ledger without a network ${whole(us(door, (report) => report.writerThreadUs))} µs of its writer thread. ` +
    `What binds it is ${busiest}; what the clock has beyond that is waiting for syncs, and for a processor.`
  );
}

function verdict({ withKeys, inFlight, rpc, bare }: Kind): Verdict {
  const [rates, bareRates] = [rpc.map(rateOf), bare.map(rateOf)];
  const ratio = ratiosOf(rates, bareRates);
  const [rate, bareRate] = [spreadOf(rates).median, spreadOf(bareRates).median];
  const isFastMachine = bareRate >= bareRateForTarget;
  return {
    row: "4",
    what: `ExecuteBatch of ${whole(batchLength)}, ${inFlight} in flight, keys ${withKeys ? "on" : "off"}`,
    against: "the same rows by bare better-sqlite3",
    target: isFastMachine ? `≥ ${target} and ≥ ${whole(rateTarget)}/s` : `≥ ${target}`,
    figure: `${whole(rate)}/s against ${whole(bareRate)}/s`,
    ratio: spreadText(ratio, (value) => decimals(value, 2)),
    isMet: ratio.median >= target && (!isFastMachine || rate >= rateTarget),
  };
}

function tableOf(kinds: readonly Kind[]): Table {
  return {
    title: `Row 4: ${whole(batchLength)} operations at once`,
    columns: ["contender", "keys", "operations/s", "of the bare rows", "CPU µs/operation", "of it main thread", "of it writer thread"],
    rows: kinds.flatMap((kind) => [
      tableRow(`ExecuteBatch, ${kind.inFlight} in flight`, kind, kind.rpc),
      tableRow(`the ledger without a network, ${kind.inFlight} at a time`, kind, kind.door),
      tableRow("bare better-sqlite3", kind, kind.bare),
    ]),
    notes: [
      "ExecuteBatch is called over gRPC by another process, on one connection, with messages encoded beforehand; its results are decoded afterwards, and every one of them was applied, and for the first time.",
      "The ledger without a network is given the same batches as commands: it has the queue, the writer thread, the decisions and the store, but no HTTP/2, protobuf, validation and log. What ExecuteBatch takes beyond it is the network thread's.",
      "The bare rows are written one batch after another, without reading, deciding, checking or hashing; the ledger reads each wallet and key first and seals each record with SHA-256. They write each wallet's row in its place at once, as one would; the ledger appends what the wallet is, and the row learns of it later, with many others.",
      "CPU is that of the contender's own process, without the load's.",
    ],
  };
}

function tableRow(name: string, { withKeys, bare }: Kind, reports: readonly BatchReport[]): string[] {
  const medianOf = (value: (report: BatchReport) => number): string => decimals(spreadOf(reports.map(value)).median, 1);
  return [
    name,
    withKeys ? "on" : "off",
    spreadText(spreadOf(reports.map(rateOf)), whole),
    reports === bare ? "1" : spreadText(ratiosOf(reports.map(rateOf), bare.map(rateOf)), (value) => decimals(value, 2)),
    medianOf((report) => report.cpuUs),
    medianOf((report) => report.mainThreadUs),
    medianOf((report) => report.writerThreadUs),
  ];
}

function rateOf(report: BatchReport): number {
  return report.operationsPerSecond;
}
