// The RPC protocols: gRPC, gRPC-Web and Connect over Connect's universal handlers, with our limits, deadlines and error answers around them.

import type { DescMessage, DescMethod, Message, MessageInitShape } from "@bufbuild/protobuf";
import { base64Decode } from "@bufbuild/protobuf/wire";
import { ConnectError, createConnectRouter } from "@connectrpc/connect";
import type { ConnectRouter, HandlerContext, Interceptor } from "@connectrpc/connect";
import { compressionGzip } from "@connectrpc/connect-node";
import { createAsyncIterable } from "@connectrpc/connect/protocol";
import type { UniversalHandler, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { serviceError } from "../api/errors.ts";
import type { Logger } from "../log.ts";
import { clampDeadline, dropEndlessDeadline, longestTimerMs } from "./deadline.ts";
import { earlyError, echo, messageTooLarge } from "./early-errors.ts";
import { binaryOptions, compressMinBytes, jsonOptions } from "./encodings.ts";
import { errorAnswer, mendErrors } from "./error-answers.ts";
import type { Exchange } from "./exchange.ts";
import { envelopeHeadBytes, exactJson, isJsonCall } from "./json-calls.ts";
import type { RpcRequest } from "./json-calls.ts";
import type { ServerLimits } from "./limits.ts";
import { logRefusal, refuse } from "./refusal.ts";
import { readBody, streamBody } from "./request-body.ts";

export interface RpcOptions {
  limits: ServerLimits;
  /** Methods whose calls last as long as their caller wants: without a deadline but the one that it sends. */
  lastingMethods: ReadonlySet<DescMethod>;
  interceptors: Interceptor[];
  routes: (router: ConnectRouter) => void;
  logger: Logger;
}

/** A unary method's handler as it was registered. */
export type UnaryHandler = (message: Message, context: Pick<HandlerContext, "signal" | "timeoutMs">) => Promise<MessageInitShape<DescMessage>> | MessageInitShape<DescMessage>;

/** One method on every RPC protocol. */
export interface Rpc {
  readonly method: DescMethod;
  /** Its handler, where it is unary and one of our own services'. */
  readonly unary: UnaryHandler | undefined;
  /** Answers a request that came to the method's own path. Never rejects. */
  serve(exchange: Exchange): Promise<UniversalServerResponse>;
  /** The same for one whose body has been read. Never rejects. */
  serveBytes(exchange: Exchange, bytes: Uint8Array): Promise<UniversalServerResponse>;
  /** The answer to what was thrown before or after the handler. Never throws. */
  failed(exchange: Exchange, thrown: unknown): UniversalServerResponse;
  /** Answers a request that was made from another one; its headers say what `request` is. Never rejects. */
  call(exchange: Exchange, request: RpcRequest): Promise<UniversalServerResponse>;
}

/** Any origin will do: the handlers look at the path and the query. */
const origin = "http://wallet";

/** Every method's RPC by its path, such as `/wallet.v1.WalletService/AddMoney`. */
export function createRpcs(options: RpcOptions): ReadonlyMap<string, Rpc> {
  const router = createConnectRouter({
    grpc: true,
    grpcWeb: true,
    connect: true,
    // Plain `curl` sends no protocol header and is welcome.
    requireConnectProtocolHeader: false,
    readMaxBytes: options.limits.requestMaxBytes,
    writeMaxBytes: options.limits.responseMaxBytes,
    // Longer ones are clamped before Connect could refuse them.
    maxTimeoutMs: longestTimerMs,
    // gzip only: Node's brotli costs ten times the CPU for answers of this kind.
    acceptCompression: [compressionGzip],
    compressMinBytes,
    jsonOptions,
    binaryOptions,
    interceptors: options.interceptors,
  });
  const unaries = new Map<DescMethod, UnaryHandler>();
  options.routes(noting(router, unaries));
  return new Map(router.handlers.map((handler) => [handler.requestPath, rpcOf(handler, unaries.get(handler.method), options)]));
}

/** The router, with every unary handler noted that is registered as part of a service. */
function noting(router: ConnectRouter, unaries: Map<DescMethod, UnaryHandler>): ConnectRouter {
  const noted: ConnectRouter = {
    ...router,
    service(service, implementation, options) {
      for (const method of service.methods) {
        const handler = (implementation as Record<string, unknown>)[method.localName];
        if (method.methodKind === "unary" && typeof handler === "function") unaries.set(method, handler.bind(implementation) as UnaryHandler);
      }
      router.service(service, implementation, options);
      return noted;
    },
  };
  return noted;
}

function rpcOf(handler: UniversalHandler, unary: UnaryHandler | undefined, options: RpcOptions): Rpc {
  const { limits, logger } = options;
  const { method } = handler;

  const mender = (exchange: Exchange) => {
    const { requestId } = exchange;
    const report = (cause: unknown) => logger.error({ err: cause, method: `${method.parent.typeName}/${method.name}`, requestId }, "a call failed before or after its handler");
    return (error: ConnectError) => {
      const mended = earlyError(error, { method, requestId, requestMaxBytes: limits.requestMaxBytes, report });
      if (mended !== error) logRefusal(logger, exchange, mended);
      return mended;
    };
  };

  /** The answer to what was thrown instead of answered. */
  const thrownAnswer = (exchange: Exchange, error: ConnectError): UniversalServerResponse => {
    const mended = mender(exchange)(error);
    if (mended === error) logRefusal(logger, exchange, mended);
    return errorAnswer(exchange.protocol, mended);
  };

  const call = async (exchange: Exchange, request: RpcRequest): Promise<UniversalServerResponse> => {
    const { protocol, header, signal, httpVersion } = exchange;
    const mend = mender(exchange);
    if (options.lastingMethods.has(method)) dropEndlessDeadline(header);
    else clampDeadline(header, protocol, limits.timeoutMaxMs);
    try {
      const answer = await handler({ ...request, httpVersion, header, signal });
      if (answer.body === undefined && answer.status !== 200) return notTaken(answer, exchange, handler, logger);
      return await mendErrors(protocol, answer, mend);
    } catch (thrown) {
      return thrownAnswer(exchange, thrownError(thrown));
    }
  };

  const bodyLimits = {
    requestTimeoutMs: limits.requestTimeoutMs,
    tooLarge: () => messageTooLarge(limits.requestMaxBytes),
  };
  const urlOf = ({ path, query }: Exchange): string => `${origin}${path}${query === "" ? "" : `?${query}`}`;

  const serveBytes = async (exchange: Exchange, bytes: Uint8Array): Promise<UniversalServerResponse> => {
    try {
      const request = { method: exchange.httpMethod, url: urlOf(exchange), body: createAsyncIterable([bytes]) };
      return await call(exchange, isJsonCall(exchange) ? await exactJson(exchange, request, bytes, method.input, limits.requestMaxBytes) : request);
    } catch (thrown) {
      return thrownAnswer(exchange, ConnectError.from(thrown));
    }
  };

  const serve = async (exchange: Exchange): Promise<UniversalServerResponse> => {
    const badQuery = brokenBase64(exchange);
    if (badQuery !== undefined) return refuse(logger, exchange, badQuery);
    if (method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming") {
      return call(exchange, { method: exchange.httpMethod, url: urlOf(exchange), body: streamBody(exchange.node, limits.requestTimeoutMs) });
    }
    // One message: it is read at once, with a bound on its time, which Connect has not.
    const enveloped = exchange.protocol === "connect-unary" ? 0 : envelopeHeadBytes;
    try {
      return await serveBytes(exchange, await readBody(exchange.node, { ...bodyLimits, bodyMaxBytes: limits.requestMaxBytes + enveloped }));
    } catch (thrown) {
      return thrownAnswer(exchange, ConnectError.from(thrown));
    }
  };
  return { method, unary, serve, serveBytes, failed: (exchange, thrown) => thrownAnswer(exchange, thrownError(thrown)), call };
}

/** The answer where Connect gives a bare HTTP status: the HTTP method, the version or the content type fits none of the method's protocols. */
function notTaken(answer: UniversalServerResponse, exchange: Exchange, handler: UniversalHandler, logger: Logger): UniversalServerResponse {
  const { path, httpMethod, header } = exchange;
  // Connect names GET for streams that change nothing, too, and takes none.
  const allowedMethods = handler.method.methodKind === "unary" ? handler.allowedMethods : ["POST"];
  if (answer.status === 405 || !allowedMethods.includes(httpMethod)) {
    const allowed = allowedMethods.join(", ");
    const error = serviceError("UNKNOWN_METHOD", `${echo(httpMethod)} is no way to call ${path}. Use ${allowed}.`);
    return withHeader(refuse(logger, exchange, error, 405), "allow", allowed);
  }
  if (answer.status === 505) {
    const error = serviceError("UNKNOWN_METHOD", `${path} streams in both directions, which needs HTTP/2.`);
    return withHeader(refuse(logger, exchange, error, answer.status), "connection", "close");
  }
  const isGet = httpMethod === "GET";
  const field = isGet ? "encoding" : "content-type";
  const sent = isGet ? "" : echo(header.get("content-type") ?? "");
  const taken = handler.method.methodKind === "unary" ? "application/json, application/proto" : "application/connect+json, application/connect+proto (it is a stream)";
  const description = isGet ? "must be json or proto, and `message` the request in it" : `"${sent}" is none that ${path} takes; use ${taken}, application/grpc or application/grpc-web`;
  return refuse(logger, exchange, serviceError("INVALID_REQUEST", `${field}: ${description}`, { violations: [{ field, description }] }), answer.status);
}

/** Connect takes a GET's message that is no base64 for a defect of the server. */
function brokenBase64(exchange: Exchange): ConnectError | undefined {
  if (exchange.httpMethod !== "GET") return undefined;
  const query = new URLSearchParams(exchange.query);
  if (query.get("base64") !== "1") return undefined;
  try {
    base64Decode(query.get("message") ?? "");
    return undefined;
  } catch {
    const description = "is not base64";
    return serviceError("INVALID_REQUEST", `message: ${description}`, { violations: [{ field: "message", description }] });
  }
}

/** What a handler throws instead of answering. Text with half a surrogate pair in it cannot be put into a header, and it came from the request. */
function thrownError(thrown: unknown): ConnectError {
  if (thrown instanceof URIError) return serviceError("INVALID_REQUEST", "The request contains text that is not valid Unicode.");
  return ConnectError.from(thrown);
}

function withHeader(answer: UniversalServerResponse, name: string, value: string): UniversalServerResponse {
  const header = new Headers(answer.header);
  header.set(name, value);
  return { ...answer, header };
}
