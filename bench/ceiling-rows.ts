// The writer's own ceiling: how many operations a second one writer thread takes, and how many processors have to feed it before it is what binds.

import { startDoor } from "./batch-contenders.ts";
import type { BatchReport } from "./batch-report.ts";
import { contender, takeTurns } from "./call-contenders.ts";
import { filledLedger } from "./filled-ledger.ts";
import { cpuUsPerCall, medianOf } from "./load-figures.ts";
import type { LoadOrder, LoadReport } from "./load.ts";
import { decimals, spreadText, whole, type Findings } from "./measured.ts";
import type { Plan } from "./plan.ts";
import { startHelper, startWallet } from "./processes.ts";
import { spreadOf } from "./statistics.ts";

const smallLength = 64;
const largeLength = 1_000;

/** So many gather, so that the writer always finds the next ones waiting. */
const atATime = 4;

export async function measureCeiling(plan: Plan, say: (line: string) => void): Promise<Findings> {
  const { wallets, batchesARound, batchRounds } = plan;
  const door = await startDoor("door", await filledLedger(wallets), wallets);
  const wallet = contender("wallet AddMoney", await startWallet(await filledLedger(wallets)), "grpc");
  const load = startHelper<LoadOrder, LoadReport>("bench/load.ts");
  const large: BatchReport[] = [];
  const small: BatchReport[] = [];
  for (let round = 0; round <= batchRounds; round++) {
    say(round === 0 ? "ceiling: warming up" : `ceiling: round ${round} of ${batchRounds}`);
    const common = { type: "run", batchesAtATime: atATime, withKeys: true } as const;
    const largeReport = await door.helper.ask({ ...common, commandType: "batch", batches: Math.ceil(batchesARound / 2), batchLength: largeLength });
    const smallReport = await door.helper.ask({ ...common, commandType: "single", batches: batchesARound * 4, batchLength: smallLength });
    await takeTurns(load, [wallet], plan, smallLength);
    if (round === 0) continue;
    large.push(largeReport);
    small.push(smallReport);
  }
  load.stop();
  await Promise.all([door.stop(), wallet.server.stop()]);

  const writerUs = ({ serverMs, calls }: LoadReport): number => (1000 * (serverMs.writer ?? 0)) / calls;
  const unary = wallet.reports.slice(1);
  const otherUs = medianOf(unary, (report) => cpuUsPerCall(report) - writerUs(report));
  const [unaryUs, fullUs] = [medianOf(unary, writerUs), spreadOf(small.map((report) => report.writerThreadUs)).median];
  return {
    verdicts: [],
    tables: [
      {
        title: "The writer's own ceiling",
        columns: ["what the writer is given", "operations/s", "µs an operation, by the clock", "CPU of the writer thread, µs an operation", "operations/s if it never waited"],
        rows: [ceilingRow(`batches of ${whole(largeLength)}, ${atATime} at a time`, large), ceilingRow(`single commands, ${smallLength} arriving together, ${atATime} such at a time`, small)],
        notes: [
          "The ledger without a network, with keys: a queue is fed by one thread and has all that the writer can take. By the clock is with the waits for syncs to disk, and for a processor where this machine has too few.",
          `There is one writer for each ledger, however many processors there are. A unary AddMoney over gRPC with ${smallLength} in flight takes ${whole(otherUs)} µs of processor time outside of the writer thread, and in the same run ${whole(unaryUs)} µs of the writer's, ` +
            `whose commits are small then; the more calls wait, the larger they are, and the nearer to the ${whole(fullUs)} µs of single commands above. ` +
            `So ${decimals(otherUs / unaryUs, 1)} to ${decimals(otherUs / fullUs, 1)} processors of network work keep one writer busy. ` +
            `With more than ${Math.ceil(otherUs / fullUs) + 1} processors, its own included, it is the writer that binds such calls, and further ones bring nothing; calls that only read, and those over JSON, take more of the network threads.`,
        ],
      },
    ],
  };
}

function ceilingRow(what: string, reports: readonly BatchReport[]): string[] {
  const cpuUs = spreadOf(reports.map((report) => report.writerThreadUs)).median;
  return [what, spreadText(spreadOf(reports.map((report) => report.operationsPerSecond)), whole), decimals(spreadOf(reports.map(wallUs)).median, 1), decimals(cpuUs, 1), whole(1_000_000 / cpuUs)];
}

/** Microseconds of the clock an operation: the writer is the only one that never rests here. */
function wallUs({ operationsPerSecond }: BatchReport): number {
  return 1_000_000 / operationsPerSecond;
}
