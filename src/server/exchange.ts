// One HTTP request as the rest of the server sees it, made from Node's objects of either HTTP version, and the way back for its answer.

import { ConnectError, Code } from "@connectrpc/connect";
import { universalResponseToNodeResponse } from "@connectrpc/connect-node";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import { requestIdHeader, requestIdOf } from "../api/request-id.ts";
import type { NodeRequest, NodeResponse } from "./listener.ts";
import { protocolOf } from "./protocol.ts";
import type { Protocol } from "./protocol.ts";

export interface Exchange {
  readonly httpVersion: string;
  readonly httpMethod: string;
  /** The path as sent, without the query. */
  readonly path: string;
  /** What follows the question mark; empty without one. */
  readonly query: string;
  /** The request's headers, by lower-case name. Its `x-request-id` is always there and harmless. */
  readonly header: Headers;
  readonly protocol: Protocol;
  readonly requestId: string;
  /** Aborted when the peer is gone before it has its answer. */
  readonly signal: AbortSignal;
  /** Where the body comes from: see `readBody` and `streamBody`. */
  readonly node: NodeRequest;
}

/** Reads a request's head. Never throws, whatever was sent. */
export function exchangeOf(node: NodeRequest, response: NodeResponse): Exchange {
  const [path = "", ...rest] = targetOf(node.url ?? "").split("?");
  const header = headersOf(node);
  const requestId = requestIdOf(header.get(requestIdHeader));
  header.set(requestIdHeader, requestId);
  return {
    httpVersion: node.httpVersion,
    httpMethod: node.method ?? "",
    path,
    query: rest.join("?"),
    header,
    protocol: protocolOf(header.get("content-type")),
    requestId,
    signal: goneSignal(response),
    node,
  };
}

/**
 * Sends the answer. `closing` asks for the connection's end after it, which only HTTP/1.1 says in a header. Rejects where the peer left or the
 * answer's own body failed.
 */
export function sendAnswer(answer: UniversalServerResponse, exchange: Exchange, response: NodeResponse, closing: boolean): Promise<void> {
  const header = new Headers(answer.header);
  header.set(requestIdHeader, exchange.requestId);
  if (closing && "shouldKeepAlive" in response) response.shouldKeepAlive = false;
  return universalResponseToNodeResponse({ ...answer, header }, response);
}

/** The path and query of a request target; the absolute form that proxies send is cut to them (RFC 9112, section 3.2.2). */
function targetOf(url: string): string {
  if (url.startsWith("/")) return url;
  const absolute = URL.parse(url);
  return absolute === null ? "" : absolute.pathname + absolute.search;
}

function headersOf(node: NodeRequest): Headers {
  const header = new Headers();
  for (const [name, value] of Object.entries(node.headers)) {
    // HTTP/2's pseudo headers are no headers.
    if (value === undefined || name.startsWith(":")) continue;
    if (typeof value === "string") header.append(name, value);
    else for (const each of value) header.append(name, each);
  }
  return header;
}

function goneSignal(response: NodeResponse): AbortSignal {
  const controller = new AbortController();
  response.once("close", () => {
    if (!response.writableEnded) controller.abort(new ConnectError("the peer is gone", Code.Canceled));
  });
  return controller.signal;
}
