// What a second network thread brings here: the service with one and with two of them, taking turns.

import { availableParallelism } from "node:os";
import { callTable, contender, takeTurns } from "./call-contenders.ts";
import { filledLedger } from "./filled-ledger.ts";
import { cpuUsPerCall, medianOf, rateOf } from "./load-figures.ts";
import type { LoadOrder, LoadReport } from "./load.ts";
import { decimals, ratiosOf, whole, type Findings } from "./measured.ts";
import type { Plan } from "./plan.ts";
import { startHelper, startWallet } from "./processes.ts";

const inFlight = 64;

/** The system gives whole connections to threads: of one, only one thread would have anything to do. */
const connections = 16;

export async function measureNetworkThreads(plan: Plan, say: (line: string) => void): Promise<Findings> {
  say("ceiling: starting with one and with two network threads");
  const started = async (threads: number) => contender(`--network-threads=${threads}`, await startWallet(await filledLedger(plan.wallets), `--network-threads=${threads}`), "grpc");
  const [one, two] = [await started(1), await started(2)];
  const load = startHelper<LoadOrder, LoadReport>("bench/load.ts");
  await takeTurns(load, [one, two].map((each) => ({ ...each, reports: [] })), plan, inFlight, connections);
  for (let round = 1; round <= plan.rounds; round++) {
    say(`ceiling: network threads, round ${round} of ${plan.rounds}`);
    await takeTurns(load, [one, two], plan, inFlight, connections);
  }
  load.stop();
  await Promise.all([one, two].map(({ server }) => server.stop()));

  const processors = availableParallelism();
  const cpuUs = ({ reports }: typeof one): string => whole(medianOf(reports, cpuUsPerCall));
  const place =
    processors > 3
      ? `There are ${processors} processors, so that each thread can have one of its own.`
      : `On ${processors} processors, which the first network thread, the writer, the load and the system share already, the second one has no processor of its own: it takes its time from the others, so that this says nothing of a machine with more.`;
  return {
    verdicts: [],
    tables: [
      callTable(`Network threads: ${inFlight} in flight`, [one, two], [
        `Durable AddMoney over gRPC, on ${connections} connections that the system deals out among the threads, which need not be in equal shares. With two threads the rate is ${decimals(ratiosOf(two.reports.map(rateOf), one.reports.map(rateOf)).median, 2)} of that with one, and a call takes ${cpuUs(two)} µs of processor time against ${cpuUs(one)}. ${place}`,
        "The second network thread is not the main one; what it takes is in the processor time of the server.",
      ]),
    ],
  };
}
