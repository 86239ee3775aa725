// The short way of a unary call: from the request's bytes to its handler and back, for the requests that most clients send.
//
// It takes uncompressed gRPC over HTTP/2, and Connect's POST in JSON or protobuf's binary form. Whatever is not exactly so (another protocol, compression, a
// strange header, bytes that do not parse) goes the long way through Connect's handlers, which alone say what is wrong with it. What is written here is
// written with their own pieces: serialization, compression, envelopes, the forms of errors.

import { create, fromJson, type DescService, type Message } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { compressionGzip } from "@connectrpc/connect-node";
import { compressedFlag, createMethodSerializationLookup, encodeEnvelope } from "@connectrpc/connect/protocol";
import { contentTypeUnaryJson, contentTypeUnaryProto } from "@connectrpc/connect/protocol-connect";
import { contentTypeProto, grpcStatusOk, headerGrpcStatus } from "@connectrpc/connect/protocol-grpc";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import type { Http2ServerResponse } from "node:http2";
import { idempotencyKeyHeader } from "../api/idempotency-header.ts";
import type { AroundUnary } from "../api/interceptors.ts";
import { requestIdHeader, requestIdOf } from "../api/request-id.ts";
import { binaryOptions, compressMinBytes, jsonOptions, type Rpc, type UnaryHandler } from "./connect.ts";
import { connectTimeoutMs, grpcTimeoutMs } from "./deadline.ts";
import { messageTooLarge } from "./early-errors.ts";
import { errorAnswer } from "./error-answers.ts";
import { exchangeOf, sendAnswer, type Exchange } from "./exchange.ts";
import { envelopeHeadBytes } from "./json-calls.ts";
import type { ServerLimits } from "./limits.ts";
import type { NodeRequest, NodeResponse } from "./listener.ts";
import type { Protocol } from "./protocol.ts";
import { discardBody, readBody } from "./request-body.ts";
import { requestFields, textOfBytes } from "./request-json.ts";

export interface DirectUnaryOptions {
  /** Whose methods take the short way: ours. Others, such as health's, have nothing around them that they would need. */
  readonly services: readonly DescService[];
  readonly rpcs: ReadonlyMap<string, Rpc>;
  readonly limits: ServerLimits;
  readonly aroundUnary: AroundUnary;
  /** Whether connections are to be ended after their answer. */
  readonly isClosing: () => boolean;
}

/** Takes the request where it is of the short way's kind and answers it; undefined, and the request untouched, where it is not. Rejects where the peer has left. */
export type DirectUnary = (node: NodeRequest, response: NodeResponse) => Promise<void> | undefined;

export function createDirectUnary({ services, rpcs, limits, aroundUnary, isClosing }: DirectUnaryOptions): DirectUnary {
  const methods = new Map([...rpcs].flatMap(([path, rpc]) => (rpc.unary === undefined || !services.includes(rpc.method.parent) ? [] : [[path, directMethod(rpc, rpc.unary, limits)] as const])));

  const answer = async (method: DirectMethod, wire: Wire, node: NodeRequest, response: NodeResponse): Promise<void> => {
    const requestId = requestIdOf(oneOf(node.headers[requestIdHeader]));
    // The same one, should the exchange be needed.
    node.headers[requestIdHeader] = requestId;
    const send = (made: UniversalServerResponse, exchange: Exchange): Promise<void> => sendAnswer(made, exchange, response, isClosing());
    // What is thrown in there is the error that the caller is to have, and has been logged.
    let isAround = false;
    try {
      const bytes = await readBody(node, {
        bodyMaxBytes: limits.requestMaxBytes + wire.headBytes,
        requestTimeoutMs: limits.requestTimeoutMs,
        tooLarge: () => messageTooLarge(limits.requestMaxBytes),
      });
      const message = wire.parse(method, bytes);
      if (message === undefined) {
        const exchange = exchangeOf(node, response);
        return await send(await method.rpc.serveBytes(exchange, bytes), exchange);
      }
      const timeoutMs = Math.min(wire.timeoutMs(node.headers), limits.timeoutMaxMs);
      const call = callSignal(response, timeoutMs);
      const idempotencyHeader = oneOf(node.headers[idempotencyKeyHeader]) ?? null;
      const context = { signal: call.signal, timeoutMs: () => timeoutMs };
      try {
        isAround = true;
        const output = await aroundUnary({ method: method.rpc.method, message, requestId, idempotencyHeader, signal: call.signal }, async () => method.handle(message, context));
        isAround = false;
        await wire.send(response, wire.serialize(method, create(method.rpc.method.output, output)), { requestId, headers: node.headers, isClosing: isClosing() });
      } finally {
        call.end();
      }
    } catch (thrown) {
      const exchange = exchangeOf(node, response);
      await send(isAround ? errorAnswer(wire.protocol, ConnectError.from(thrown)) : method.rpc.failed(exchange, thrown), exchange);
    } finally {
      discardBody(node, limits.requestTimeoutMs);
    }
  };

  return (node, response) => {
    const method = methods.get(node.url ?? "");
    const wire = wires.get(node.headers["content-type"] ?? "");
    if (method === undefined || wire === undefined || node.method !== "POST" || !wire.takes(node)) return undefined;
    return answer(method, wire, node, response);
  };
}

