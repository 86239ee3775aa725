// The load of rows 4 and 5: a process of its own that keeps calls of ExecuteBatch in flight over gRPC, and looks at every result when the clock has stopped.
//
// Of a thousand operations a call, so little is the client's own work that node:http2 does, which keeps HTTP/2's flow control by itself.

import { fromBinary } from "@bufbuild/protobuf";
import { connect, type ClientHttp2Session } from "node:http2";
import { ExecuteBatchResponseSchema, type BatchResult } from "../gen/wallet/v1/wallet_service_pb.ts";
import { inLanes, reportOn, type BatchReport } from "./batch-report.ts";
import { batchWriter, pathOf, type BatchContent } from "./requests.ts";

export interface BatchLoadOrder {
  readonly port: number;
  /** The service's process, whose processor time is read at the beginning and the end. */
  readonly serverPid: number;
  readonly wallets: number;
  readonly batches: number;
  readonly batchLength: number;
  readonly inFlight: number;
  readonly withKeys: boolean;
  readonly content: BatchContent;
}

/** All of the messages of an order and of their answers lie in memory together; a batch of 1,000 takes less than 0.1 MiB of it. */
const batchesMax = 1_000;

/** Before a message in gRPC: a flag and four bytes of length. */
const messageHeadBytes = 5;

/** Room for every answer in flight: the service never waits for this client. */
const windowBytes = 16 * 1024 * 1024;

/** Keys go on from one order to the next, so that none is ever used twice. */
let lastKey = 0;

async function run({ port, serverPid, wallets, batches, batchLength, inFlight, withKeys, content }: BatchLoadOrder): Promise<BatchReport> {
  if (batches > batchesMax) throw new RangeError(`${batches} batches are more than ${batchesMax}`);
  const write = batchWriter(content, wallets, withKeys ? () => ++lastKey : undefined);
  const requests = Array.from({ length: batches }, () => withHead(write(batchLength)));
  const answers: Buffer[] = [];

  const session = await openSession(port);
  const report = await reportOn(serverPid, batches * batchLength, () =>
    inLanes(batches, inFlight, async (index) => {
      answers[index] = await call(session, requests[index]!);
    }),
  );
  session.close();
  check(answers, batchLength);
  return report;
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
