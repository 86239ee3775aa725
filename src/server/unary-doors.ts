// Where a unary call on the short way comes in and its answer goes out: an HTTP/2 stream without Node's request objects around it, or HTTP/1.1's.

import { grpcStatusOk, headerGrpcStatus } from "@connectrpc/connect/protocol-grpc";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { Http2ServerRequest, Http2ServerResponse, type ServerHttp2Stream } from "node:http2";
import { requestIdHeader } from "../api/request-id.ts";
import type { NodeRequest, NodeResponse } from "./listener.ts";
import type { Arriving } from "./request-body.ts";
import type { PlainAnswer } from "./unary-wires.ts";

/** Who wants to know that the peer has left. */
export interface Leaver {
  gone(): void;
}

/** What a call needs of its request, whatever the HTTP version. */
export interface Door {
  readonly headers: IncomingHttpHeaders;
  readonly body: Arriving;
  /** Whether nobody is left to be answered. */
  isGone(): boolean;
  /** Tells `leaver` when the peer leaves, or has been answered. */
  watch(leaver: Leaver): void;
  /** Sends an answer. */
  send(answer: PlainAnswer, requestId: string): void;
  /** Node's objects for the long way. Nothing is to be sent by `send` then. */
  forLongWay(): { readonly request: NodeRequest; readonly response: NodeResponse };
}

/** Where a stream has who watches it. Its listeners are functions, not closures: Node keeps a stream long after its end, and all that hangs on it. */
const watcher = Symbol("watcher");

interface Watched {
  [watcher]?: Leaver | undefined;
}

function onClose(this: Watched): void {
  const leaver = this[watcher];
  this[watcher] = undefined;
  leaver?.gone();
}

const withTrailers = { waitForTrailers: true } as const;
const okTrailers = { [headerGrpcStatus.toLowerCase()]: grpcStatusOk };

function sendOkTrailers(this: ServerHttp2Stream): void {
  this.sendTrailers(okTrailers);
}

/** An HTTP/2 stream, of which Node has made no request object. */
export class StreamDoor implements Door {
  readonly headers: IncomingHttpHeaders;
  readonly body: ServerHttp2Stream;

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders) {
    this.body = stream;
    this.headers = headers;
  }

  isGone(): boolean {
    return this.body.destroyed || this.body.closed;
  }

  watch(leaver: Leaver): void {
    (this.body as Watched)[watcher] = leaver;
    // A stream that fails closes.
    this.body.on("error", nothing).on("close", onClose);
  }

  send({ status, contentType, body, encodingHeader, hasStatus }: PlainAnswer, requestId: string): void {
    // A list costs Node less than an object.
    const head = [":status", String(status), "content-type", contentType, requestIdHeader, requestId];
    if (encodingHeader !== undefined) head.push(encodingHeader, "gzip");
    if (!hasStatus) head.push("content-length", String(body.byteLength));
    this.body.respond(head, hasStatus ? withTrailers : undefined);
    if (hasStatus) this.body.on("wantTrailers", sendOkTrailers);
    this.body.end(body);
  }

  forLongWay(): { readonly request: NodeRequest; readonly response: NodeResponse } {
    return { request: new Http2ServerRequest(this.body, this.headers, {}, []), response: new Http2ServerResponse(this.body) };
  }
}

/** A request over HTTP/1.1. */
export class RequestDoor implements Door {
  readonly headers: IncomingHttpHeaders;
  readonly body: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #isClosing: () => boolean;

  /** `isClosing` says whether the connection is to be ended after the answer. */
  constructor(request: IncomingMessage, response: ServerResponse, isClosing: () => boolean) {
    this.body = request;
    this.headers = request.headers;
    this.#response = response;
    this.#isClosing = isClosing;
  }

  isGone(): boolean {
    return this.#response.destroyed || this.#response.writableEnded;
  }

  watch(leaver: Leaver): void {
    (this.#response as Watched)[watcher] = leaver;
    this.#response.on("close", onClose);
  }

  send({ status, contentType, body, encodingHeader }: PlainAnswer, requestId: string): void {
    if (this.#isClosing()) this.#response.shouldKeepAlive = false;
    const head = ["content-type", contentType, "content-length", String(body.byteLength), requestIdHeader, requestId];
    if (encodingHeader !== undefined) head.push(encodingHeader, "gzip");
    this.#response.writeHead(status, head);
    // As a text of one byte a character, head and body leave in one write.
    this.#response.end(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("latin1"), "latin1");
  }

  forLongWay(): { readonly request: NodeRequest; readonly response: NodeResponse } {
    return { request: this.body, response: this.#response };
  }
}

function nothing(): void {}