interface DirectMethod {
  readonly rpc: Rpc;
  readonly handle: UnaryHandler;
  readonly serialization: ReturnType<typeof createMethodSerializationLookup>;
}

function directMethod(rpc: Rpc, handle: UnaryHandler, { requestMaxBytes, responseMaxBytes }: ServerLimits): DirectMethod {
  const bounds = { readMaxBytes: requestMaxBytes, writeMaxBytes: responseMaxBytes };
  return { rpc, handle, serialization: createMethodSerializationLookup(rpc.method, binaryOptions, jsonOptions, bounds) };
}

/** What an answer's head needs of its request. */
interface AnswerHead {
  readonly requestId: string;
  readonly headers: IncomingHttpHeaders;
  readonly isClosing: boolean;
}

/** One protocol in one encoding. */
interface Wire {
  readonly protocol: Protocol;
  /** Bytes before the message. */
  readonly headBytes: number;
  /** Whether the request's head is plain enough. */
  takes(node: NodeRequest): boolean;
  /** Infinite where the caller names none. */
  timeoutMs(headers: IncomingHttpHeaders): number;
  /** Undefined where the bytes are not a message: then Connect says what is wrong with them. */
  parse(method: DirectMethod, bytes: Uint8Array): Message | undefined;
  serialize(method: DirectMethod, message: Message): Uint8Array;
  send(response: NodeResponse, bytes: Uint8Array, head: AnswerHead): Promise<void> | void;
}

const grpc: Wire = {
  protocol: "grpc",
  headBytes: envelopeHeadBytes,
  takes: ({ httpVersionMajor, headers }) => httpVersionMajor === 2 && isIdentity(headers["grpc-encoding"]) && isTimeout(grpcTimeoutMs, headers["grpc-timeout"]),
  timeoutMs: (headers) => grpcTimeoutMs(oneOf(headers["grpc-timeout"]) ?? null),
  parse: (method, bytes) => (isOneEnvelope(bytes) ? parsed(() => method.serialization.getI(true).parse(bytes.subarray(envelopeHeadBytes))) : undefined),
  serialize: (method, message) => method.serialization.getO(true).serialize(message),
  async send(response, bytes, { requestId, headers }) {
    const isCompressed = bytes.byteLength >= compressMinBytes && takesGzip(headers["grpc-accept-encoding"]);
    const frame = isCompressed ? encodeEnvelope(compressedFlag, await compressionGzip.compress(bytes)) : encodeEnvelope(0, bytes);
    const answer = response as Http2ServerResponse;
    if (answer.stream.destroyed || answer.stream.closed) return;
    const encoding = isCompressed ? { "grpc-encoding": compressionGzip.name } : {};
    answer.writeHead(200, { "content-type": contentTypeProto, [requestIdHeader]: requestId, ...encoding });
    answer.addTrailers({ [headerGrpcStatus]: grpcStatusOk });
    answer.end(frame);
  },
};

