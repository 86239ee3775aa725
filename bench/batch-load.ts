// The load of rows 4, 5 and 8: a process of its own that keeps calls of ExecuteBatch in flight over gRPC, and looks at every result when the clock has stopped.
//
// Of a thousand operations a call, so little is the client's own work that node:http2 does, which keeps HTTP/2's flow control by itself.

import { fromBinary } from "@bufbuild/protobuf";
import { connect, type ClientHttp2Session } from "node:http2";
import { ExecuteBatchResponseSchema, type BatchResult } from "../gen/wallet/v1/wallet_service_pb.ts";
import { inLanes, reportOn, type BatchReport } from "./batch-report.ts";
import type { ServerPlace } from "./load.ts";
import { batchWriter, pathOf, type BatchContent } from "./requests.ts";
import { percentile } from "./statistics.ts";

export interface BatchLoadOrder {
  /** The calls go to them in turn; their processor time is read at the beginning and the end. */
  readonly servers: readonly ServerPlace[];
  /** The first process of the database server that they share, where they do. */
  readonly databasePid?: number;
  readonly wallets: number;
  readonly batches: number;
  readonly batchLength: number;
  readonly inFlight: number;
  readonly withKeys: boolean;
  readonly content: BatchContent;
}

export interface BatchLoadReport extends BatchReport {
  /** From a call's departure until its whole answer was there. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Processor time of this process, in microseconds an operation. */
  readonly loadUs: number;
}

/** All of the messages of an order and of their answers lie in memory together; a batch of 1,000 takes less than 0.1 MiB of it. */
const batchesMax = 1_000;

/** Before a message in gRPC: a flag and four bytes of length. */
const messageHeadBytes = 5;

/** Room for every answer in flight: the service never waits for this client. */
const windowBytes = 16 * 1024 * 1024;

/** Keys go on from one order to the next, so that none is ever used twice; nor is any that load.ts, which begins at 1, uses on the same ledger. */
let lastKey = 100_000_000_000;

async function run({ servers, databasePid, wallets, batches, batchLength, inFlight, withKeys, content }: BatchLoadOrder): Promise<BatchLoadReport> {
  if (batches > batchesMax) throw new RangeError(`${batches} batches are more than ${batchesMax}`);
  const write = batchWriter(content, wallets, withKeys ? () => ++lastKey : undefined);
  const requests = Array.from({ length: batches }, () => withHead(write(batchLength)));
  const answers: Buffer[] = [];

  const latencies = new Float64Array(batches);
  const sessions = await Promise.all(servers.map(({ port }) => openSession(port)));
  const ownBefore = process.cpuUsage();
  const report = await reportOn({ servers: servers.map(({ pid }) => pid), database: databasePid }, batches * batchLength, () =>
    inLanes(batches, inFlight, async (index) => {
      const startMs = performance.now();
      answers[index] = await call(sessions[index % sessions.length]!, requests[index]!);
      latencies[index] = performance.now() - startMs;
    }),
  );
  const own = process.cpuUsage(ownBefore);
  for (const session of sessions) session.close();
  check(answers, batchLength);
  latencies.sort();
  return { ...report, p50Ms: percentile(latencies, 0.5), p99Ms: percentile(latencies, 0.99), loadUs: (own.user + own.system) / (batches * batchLength) };
}

/** Every operation was applied, now and not before: a load of replays or rejections would measure something else. */
function check(answers: readonly Buffer[], batchLength: number): void {
  const operationIds = new Set<bigint>();
  for (const answer of answers) {
    const { results } = fromBinary(ExecuteBatchResponseSchema, answer.subarray(messageHeadBytes));
    for (const { outcome } of results) {
      if (outcome.case !== "applied" || outcome.value.replayed) throw new Error(`an operation was not applied: ${whatBecameOfIt(outcome)}`);
      operationIds.add(outcome.value.operationId);
    }
  }
  const operations = answers.length * batchLength;
  if (operationIds.size !== operations) throw new Error(`${operationIds.size} operations were applied, not ${operations}`);
}

function whatBecameOfIt(outcome: BatchResult["outcome"]): string {
  return outcome.case === "rejected" ? outcome.value.message : (outcome.case ?? "nothing") + " before";
}

function withHead(message: Buffer): Buffer {
  const head = Buffer.alloc(messageHeadBytes);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** Resolves when the service has told its settings, so that the first call is like the others. */
async function openSession(port: number): Promise<ClientHttp2Session> {
  const session = connect(`http://127.0.0.1:${port}`, { settings: { initialWindowSize: windowBytes } });
  await new Promise<void>((resolve, reject) => {
    session.once("remoteSettings", () => resolve());
    session.once("error", reject);
  });
  session.setLocalWindowSize(windowBytes);
  return session;
}

/** The bytes of the answer's body. */
function call(session: ClientHttp2Session, request: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ":method": "POST", ":path": pathOf("ExecuteBatch"), "content-type": "application/grpc", te: "trailers" });
    const chunks: Buffer[] = [];
    let status: unknown;
    let sentence: unknown;
    const note = (headers: Record<string, unknown>): void => {
      status ??= headers["grpc-status"];
      sentence ??= headers["grpc-message"];
    };
    stream.on("response", note);
    stream.on("trailers", note);
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => (status === "0" ? resolve(Buffer.concat(chunks)) : reject(new Error(`ExecuteBatch ended with gRPC status ${String(status)}: ${String(sentence)}`))));
    stream.on("error", reject);
    stream.end(request);
  });
}

process.on("message", (order: BatchLoadOrder) => {
  run(order).then(
    (report) => process.send!({ report }),
    (error: unknown) => process.send!({ error: error instanceof Error ? error.stack : String(error) }),
  );
});
process.on("disconnect", () => process.exit(0));
