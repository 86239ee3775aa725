// A no-op that speaks JSON, bare on node:http or (second argument: http2) on node:http2: the body is parsed and an answer like the wallet's is written.

import { toJson } from "@bufbuild/protobuf";
import { createServer as createHttp1Server } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import { AddMoneyResponseSchema } from "../../gen/wallet/v1/wallet_service_pb.ts";
import { constantAnswer } from "./constant-answer.ts";

const [port, version] = process.argv.slice(2);
const answer = toJson(AddMoneyResponseSchema, constantAnswer, { alwaysEmitImplicit: true });

/** What both kinds of requests and responses of Node's have. */
interface Request {
  on(event: "data", listener: (chunk: Buffer) => void): unknown;
  on(event: "end", listener: () => void): unknown;
}
interface Response {
  writeHead(status: number, headers: Record<string, string | number>): unknown;
  end(body: string): unknown;
}

function handle(request: Request, response: Response): void {
  const chunks: Buffer[] = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    JSON.parse(Buffer.concat(chunks).toString());
    const body = JSON.stringify(answer);
    response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
    response.end(body);
  });
}

const server = version === "http2" ? createHttp2Server({ settings: { maxConcurrentStreams: 256 } }, handle) : createHttp1Server(handle);
server.listen(Number(port), "127.0.0.1");
