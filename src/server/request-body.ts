// A request's body, within bounds of size and time, without ever ending the connection on which its answer is to be sent.

import { constants } from "node:http2";
import type { Readable } from "node:stream";
import type { ConnectError } from "@connectrpc/connect";
import { serviceError } from "../api/errors.ts";
import { canceled } from "../api/faults.ts";
import type { NodeRequest } from "./listener.ts";

export interface BodyLimits {
  /** Most bytes that the body may have, as sent. */
  bodyMaxBytes: number;
  /** How long it may take to arrive, in milliseconds. */
  requestTimeoutMs: number;
  /** The error for a larger one. */
  tooLarge: () => ConnectError;
}

const empty = new Uint8Array(0);

/**
 * The whole body. Rejects with `tooLarge()`, with DEADLINE_EXCEEDED where it does not arrive in time, and with CANCELED where the peer leaves.
 * What is left of the body after an error is read and thrown away.
 */
export function readBody(request: NodeRequest, limits: BodyLimits): Promise<Uint8Array> {
  // Readable is what both of Node's request classes are, with one set of listeners instead of two.
  const body: Readable = request;
  return new Promise((resolve, reject) => {
    if (Number(request.headers["content-length"]) > limits.bodyMaxBytes) {
      reject(limits.tooLarge());
      return;
    }
    const chunks: Buffer[] = [];
    let length = 0;
    const done = () => {
      clearTimeout(timer);
      body.off("data", take).off("end", finish).off("close", gone).off("error", gone);
    };
    const fail = (error: ConnectError) => {
      done();
      reject(error);
    };
    const take = (chunk: Buffer) => {
      length += chunk.length;
      if (length > limits.bodyMaxBytes) fail(limits.tooLarge());
      else chunks.push(chunk);
    };
    const finish = () => {
      done();
      resolve(chunks.length === 0 ? empty : chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, length));
    };
    const gone = () => fail(canceled());
    const late = () => fail(serviceError("DEADLINE_EXCEEDED", `The request did not arrive within ${limits.requestTimeoutMs} ms. Nothing was done.`));
    const timer = setTimeout(late, limits.requestTimeoutMs);
    body.on("data", take).on("end", finish).on("close", gone).on("error", gone);
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
export function discardBody(request: NodeRequest, requestTimeoutMs: number): void {
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
export function abandon(request: NodeRequest, http2Code: number): void {
  if ("stream" in request) request.stream.close(http2Code);
  else request.destroy();
}
