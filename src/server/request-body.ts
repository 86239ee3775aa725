// A request's body, within bounds of size and time, without ever ending the connection on which its answer is to be sent.

import { constants, type ServerHttp2Stream } from "node:http2";
import type { Readable } from "node:stream";
import type { ConnectError } from "@connectrpc/connect";
import { serviceError } from "../api/errors.ts";
import { canceled } from "../api/faults.ts";
import { Countdown } from "./countdown.ts";
import type { NodeRequest } from "./listener.ts";

export interface BodyLimits {
  /** Most bytes that the body may have, as sent. */
  bodyMaxBytes: number;
  /** How long it may take to arrive, in milliseconds. */
  requestTimeoutMs: number;
  /** The error for a larger one. */
  tooLarge: () => ConnectError;
}

/** A request whose body comes: one of Node's request objects, or an HTTP/2 stream that no such object was made of. */
export type Arriving = NodeRequest | ServerHttp2Stream;

/** Told once: the whole body, or why there is none. */
export type BodyTaker = (bytes: Uint8Array | undefined, error: ConnectError | undefined) => void;

const empty = new Uint8Array(0);

/** Where a request has the body that is on its way. Its listeners are functions, not closures: Node keeps a stream long after its end, and all that hangs on it. */
const arrival = Symbol("arrival");

interface Awaiting {
  [arrival]?: Arrival | undefined;
}

/**
 * Gives the whole body to `taker`; or `tooLarge()`, DEADLINE_EXCEEDED where it does not arrive in time, and CANCELED where the peer leaves.
 * What is left of the body after an error is thrown away as it comes; see `discardBody`.
 */
export function takeBody(request: Arriving, contentLength: string | undefined, limits: BodyLimits, taker: BodyTaker): void {
  if (contentLength !== undefined && Number(contentLength) > limits.bodyMaxBytes) {
    taker(undefined, limits.tooLarge());
    return;
  }
  const awaiting: Awaiting = request as Arriving & Awaiting;
  awaiting[arrival] = new Arrival(awaiting, limits, taker);
  // Readable is what all of these are, with one set of listeners instead of three.
  const body: Readable = request;
  // They stay: a request has one body, and taking them off costs as much as putting them on.
  body.on("data", onData).on("end", onEnd).on("close", onGone).on("error", onGone);
}

class Arrival {
  readonly #request: Awaiting;
  readonly #limits: BodyLimits;
  readonly #taker: BodyTaker;
  readonly #countdown: Countdown;
  readonly #chunks: Buffer[] = [];
  #length = 0;

  constructor(request: Awaiting, limits: BodyLimits, taker: BodyTaker) {
    this.#request = request;
    this.#limits = limits;
    this.#taker = taker;
    const { requestTimeoutMs } = limits;
    const late = () => this.end(undefined, serviceError("DEADLINE_EXCEEDED", `The request did not arrive within ${requestTimeoutMs} ms. Nothing was done.`));
    this.#countdown = new Countdown(requestTimeoutMs, late);
  }

  take(chunk: Buffer): void {
    this.#length += chunk.length;
    if (this.#length > this.#limits.bodyMaxBytes) this.end(undefined, this.#limits.tooLarge());
    else this.#chunks.push(chunk);
  }

  whole(): Uint8Array {
    const [first = empty] = this.#chunks;
    return this.#chunks.length > 1 ? Buffer.concat(this.#chunks, this.#length) : first;
  }

  end(bytes: Uint8Array | undefined, error: ConnectError | undefined): void {
    this.#countdown.stop();
    this.#request[arrival] = undefined;
    this.#taker(bytes, error);
  }
}

function onData(this: Awaiting, chunk: Buffer): void {
  this[arrival]?.take(chunk);
}

function onEnd(this: Awaiting): void {
  const awaited = this[arrival];
  awaited?.end(awaited.whole(), undefined);
}

function onGone(this: Awaiting): void {
  this[arrival]?.end(undefined, canceled());
}

/** The same as a promise, which rejects with the error. */
export function readBody(request: NodeRequest, limits: BodyLimits): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    takeBody(request, request.headers["content-length"], limits, (bytes, error) => (bytes === undefined ? reject(error) : resolve(bytes)));
  });
}

/** The body as it comes, for methods that read while they answer. Leaving the loop does not end the connection. */
export async function* streamBody(request: NodeRequest, requestTimeoutMs: number): AsyncGenerator<Uint8Array> {
  const body: Readable = request;
  try {
    yield* body.iterator({ destroyOnReturn: false });
  } catch {
    // A body fails only with its connection or its stream.
    throw canceled();
  } finally {
    discardBody(request, requestTimeoutMs);
  }
}

/** Reads on and throws away, so that the connection can be used again; a peer that has not finished after `requestTimeoutMs` loses it. */
export function discardBody(request: Arriving, requestTimeoutMs: number): void {
  const body: Readable = request;
  if (body.readableEnded || body.destroyed) return;
  body.on("error", () => {});
  // RFC 9113, section 8.1: after a whole answer NO_ERROR asks the peer to stop sending.
  const timer = setTimeout(() => abandon(request, constants.NGHTTP2_NO_ERROR), requestTimeoutMs).unref();
  body.once("close", () => clearTimeout(timer));
  body.once("end", () => clearTimeout(timer));
  body.resume();
}

/** Ends a request that is over for us: its stream in HTTP/2, with this error code; its connection in HTTP/1.1. */
export function abandon(request: Arriving, http2Code: number): void {
  if ("stream" in request) request.stream.close(http2Code);
  else if ("rstCode" in request) request.close(http2Code);
  else request.destroy();
}
