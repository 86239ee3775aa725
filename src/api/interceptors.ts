// What happens around every call, whatever the protocol: request id, idempotency header, validation, deadline, faults, and one log line.

import type { DescMethod, Message } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Interceptor, StreamRequest, UnaryRequest } from "@connectrpc/connect";
import type { Logger } from "../log.ts";
import { canceled, faultError, isOfConnection, reasonOf, untilAborted, type Ending } from "./faults.ts";
import { applyIdempotencyHeader, idempotencyKeyHeader } from "./idempotency-header.ts";
import { requestIdHeader, requestIdKey, requestIdOf } from "./request-id.ts";
import type { RequestValidator } from "./validation.ts";

export interface InterceptorOptions {
  logger: Logger;
  validate: RequestValidator;
}

/** What is told of a call: one from the moment its request is understood. */
interface Call {
  readonly method: DescMethod;
  readonly requestId: string;
  /** When it began, on the clock of `performance.now`. */
  readonly startMs: number;
}

/** A stream's. */
interface StreamCall extends Call {
  /** Where reading its request failed: Connect's own error, which the server's edge knows how to tell. */
  unreadable?: unknown;
}

/** A unary call, however it came in. */
export interface UnaryCall extends Call {
  readonly message: Message;
  /** The `Idempotency-Key` header; null without one. */
  readonly idempotencyHeader: string | null;
  /** Aborted with the call's deadline, or when the caller is gone. */
  readonly signal: AbortSignal;
}

/** What belongs around every unary call, in its three moments, for whoever carries the call out. */
export interface AroundUnary {
  /** Makes the request ready for its handler, in place. Throws INVALID_REQUEST or INVALID_AMOUNT. */
  admit(call: UnaryCall): void;
  /** Notes that the handler answered. */
  answered(call: UnaryCall): void;
  /** The error that the caller is to have for what was thrown by `admit`, by the handler, or by the end of the call's time; noted. */
  failed(call: UnaryCall, thrown: unknown): ConnectError;
}

/** The duties around unary calls, for those who carry them out without Connect's interceptors. */
export function createAroundUnary({ logger, validate }: InterceptorOptions): AroundUnary {
  const line = callLine(logger);
  return {
    admit: ({ method, message, idempotencyHeader }) => admitRequest(method, message, idempotencyHeader, validate),
    answered: (call) => line(call, undefined),
    failed: (call, thrown) => failedCall(logger, line, call, call, thrown),
  };
}

/** The same duties as Connect's interceptors, outermost first. */
export function createInterceptors(options: InterceptorOptions): Interceptor[] {
  const around = createAroundUnary(options);
  const streaming: Streaming = { ...options, line: callLine(options.logger) };
  return [
    (next) => (request) => {
      const call: Call = { method: request.method, requestId: requestIdOf(request.header.get(requestIdHeader)), startMs: performance.now() };
      request.contextValues.set(requestIdKey, call.requestId);
      return request.stream ? streamCall(streaming, call, request, next) : unaryCall(around, call, request, next);
    },
  ];
}

/** Makes a request ready for its handler, in place. Throws INVALID_REQUEST or INVALID_AMOUNT. */
function admitRequest(method: DescMethod, message: Message, idempotencyHeader: string | null, validate: RequestValidator): void {
  applyIdempotencyHeader(method, message, idempotencyHeader);
  validate(method.input, message);
}

async function unaryCall(around: AroundUnary, { method, requestId, startMs }: Call, request: UnaryRequest, next: Next) {
  const { message, signal } = request;
  const call: UnaryCall = { method, requestId, startMs, message, idempotencyHeader: request.header.get(idempotencyKeyHeader), signal };
  try {
    around.admit(call);
    const response = await untilAborted(signal, () => next(request));
    around.answered(call);
    response.header.set(requestIdHeader, requestId);
    return response;
  } catch (thrown) {
    throw around.failed(call, thrown);
  }
}

