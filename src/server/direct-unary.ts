// The short way of a unary call: from the request's bytes to its handler and back, for the requests that most clients send.
//
// It takes uncompressed gRPC over HTTP/2, Connect's POST in JSON or protobuf's binary form, and the original's POST paths in JSON. Whatever is not exactly
// so (another protocol, compression, a strange header, bytes that do not parse) goes the long way through Connect's handlers, which alone say what is wrong
// with it. What is written here is written with their own pieces: serialization, compression, envelopes, the forms of errors.

import { create, type DescMessage, type DescService, type Message, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { ServerHttp2Stream } from "node:http2";
import type { Caller } from "../api/caller.ts";
import { idempotencyKeyHeader } from "../api/idempotency-header.ts";
import type { AroundUnary, UnaryCall } from "../api/interceptors.ts";
import { requestIdHeader, requestIdOf } from "../api/request-id.ts";
import type { Rpc } from "./connect.ts";
import { Countdown } from "./countdown.ts";
import { messageTooLarge } from "./early-errors.ts";
import { errorAnswer } from "./error-answers.ts";
import { exchangeOf, sendAnswer, type Exchange } from "./exchange.ts";
import { envelopeHeadBytes } from "./json-calls.ts";
import type { ServerLimits } from "./limits.ts";
import { discardBody, takeBody, type Arriving, type BodyLimits } from "./request-body.ts";
import type { Rest } from "./rest.ts";
import { RequestDoor, StreamDoor, type Door, type Leaver } from "./unary-doors.ts";
import { directMethod, restWires, rpcWires, type DirectMethod, type PlainAnswer, type Wire } from "./unary-wires.ts";

export interface DirectUnaryOptions {
  /** Whose methods take the short way: ours. Others, such as health's, have nothing around them that they would need. */
  readonly services: readonly DescService[];
  readonly rpcs: ReadonlyMap<string, Rpc>;
  readonly rest: Pick<Rest, "paths">;
  readonly limits: ServerLimits;
  readonly aroundUnary: AroundUnary;
  /** Whether connections are to be ended after their answer. */
  readonly isClosing: () => boolean;
  /** Told what kept an answer from being sent. */
  readonly onUnsent: (cause: unknown, request: Arriving) => void;
}

/** Take a request where it is of the short way's kind and answer it; false, and the request untouched, where it is not. */
export interface DirectUnary {
  takesStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): boolean;
  takesRequest(request: IncomingMessage, response: ServerResponse): boolean;
}

/** The short way for the unary methods of these services. Neither of its functions throws: what goes wrong is answered, or told to `onUnsent`. */
export function createDirectUnary(options: DirectUnaryOptions): DirectUnary {
  const { limits, isClosing } = options;
  const methods = directMethods(options);

  const { requestMaxBytes, requestTimeoutMs } = limits;
  const tooLarge = (): ConnectError => messageTooLarge(requestMaxBytes);
  const bodyLimits = (headBytes: number): BodyLimits => ({ bodyMaxBytes: requestMaxBytes + headBytes, requestTimeoutMs, tooLarge });
  const [bare, enveloped] = [bodyLimits(0), bodyLimits(envelopeHeadBytes)];

  const take = (httpVersion: 1 | 2, path: string | undefined, httpMethod: string | undefined, headers: IncomingHttpHeaders, door: () => Door): boolean => {
    const method = methods.get(path ?? "");
    const wire = method?.wires.get(headers["content-type"] ?? "");
    if (method === undefined || wire === undefined || httpMethod !== "POST" || headers.expect !== undefined || (wire.isEnveloped && httpVersion !== 2)) return false;
    const timeoutMs = wire.timeoutMs(headers);
    if (timeoutMs === undefined) return false;
    new DirectCall(options, method, wire, door(), timeoutMs).begin(wire.isEnveloped ? enveloped : bare);
    return true;
  };
  return {
    takesStream: (stream, headers) => take(2, headers[":path"] as string | undefined, headers[":method"] as string | undefined, headers, () => new StreamDoor(stream, headers)),
    takesRequest: (request, response) => take(1, request.url, request.method, request.headers, () => new RequestDoor(request, response, isClosing)),
  };
}

/** By the path that they are posted to: their own, or the original's. */
function directMethods({ services, rpcs, rest, limits }: DirectUnaryOptions): ReadonlyMap<string, DirectMethod> {
  const methods = new Map<string, DirectMethod>();
  const add = (path: string, rpc: Rpc, way: Pick<DirectMethod, "long" | "wires">): void => {
    if (rpc.unary !== undefined && services.includes(rpc.method.parent)) methods.set(path, directMethod(rpc, rpc.unary, way, limits));
  };
  for (const [path, rpc] of rpcs) add(path, rpc, { long: rpc, wires: rpcWires });
  for (const long of rest.paths.filter(({ httpMethod }) => httpMethod === "POST")) add(long.path, long.rpc, { long, wires: restWires(long.status) });
  return methods;
}

type Phase = "arriving" | "working" | "over";

/** One call. It is also its handler's context. */
class DirectCall implements UnaryCall, Leaver, Caller {
  readonly requestId: string;
  message!: Message;
  startMs = 0;
  readonly #options: DirectUnaryOptions;
  readonly #method: DirectMethod;
  readonly #wire: Wire;
  readonly #door: Door;
  readonly #timeoutMs: number;
  #phase: Phase = "arriving";
  #countdown: Countdown | undefined;
  #controller: AbortController | undefined;
  /** Why its signal is aborted. */
  #cause: ConnectError | undefined;