const connectProto: Wire = {
  protocol: "connect-unary",
  headBytes: 0,
  takes: ({ headers }) => isIdentity(headers["content-encoding"]) && isConnectVersion(headers["connect-protocol-version"]) && isTimeout(connectTimeoutMs, headers["connect-timeout-ms"]),
  timeoutMs: (headers) => connectTimeoutMs(oneOf(headers["connect-timeout-ms"]) ?? null),
  parse: (method, bytes) => parsed(() => method.serialization.getI(true).parse(bytes)),
  serialize: (method, message) => method.serialization.getO(true).serialize(message),
  send: (response, bytes, head) => sendConnect(response, bytes, contentTypeUnaryProto, head),
};

const connectJson: Wire = {
  ...connectProto,
  // Read as the long way reads it: exactly, with every key and digit.
  parse: ({ rpc }, bytes) => parsed(() => fromJson(rpc.method.input, requestFields(textOfBytes(bytes), rpc.method.input, "refused"))),
  serialize: (method, message) => method.serialization.getO(false).serialize(message),
  send: (response, bytes, head) => sendConnect(response, bytes, contentTypeUnaryJson, head),
};

const wires: ReadonlyMap<string, Wire> = new Map([
  ["application/grpc", grpc],
  ["application/grpc+proto", grpc],
  [contentTypeUnaryProto, connectProto],
  [contentTypeUnaryJson, connectJson],
]);

async function sendConnect(response: NodeResponse, bytes: Uint8Array, contentType: string, { requestId, headers, isClosing }: AnswerHead): Promise<void> {
  const isCompressed = bytes.byteLength >= compressMinBytes && takesGzip(headers["accept-encoding"]);
  const body = isCompressed ? await compressionGzip.compress(bytes) : bytes;
  if (isClosing && "shouldKeepAlive" in response) response.shouldKeepAlive = false;
  const head: Record<string, string | number> = { "content-type": contentType, "content-length": body.byteLength, [requestIdHeader]: requestId };
  if (isCompressed) head["content-encoding"] = compressionGzip.name;
  if (response.destroyed || response.writableEnded) return;
  (response as ServerResponse).writeHead(200, head);
  response.end(body);
}

/** A signal that is aborted when the peer is gone or the time is over. `end` frees the timer. */
function callSignal(response: NodeResponse, timeoutMs: number): { readonly signal: AbortSignal; end(): void } {
  const controller = new AbortController();
  const gone = (): void => {
    if (!response.writableEnded) controller.abort(new ConnectError("the peer is gone", Code.Canceled));
  };
  response.once("close", gone);
  const timer = setTimeout(() => controller.abort(new ConnectError("the operation timed out", Code.DeadlineExceeded)), timeoutMs);
  return {
    signal: controller.signal,
    end() {
      clearTimeout(timer);
      response.off("close", gone);
    },
  };
}

function isOneEnvelope(bytes: Uint8Array): boolean {
  if (bytes.byteLength < envelopeHeadBytes || bytes[0] !== 0) return false;
  return ((bytes[1]! << 24) | (bytes[2]! << 16) | (bytes[3]! << 8) | bytes[4]!) >>> 0 === bytes.byteLength - envelopeHeadBytes;
}

function parsed(parse: () => Message): Message | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}

function isIdentity(encoding: string | string[] | undefined): boolean {
  return encoding === undefined || encoding === "identity";
}

/** Connect's only version; plain `curl` sends none. */
function isConnectVersion(version: string | string[] | undefined): boolean {
  return version === undefined || version === "1";
}

/** Absent, or well-formed and not over before it begins. */
function isTimeout(toMs: (value: string) => number, value: string | string[] | undefined): boolean {
  return value === undefined || (typeof value === "string" && toMs(value) >= 1);
}

function takesGzip(accepted: string | string[] | undefined): boolean {
  return typeof accepted === "string" && accepted.split(",").some((name) => name.trim() === compressionGzip.name);
}

function oneOf(value: string | string[] | undefined): string | undefined {
  return typeof value === "string" ? value : value?.[0];
}