interface Streaming extends InterceptorOptions {
  readonly line: CallLine;
}

/** As a unary call, but for its deadline: a stream's handler watches the signal itself, because messages may have been sent by then. */
async function streamCall({ logger, validate, line }: Streaming, call: StreamCall, request: StreamRequest, next: Next) {
  const idempotencyHeader = request.header.get(idempotencyKeyHeader);
  try {
    request.signal.throwIfAborted();
    const readable = rememberFailure(request.message, call);
    const message = admitEach(readable, (each) => admitRequest(call.method, each, idempotencyHeader, validate));
    const response = await next({ ...request, message });
    response.header.set(requestIdHeader, call.requestId);
    if (!response.stream) return response;
    return { ...response, message: answerEach(logger, line, call, request, response.message) };
  } catch (thrown) {
    throw failedCall(logger, line, call, request, thrown);
  }
}

async function* rememberFailure(messages: AsyncIterable<Message>, call: StreamCall) {
  try {
    yield* messages;
  } catch (thrown) {
    call.unreadable = thrown;
    throw thrown;
  }
}

async function* admitEach(messages: AsyncIterable<Message>, admit: (message: Message) => void) {
  for await (const message of messages) {
    admit(message);
    yield message;
  }
}

async function* answerEach(logger: Logger, line: CallLine, call: StreamCall, ending: Ending, messages: AsyncIterable<Message>) {
  let isLogged = false;
  let isWithReader = false;
  try {
    for await (const message of messages) {
      isWithReader = true;
      yield message;
      isWithReader = false;
    }
    line(call, undefined);
    isLogged = true;
  } catch (thrown) {
    isLogged = true;
    // Where a message could not be sent, the reader throws what the connection said.
    throw failedCall(logger, line, call, ending, isWithReader && isOfConnection(thrown) ? canceled() : thrown);
  } finally {
    // The reader left in the middle: nothing is thrown then, the generator is just ended.
    if (!isLogged) line(call, canceled());
  }
}

/** The error for something thrown in a call, logged. */
function failedCall(logger: Logger, line: CallLine, call: StreamCall, ending: Ending, thrown: unknown): ConnectError {
  const { requestId } = call;
  const report = (cause: unknown) => logger.error({ err: cause, method: methodName(call.method), requestId }, "a call failed unexpectedly");
  const isConnects = thrown instanceof ConnectError && thrown === call.unreadable;
  const error = isConnects ? thrown : faultError(thrown, requestId, ending, report);
  error.metadata.set(requestIdHeader, requestId);
  line(call, error);
  return error;
}

/** One line a call: `info` for those that may change something, `debug` for reads. Never anything of the request but its method and id. */
type CallLine = (call: Call, error: ConnectError | undefined) => void;

function callLine(logger: Logger): CallLine {
  // What is in these lines is known by name, and none of it is a secret: looking each through for some would cost more than all the rest of the line.
  const lines = logger.child({}, { redact: [] });
  const kinds = new Map<DescMethod, { readonly level: "debug" | "info"; readonly method: string }>();
  const kindOf = (method: DescMethod) => {
    const kind = { level: method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS ? "debug" : "info", method: methodName(method) } as const;
    kinds.set(method, kind);
    return kind;
  };
  return ({ method: desc, requestId, startMs }, error) => {
    const { level, method } = kinds.get(desc) ?? kindOf(desc);
    if (!lines.isLevelEnabled(level)) return;
    const durationMs = Math.round((performance.now() - startMs) * 1000) / 1000;
    if (error === undefined) lines[level]({ method, requestId, code: "OK", durationMs }, "call");
    else lines[level]({ method, requestId, code: Code[error.code], durationMs, reason: reasonOf(error) }, "call");
  };
}

function methodName(method: DescMethod): string {
  return `${method.parent.typeName}/${method.name}`;
}

type Next = Parameters<Interceptor>[0];