  constructor(options: DirectUnaryOptions, method: DirectMethod, wire: Wire, door: Door, timeoutMs: number) {
    this.#options = options;
    this.#method = method;
    this.#wire = wire;
    this.#door = door;
    this.#timeoutMs = Math.min(timeoutMs, options.limits.timeoutMaxMs);
    this.requestId = requestIdOf(oneOf(door.headers[requestIdHeader]));
    // The same one, should the exchange be needed.
    door.headers[requestIdHeader] = this.requestId;
  }

  get method(): UnaryCall["method"] {
    return this.#method.method;
  }

  get idempotencyHeader(): string | null {
    return oneOf(this.#door.headers[idempotencyKeyHeader]) ?? null;
  }

  /** Made when it is asked for: few handlers look at it. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#cause !== undefined) this.#controller.abort(this.#cause);
    }
    return this.#controller.signal;
  }

  /** Itself: for who only asks now and then whether it still waits. */
  get caller(): Caller {
    return this;
  }

  get aborted(): boolean {
    return this.#cause !== undefined;
  }

  get reason(): ConnectError | undefined {
    return this.#cause;
  }

  timeoutMs(): number {
    return this.#timeoutMs;
  }

  /** Waits for the body, and goes on by itself from there. */
  begin(bodyLimits: BodyLimits): void {
    const { body, headers } = this.#door;
    this.#door.watch(this);
    takeBody(body, headers["content-length"], bodyLimits, (bytes, error) => {
      if (bytes !== undefined) this.#arrived(bytes);
      else this.#goLong((exchange) => this.#method.long.failed(exchange, error));
    });
  }

  gone(): void {
    if (this.#phase === "working") this.#cut(new ConnectError("the peer is gone", Code.Canceled));
  }

  #arrived(bytes: Uint8Array): void {
    const message = this.#wire.parse(this.#method, bytes);
    if (message === undefined) return this.#goLong((exchange) => this.#method.long.serveBytes(exchange, bytes));
    this.message = message;
    this.startMs = performance.now();
    this.#phase = "working";
    try {
      this.#options.aroundUnary.admit(this);
      const output = this.#method.handle(message, this);
      if (!(output instanceof Promise)) return this.#answered(output);
      this.#countdown = new Countdown(this.#timeoutMs, () => this.#cut(new ConnectError("the operation timed out", Code.DeadlineExceeded)));
      output.then(
        (each) => this.#answered(each),
        (thrown: unknown) => this.#failed(thrown),
      );
    } catch (thrown) {
      this.#failed(thrown);
    }
  }

  #answered(output: MessageInitShape<DescMessage>): void {
    if (!this.#isFirstEnd()) return;
    this.#options.aroundUnary.answered(this);
    let bytes: Uint8Array;
    try {
      bytes = this.#wire.serialize(this.#method, create(this.method.output, output));
    } catch (thrown) {
      return this.#goLong((exchange) => this.#method.long.failed(exchange, thrown));
    }
    this.#send(this.#wire.answer(bytes, this.#door.headers));
  }

  #failed(thrown: unknown): void {
    if (!this.#isFirstEnd()) return;
    const error = this.#options.aroundUnary.failed(this, thrown);
    if (this.#wire.errorAnswer === undefined) this.#goLong(() => errorAnswer(this.#wire.protocol, error));
    else this.#send(this.#wire.errorAnswer(error, this.#door.headers));
  }

  #send(answer: PlainAnswer | Promise<PlainAnswer>): void {
    const unsent = (cause: unknown): void => this.#options.onUnsent(cause, this.#door.body);
    const send = (each: PlainAnswer): void => {
      if (!this.#door.isGone()) this.#door.send(each, this.requestId);
    };
    if (answer instanceof Promise) {
      answer.then(send).catch(unsent);
      return;
    }
    try {
      send(answer);
    } catch (cause) {
      unsent(cause);
    }
  }

  /** Ends the wait for the handler, which may go on: a deadline ends the wait, never the effect. */
  #cut(cause: ConnectError): void {
    this.#cause = cause;
    this.#controller?.abort(cause);
    this.#failed(cause);
  }

  /** Of answer, failure, deadline and the peer's leaving the first one counts. */
  #isFirstEnd(): boolean {
    if (this.#phase === "over") return false;
    this.#phase = "over";
    this.#countdown?.stop();
    return true;
  }

  /** Answers through the objects of the long way. */
  #goLong(answer: (exchange: Exchange) => UniversalServerResponse | Promise<UniversalServerResponse>): void {
    this.#phase = "over";
    const { limits, isClosing, onUnsent } = this.#options;
    const sent = async (): Promise<void> => {
      const { request, response } = this.#door.forLongWay();
      const exchange = exchangeOf(request, response);
      const made = await answer(exchange);
      // Before the answer leaves: what sends it waits for the end of a stream whose peer may never end it.
      discardBody(this.#door.body, limits.requestTimeoutMs);
      await sendAnswer(made, exchange, response, isClosing());
    };
    sent().catch((cause: unknown) => onUnsent(cause, this.#door.body));
  }
}

function oneOf(value: string | string[] | undefined): string | undefined {
  return typeof value === "string" ? value : value?.[0];
}
