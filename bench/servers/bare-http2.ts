// The ceiling: gRPC by hand on node:http2's stream interface with protobuf-es, and nothing else.

import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { createServer } from "node:http2";
import { AddMoneyRequestSchema, AddMoneyResponseSchema } from "../../gen/wallet/v1/wallet_service_pb.ts";
import { constantAnswer } from "./constant-answer.ts";

/** Before a message in gRPC: a flag and four bytes of length. */
const messageHeadBytes = 5;

const server = createServer({ settings: { maxConcurrentStreams: 256 } });
server.on("stream", (stream) => {
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  stream.on("end", () => {
    const sent = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
    fromBinary(AddMoneyRequestSchema, sent.subarray(messageHeadBytes));
    const message = toBinary(AddMoneyResponseSchema, constantAnswer);
    const answer = Buffer.allocUnsafe(messageHeadBytes + message.length);
    answer[0] = 0;
    answer.writeUInt32BE(message.length, 1);
    answer.set(message, messageHeadBytes);
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end(answer);
  });
});
server.listen(Number(process.argv[2]), "127.0.0.1");
