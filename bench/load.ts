// The load: a process of its own that makes calls for a while and tells how many were answered, how fast, and at what cost. It takes one order after another.

import { Http1Connection } from "./http1-connection.ts";
import { Http2Connection } from "./http2-connection.ts";
import type { ConnectionOptions, LoadConnection } from "./load-connection.ts";
import { keepDeparting } from "./open-loop.ts";
import { machineBusyMs, measureProcessors } from "./processor-time.ts";
import { pathOf, requestWriter, restPathOf, type BenchMethod, type Encoding } from "./requests.ts";
import { percentile } from "./statistics.ts";
import type { Popularity } from "./wallet-picker.ts";

/** How the calls are made; `rest` is that of the original service. */
export type Protocol = "grpc" | "connect over HTTP/2" | "connect over HTTP/1.1" | "rest";

/** A server of the service's: its processor time is read at the beginning and the end of the measurement. */
export interface ServerPlace {
  readonly port: number;
  readonly pid: number;
}

export interface LoadOrder {
  readonly protocol: Protocol;
  /** The calls go to them in equal shares. */
  readonly servers: readonly ServerPlace[];
  /** The first process of the database server that they share, where they do. */
  readonly databasePid?: number;
  readonly method: BenchMethod;
  readonly wallets: number;
  /** Any wallet where it is not said. */
  readonly popularity?: Popularity;
  /** Calls in flight, each of which leaves when an answer comes. Or, where `callsPerSecond` is given, the most that may be in flight; the others wait here. */
  readonly inFlight: number;
  /** At least so many connections, among which the calls in flight are shared out; 1 where it is not said. */
  readonly connectionsMin?: number;
  /** The mean rate of departures that wait for no answer: the open loop. */
  readonly callsPerSecond?: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

export interface LoadReport {
  /** Calls that were measured: answered meanwhile or, in the open loop, to be made meanwhile. */
  readonly calls: number;
  readonly failures: number;
  readonly seconds: number;
  /** From the departure, in the open loop from the intended one, until the whole answer was there. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  /** Good answers from the first call to the last one, measured or not. */
  readonly goodAnswers: number;
  /** Processor time of the servers during the measurement, in milliseconds by thread; threads of one name together. */
  readonly serverMs: Record<string, number>;
  /** Processor time of the database server's processes; 0 where the order names none. */
  readonly databaseMs: number;
  /** Processor time of this process. */
  readonly loadMs: number;
  /** Processor time of everything else on the machine. */
  readonly othersMs: number;
  /** The last good answer's message, in base64. */
  readonly sample: string;
}

interface Speech {
  readonly encoding: Encoding;
  readonly contentType: string;
  /** Calls in flight on one connection; more take more connections, as in a real fleet of clients. */
  readonly inFlightPerConnection: number;
}

const speeches: Readonly<Record<Protocol, Speech>> = {
  grpc: { encoding: "binary", contentType: "application/grpc", inFlightPerConnection: 64 },
  "connect over HTTP/2": { encoding: "json", contentType: "application/json", inFlightPerConnection: 64 },
  "connect over HTTP/1.1": { encoding: "json", contentType: "application/json", inFlightPerConnection: 1 },
  rest: { encoding: "rest", contentType: "application/json", inFlightPerConnection: 1 },
};

/** Protobuf's JSON of an answer begins with its first field; an error's would begin with its code. */
const goodJsonStart = Buffer.from('{"operation"');

/** A slot without as many answers as calls in flight goes on, at most so many times as long. */
const extensionsMax = 50;

/** No slot of any row has more answers than this. */
const latenciesMax = 4_000_000;
const latencies = new Float64Array(latenciesMax);

/** Keys go on from one order to the next, so that none is ever used twice. */
let lastKey = 0;

async function run(order: LoadOrder): Promise<LoadReport> {
  const { callsPerSecond } = order;
  let count = 0;
  let failures = 0;
  let goodAnswers = 0;
  let measuredFromMs = Infinity;
  let measuredUntilMs = Infinity;
  const onAnswer = (startMs: number, isGood: boolean): void => {
    const nowMs = performance.now();
    if (isGood) goodAnswers++;
    // Whoever waits for no answer has to count those too that come later, or a server that stands still would look fast.
    const countsFromMs = callsPerSecond === undefined ? nowMs : startMs;
    if (countsFromMs < measuredFromMs || countsFromMs >= measuredUntilMs) return;
    if (!isGood) failures++;
    if (count < latenciesMax) latencies[count++] = nowMs - startMs;
  };
  const connections = openConnections(order, onAnswer);
  const ended = Promise.all(connections.map((connection) => connection.ended));
  const during = (ms: number): Promise<unknown> => Promise.race([ended, new Promise((resolve) => setTimeout(resolve, ms))]);
  const departures = callsPerSecond === undefined ? undefined : keepDeparting(connections, callsPerSecond);

  await during(order.warmUpMs);
  const machineBefore = machineBusyMs();
  const used = measureProcessors({ servers: order.servers.map(({ pid }) => pid), database: order.databasePid });
  const ownBefore = process.cpuUsage();
  measuredFromMs = performance.now();
  await during(order.measureMs);
  // On a machine that is busy with other things even a short slot has to see something.
  for (let extensions = 0; count < (callsPerSecond === undefined ? order.inFlight : 1) && extensions < extensionsMax; extensions++) await during(order.measureMs);
  measuredUntilMs = performance.now();
  const seconds = (measuredUntilMs - measuredFromMs) / 1000;
  const own = process.cpuUsage(ownBefore);
  const { serverMs, databaseMs } = used();
  const loadMs = (own.user + own.system) / 1000;
  const othersMs = machineBusyMs() - machineBefore - loadMs - databaseMs - [...serverMs.values()].reduce((sum, ms) => sum + ms, 0);
  departures?.stop();
  for (const connection of connections) connection.stop();
  await ended;

  const sorted = latencies.subarray(0, count).toSorted();
  return {
    calls: count,
    failures,
    seconds,
    p50Ms: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
    p999Ms: percentile(sorted, 0.999),
    goodAnswers,
    serverMs: Object.fromEntries(serverMs),
    databaseMs,
    loadMs,
    othersMs: Math.max(0, othersMs),
    sample: connections[0]!.lastMessage.toString("base64"),
  };
}

/** In the closed loop with all their calls under way, each of which is followed by the next when it is answered. */
function openConnections(order: LoadOrder, onAnswer: ConnectionOptions["onAnswer"]): LoadConnection[] {
  const { protocol, servers, method, wallets, popularity } = order;
  const { encoding, contentType, inFlightPerConnection } = speeches[protocol];
  const writer = requestWriter(method, encoding, wallets, () => ++lastKey, popularity);
  const path = protocol === "rest" ? restPathOf(method) : pathOf(method);
  const count = Math.max(servers.length, order.connectionsMin ?? 1, Math.ceil(order.inFlight / inFlightPerConnection));
  return Array.from({ length: count }, (_, index): LoadConnection => {
    // All of them together as many as are wanted, where that is no multiple of their number too.
    const inFlightMax = Math.floor((order.inFlight * (index + 1)) / count) - Math.floor((order.inFlight * index) / count);
    const options: ConnectionOptions = {
      port: servers[index % servers.length]!.port,
      path,
      contentType,
      messageBytes: writer.messageBytes,
      writeMessage: (into, at) => writer.write(into, at),
      onAnswer(startMs, isGood) {
        onAnswer(startMs, isGood);
        if (order.callsPerSecond === undefined) connection.call(performance.now());
      },
    };
    const goodStart = encoding === "binary" ? Buffer.alloc(0) : goodJsonStart;
    const connection: LoadConnection = inFlightPerConnection === 1 ? new Http1Connection(options) : new Http2Connection({ ...options, inFlightMax, goodStart });
    if (order.callsPerSecond === undefined) for (let call = 0; call < inFlightMax; call++) connection.call(performance.now());
    connection.flush();
    return connection;
  });
}

process.on("message", (order: LoadOrder) => {
  run(order).then(
    (report) => process.send!({ report }),
    (error: unknown) => process.send!({ error: String(error) }),
  );
});
process.on("disconnect", () => process.exit(0));
