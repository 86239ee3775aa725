// How the rate of ExecuteBatch depends on how many operations a batch has: a plot beside row 4.

import { startBatchService } from "./batch-contenders.ts";
import type { BatchReport } from "./batch-report.ts";
import { filledLedger } from "./filled-ledger.ts";
import { decimals, spreadText, whole, type Findings } from "./measured.ts";
import type { Plan } from "./plan.ts";
import { spreadOf } from "./statistics.ts";

const sizes = [1, 10, 100, 1_000, 10_000];
const inFlightMax = 4;

/** The service's queue takes 16,384 operations: two of the largest batches are more than that, and one of them would be refused. */
const operationsInFlightMax = 16_000;

export async function measureBatchSizes(plan: Plan, say: (line: string) => void): Promise<Findings> {
  const { wallets, batchSizes } = plan;
  const service = await startBatchService(await filledLedger(wallets), wallets);
  const results = sizes.map((batchLength) => ({ batchLength, reports: [] as BatchReport[] }));
  for (let round = 0; round <= batchSizes.rounds; round++) {
    say(round === 0 ? "row 4: warming up batches of all sizes" : `row 4: batches of all sizes, round ${round} of ${batchSizes.rounds}`);
    for (const { batchLength, reports } of results) {
      const batches = Math.min(batchSizes.callsATurnMax, Math.ceil(batchSizes.operationsATurn / batchLength));
      const inFlight = Math.min(inFlightMax, Math.floor(operationsInFlightMax / batchLength));
      const report = await service.run({ batches, batchLength, inFlight, withKeys: true });
      if (round > 0) reports.push(report);
    }
  }
  await service.stop();

  const rows = results.map(({ batchLength, reports }) => [
    whole(batchLength),
    spreadText(spreadOf(reports.map((report) => report.operationsPerSecond)), whole),
    ...[(report: BatchReport) => report.cpuUs, (report: BatchReport) => report.mainThreadUs, (report: BatchReport) => report.writerThreadUs].map((value) => decimals(spreadOf(reports.map(value)).median, 1)),
  ]);
  const points = results.map(({ batchLength, reports }) => {
    const { median, min, max } = spreadOf(reports.map((report) => report.operationsPerSecond));
    return { x: batchLength, y: median, min, max };
  });
  return {
    verdicts: [],
    tables: [
      {
        title: "Batches of other sizes",
        columns: ["operations a batch", "operations/s", "CPU µs/operation", "of it main thread", "of it writer thread"],
        rows,
        notes: [`ExecuteBatch over gRPC with keys, ${inFlightMax} batches in flight; of 10,000 one, since the queue takes no two of them.`],
      },
    ],
    plots: [
      {
        file: "rate-against-batch-size.svg",
        title: "ExecuteBatch with keys, by how many operations a batch has",
        xLabel: "operations a batch",
        yLabel: "operations a second",
        xScale: "log",
        xTicks: sizes,
        series: [{ name: "ExecuteBatch", points }],
      },
    ],
  };
}
