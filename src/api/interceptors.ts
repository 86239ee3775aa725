// What happens around every call, whatever the protocol: request id, idempotency header, validation, deadline, faults, and one log line.

import type { DescMethod, Message } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Interceptor, StreamRequest, UnaryRequest } from "@connectrpc/connect";
import type { Logger } from "../log.ts";
import { canceled, faultError, reasonOf, untilAborted } from "./faults.ts";
import { applyIdempotencyHeader, idempotencyKeyHeader } from "./idempotency-header.ts";
import { requestIdHeader, requestIdKey, requestIdOf } from "./request-id.ts";
import type { RequestValidator } from "./validation.ts";

export interface InterceptorOptions {
  logger: Logger;
  validate: RequestValidator;
}

/** One call from the moment its request is understood. */
interface Call {
  readonly method: DescMethod;
  readonly requestId: string;
  readonly startMs: number;
  /** Where reading a stream's request failed: Connect's own error, which the server's edge knows how to tell. */
  unreadable?: unknown;
}

/** The interceptors of the wallet's services, outermost first. */
export function createInterceptors(options: InterceptorOptions): Interceptor[] {
  return [
    (next) => (request) => {
      const call: Call = { method: request.method, requestId: requestIdOf(request.header.get(requestIdHeader)), startMs: performance.now() };
      request.contextValues.set(requestIdKey, call.requestId);
      return request.stream ? streamCall(options, call, request, next) : unaryCall(options, call, request, next);
    },
  ];
}

/** A unary call, however it came in. */
export interface UnaryCall {
  readonly method: DescMethod;
  readonly message: Message;
  readonly requestId: string;
  /** The `Idempotency-Key` header; null without one. */
  readonly idempotencyHeader: string | null;
  /** Aborted with the call's deadline, or when the caller is gone. */
  readonly signal: AbortSignal;
}

/** Does what belongs around every unary call and, when the request is admitted, its work. Throws the error that the caller is to have, logged. */
export type AroundUnary = <T>(call: UnaryCall, work: () => Promise<T>) => Promise<T>;

/** The same duties as the interceptors', for calls that do not come through Connect. */
export function createAroundUnary(options: InterceptorOptions): AroundUnary {
  return (call, work) => aroundUnary(options, { method: call.method, requestId: call.requestId, startMs: performance.now() }, call, work);
}

/** Makes a request ready for its handler, in place. Throws INVALID_REQUEST or INVALID_AMOUNT. */
function admitRequest(method: DescMethod, message: Message, idempotencyHeader: string | null, validate: RequestValidator): void {
  applyIdempotencyHeader(method, message, idempotencyHeader);
  validate(method.input, message);
}

async function unaryCall(options: InterceptorOptions, call: Call, request: UnaryRequest, next: Next) {
  const { message, signal } = request;
  const unary = { method: call.method, message, requestId: call.requestId, idempotencyHeader: request.header.get(idempotencyKeyHeader), signal };
  const response = await aroundUnary(options, call, unary, () => next(request));
  response.header.set(requestIdHeader, call.requestId);
  return response;
}

async function aroundUnary<T>(options: InterceptorOptions, call: Call, { method, message, idempotencyHeader, signal }: UnaryCall, work: () => Promise<T>): Promise<T> {
  try {
    admitRequest(method, message, idempotencyHeader, options.validate);
    const response = await untilAborted(signal, work);
    logCall(options.logger, call, undefined);
    return response;
  } catch (thrown) {
    throw failedCall(options.logger, call, signal, thrown);
  }
}

/** As a unary call, but for its deadline: a stream's handler watches the signal itself, because messages may have been sent by then. */
async function streamCall(options: InterceptorOptions, call: Call, request: StreamRequest, next: Next) {
  const idempotencyHeader = request.header.get(idempotencyKeyHeader);
  try {
    request.signal.throwIfAborted();
    const readable = rememberFailure(request.message, call);
    const message = admitEach(readable, (each) => admitRequest(call.method, each, idempotencyHeader, options.validate));
    const response = await next({ ...request, message });
    response.header.set(requestIdHeader, call.requestId);
    if (!response.stream) return response;
    return { ...response, message: answerEach(options.logger, call, request.signal, response.message) };
  } catch (thrown) {
    throw failedCall(options.logger, call, request.signal, thrown);
  }
}

async function* rememberFailure(messages: AsyncIterable<Message>, call: Call) {
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

async function* answerEach(logger: Logger, call: Call, signal: AbortSignal, messages: AsyncIterable<Message>) {
  let isLogged = false;
  try {
    yield* messages;
    logCall(logger, call, undefined);
    isLogged = true;
  } catch (thrown) {
    isLogged = true;
    throw failedCall(logger, call, signal, thrown);
  } finally {
    // The reader left in the middle: nothing is thrown then, the generator is just ended.
    if (!isLogged) logCall(logger, call, canceled());
  }
}

/** The error for something thrown in a call, logged. */
function failedCall(logger: Logger, call: Call, signal: AbortSignal, thrown: unknown): ConnectError {
  const { requestId } = call;
  const report = (cause: unknown) => logger.error({ err: cause, method: methodName(call.method), requestId }, "a call failed unexpectedly");
  const isConnects = thrown instanceof ConnectError && thrown === call.unreadable;
  const error = isConnects ? thrown : faultError(thrown, { requestId, signal, report });
  error.metadata.set(requestIdHeader, requestId);
  logCall(logger, call, error);
  return error;
}

/** One line a call: `info` for those that may change something, `debug` for reads. Never anything of the request but its method and id. */
function logCall(logger: Logger, call: Call, error: ConnectError | undefined): void {
  const level = call.method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS ? "debug" : "info";
  if (!logger.isLevelEnabled(level)) return;
  const durationMs = Math.round((performance.now() - call.startMs) * 1000) / 1000;
  const line = { method: methodName(call.method), requestId: call.requestId, code: error === undefined ? "OK" : Code[error.code], durationMs };
  logger[level](error === undefined ? line : { ...line, reason: reasonOf(error) }, "call");
}

function methodName(method: DescMethod): string {
  return `${method.parent.typeName}/${method.name}`;
}

type Next = Parameters<Interceptor>[0];
