// The REST transcoder: makes a Connect JSON call out of a request to one of the declared paths, and lets the RPC's own handler answer it.

import type { DescService } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { compressionGzip } from "@connectrpc/connect-node";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import { createMethodUrl } from "@connectrpc/connect/protocol";
import { invalidField, serviceError } from "../api/errors.ts";
import type { Logger } from "../log.ts";
import type { Rpc } from "./connect.ts";
import { earlyError, echo, messageTooLarge } from "./early-errors.ts";
import type { Exchange } from "./exchange.ts";
import type { ServerLimits } from "./limits.ts";
import { refuse } from "./refusal.ts";
import { readBody } from "./request-body.ts";
import { requestFields, textOfBytes } from "./request-json.ts";
import { mergeFields, queryFields } from "./rest-fields.ts";
import { restRoutes } from "./rest-routes.ts";
import type { RestRoute } from "./rest-routes.ts";

export interface RestOptions {
  services: readonly DescService[];
  rpcs: ReadonlyMap<string, Rpc>;
  limits: ServerLimits;
  logger: Logger;
}

/** Answers a request to a declared path; undefined where the path is none. Never rejects. */
export type RestHandler = (exchange: Exchange) => Promise<UniversalServerResponse> | undefined;

/** Throws where a service's annotations ask for what is not supported, or name a method that is not served. */
export function createRest(options: RestOptions): RestHandler {
  const routes = restRoutes(options.services);
  const rpcOf = (route: RestRoute): Rpc => {
    const rpc = options.rpcs.get(createMethodUrl("/", route.method));
    if (rpc === undefined) throw new Error(`${route.path} is declared for ${route.method.name}, which no handler serves`);
    return rpc;
  };
  const served = new Map([...routes].map(([path, candidates]) => [path, candidates.map((route) => ({ route, rpc: rpcOf(route) }))]));

  return (exchange) => {
    const candidates = served.get(exchange.path);
    if (candidates === undefined) return undefined;
    const match = candidates.find(({ route }) => route.httpMethod === exchange.httpMethod);
    if (match === undefined) return Promise.resolve(wrongMethod(options.logger, exchange, candidates.map(({ route }) => route.httpMethod)));
    return transcode(exchange, match.route, match.rpc, options);
  };
}

function wrongMethod(logger: Logger, exchange: Exchange, right: readonly string[]): UniversalServerResponse {
  const allowed = right.join(", ");
  const answer = refuse(logger, inJson(exchange), serviceError("UNKNOWN_METHOD", `${echo(exchange.httpMethod)} is no way to call ${exchange.path}. Use ${allowed}.`));
  answer.header?.set("allow", allowed);
  return answer;
}

/** Answers of these paths are those of Connect's JSON, whatever content type the request had. */
function inJson(exchange: Exchange): Exchange {
  return { ...exchange, protocol: "connect-unary" };
}

async function transcode(exchange: Exchange, route: RestRoute, rpc: Rpc, options: RestOptions): Promise<UniversalServerResponse> {
  const { input } = route.method;
  try {
    const text = await bodyText(exchange, options.limits);
    const body = text.trim() === "" ? {} : requestFields(text, input, "taken");
    const inQuery = queryFields(exchange.query, input);
    const [first] = Object.keys(inQuery);
    // Addresses end up in logs and histories; what moves money belongs into the body.
    if (first !== undefined && exchange.httpMethod !== "GET") throw invalidField(echo(first), "belongs into the JSON body, not into the query");
    const fields = mergeFields(input, body, inQuery);
    const header = new Headers(exchange.header);
    for (const name of ["content-length", "content-encoding", "transfer-encoding"]) header.delete(name);
    header.set("content-type", "application/json");
    const url = `http://wallet${createMethodUrl("/", route.method)}`;
    const answer = await rpc.call({ ...inJson(exchange), header }, { method: "POST", url, body: fields });
    return answer.status === 200 ? { ...answer, status: route.status } : answer;
  } catch (thrown) {
    const { requestId } = exchange;
    const { limits, logger } = options;
    const report = (cause: unknown) => logger.error({ err: cause, requestId }, "a request to an HTTP path failed unexpectedly");
    const call = { method: route.method, requestId, requestMaxBytes: limits.requestMaxBytes, report };
    return refuse(logger, inJson(exchange), earlyError(ConnectError.from(thrown), call));
  }
}

async function bodyText(exchange: Exchange, limits: ServerLimits): Promise<string> {
  const { requestMaxBytes, requestTimeoutMs } = limits;
  const sent = await readBody(exchange.node, { bodyMaxBytes: requestMaxBytes, requestTimeoutMs, tooLarge: () => messageTooLarge(requestMaxBytes) });
  if (sent.byteLength === 0 && exchange.httpMethod === "GET") return "";
  checkContentType(exchange);
  return textOfBytes(await decompress(sent, exchange.header.get("content-encoding"), requestMaxBytes));
}

/**
 * JSON, and what clients of the original send without knowing: no Content-Type, or the one that curl adds by itself. Not from a browser, though:
 * with those types any web page could make its visitor's browser send money about without asking first (a "simple request" of the Fetch
 * standard); for application/json it asks, and is not answered.
 */
function checkContentType(exchange: Exchange): void {
  const sent = exchange.header.get("content-type");
  const type = sent?.split(";", 1)[0]?.trim().toLowerCase();
  const charset = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(sent ?? "")?.[1]?.toLowerCase() ?? "utf-8";
  if (charset !== "utf-8" && charset !== "utf8") throw invalidField("content-type", `the charset must be utf-8, not ${echo(charset)}`);
  if (type === "application/json") return;
  const isBrowser = exchange.header.has("origin") || exchange.header.has("sec-fetch-site");
  const isLenient = type === undefined || type === "" || type === "application/x-www-form-urlencoded";
  if (isLenient && !isBrowser) return;
  throw invalidField("content-type", `must be application/json, not "${echo(sent ?? "")}"`);
}

async function decompress(bytes: Uint8Array, encoding: string | null, requestMaxBytes: number): Promise<Uint8Array> {
  if (encoding === null || encoding === "identity") return bytes;
  if (encoding === "gzip") return compressionGzip.decompress(bytes, requestMaxBytes);
  throw serviceError("UNKNOWN_METHOD", `There is no compression ${echo(encoding)} here. Use gzip or none.`);
}
