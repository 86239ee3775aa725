// The load: a process of its own that keeps calls in flight for a while and tells how many were answered, how fast, and at what cost.
//
// Started by load-process.ts, which sends it one order after another.

import { GrpcConnection } from "./grpc-connection.ts";
import { machineBusyMs, threadTimes, usedBetween } from "./processor-time.ts";
import { pathOf, requestWriter, type BenchMethod } from "./requests.ts";
import { percentile } from "./statistics.ts";

export interface LoadOrder {
  readonly port: number;
  /** The server's process: its processor time is read at the beginning and the end of the measurement. */
  readonly serverPid: number;
  readonly method: BenchMethod;
  readonly wallets: number;
  readonly inFlight: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

export interface LoadReport {
  readonly calls: number;
  readonly failures: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Processor time of the server during the measurement, in milliseconds by thread. */
  readonly serverMs: Record<string, number>;
  /** Processor time of this process. */
  readonly loadMs: number;
  /** Processor time of everything else on the machine. */
  readonly othersMs: number;
  /** The last good answer's message, in base64. */
  readonly sample: string;
}

/** Calls in flight on one connection; more take more connections, as in a real fleet of clients. */
const inFlightPerConnection = 64;

/** A slot without as many answers as calls in flight goes on, at most so many times as long. */
const extensionsMax = 50;

/** No slot of any row has more answers than this. */
const latenciesMax = 4_000_000;
const latencies = new Float64Array(latenciesMax);

/** Keys go on from one order to the next, so that none is ever used twice. */
let lastKey = 0;

async function run(order: LoadOrder): Promise<LoadReport> {
  let count = 0;
  let failures = 0;
  let isMeasuring = false;
  const writer = requestWriter(order.method, order.wallets, () => ++lastKey);
  const connections = splitInFlight(order.inFlight).map(
    (inFlight) =>
      new GrpcConnection({
        port: order.port,
        path: pathOf(order.method),
        inFlight,
        writeMessage: (into, at) => writer.write(into, at),
        messageBytes: writer.messageBytes,
        onAnswer(latencyMs, isGood) {
          if (!isMeasuring) return;
          if (!isGood) failures++;
          if (count < latenciesMax) latencies[count++] = latencyMs;
        },
      }),
  );
  const ended = Promise.all(connections.map((connection) => connection.ended.promise));
  const during = (ms: number): Promise<unknown> => Promise.race([ended, new Promise((resolve) => setTimeout(resolve, ms))]);

  await during(order.warmUpMs);
  const machineBefore = machineBusyMs();
  const before = threadTimes(order.serverPid);
  const ownBefore = process.cpuUsage();
  const startMs = performance.now();
  isMeasuring = true;
  await during(order.measureMs);
  // On a machine that is busy with other things even a short slot has to see something.
  for (let extensions = 0; count < order.inFlight && extensions < extensionsMax; extensions++) await during(order.measureMs);
  isMeasuring = false;
  const seconds = (performance.now() - startMs) / 1000;
  const own = process.cpuUsage(ownBefore);
  const serverMs = usedBetween(before, threadTimes(order.serverPid));
  const loadMs = (own.user + own.system) / 1000;
  const othersMs = machineBusyMs() - machineBefore - loadMs - [...serverMs.values()].reduce((sum, ms) => sum + ms, 0);
  for (const connection of connections) connection.stop();
  await ended;

  const sorted = latencies.subarray(0, count).toSorted();
  return {
    calls: count,
    failures,
    seconds,
    p50Ms: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
    serverMs: Object.fromEntries(serverMs),
    loadMs,
    othersMs: Math.max(0, othersMs),
    sample: connections[0]!.lastMessage.toString("base64"),
  };
}

function splitInFlight(inFlight: number): number[] {
  const connections = Math.ceil(inFlight / inFlightPerConnection);
  return Array.from({ length: connections }, () => inFlight / connections);
}

process.on("message", (order: LoadOrder) => {
  run(order).then(
    (report) => process.send!({ report }),
    (error: unknown) => process.send!({ error: String(error) }),
  );
});
process.on("disconnect", () => process.exit(0));
