// The REST transcoder: makes a Connect JSON call out of a request to one of the declared paths, and lets the RPC's own handler answer it.

import type { DescMessage, DescService, JsonObject } from "@bufbuild/protobuf";
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

/** One HTTP method of a declared path. */
export interface RestPath extends RestRoute {
  /** Its RPC's. */
  readonly rpc: Rpc;
  /** Answers a request to it. Never rejects. */
  serve(exchange: Exchange): Promise<UniversalServerResponse>;
  /** The same for one whose body has been read. Never rejects. */
  serveBytes(exchange: Exchange, bytes: Uint8Array): Promise<UniversalServerResponse>;
  /** The answer to what was thrown before or after the handler. Never throws. */
  failed(exchange: Exchange, thrown: unknown): UniversalServerResponse;
}

export interface Rest {
  readonly paths: readonly RestPath[];
  /** Answers a request to a declared path; undefined where the path is none. Never rejects. */
  answer(exchange: Exchange): Promise<UniversalServerResponse> | undefined;
}

/** Throws where a service's annotations ask for what is not supported, or name a method that is not served. */
export function createRest(options: RestOptions): Rest {
  const routes = restRoutes(options.services);
  const rpcOf = (route: RestRoute): Rpc => {
    const rpc = options.rpcs.get(createMethodUrl("/", route.method));
    if (rpc === undefined) throw new Error(`${route.path} is declared for ${route.method.name}, which no handler serves`);
    return rpc;
  };
  const served = new Map([...routes].map(([path, candidates]) => [path, candidates.map((route) => restPath(route, rpcOf(route), options))]));

  return {
    paths: [...served.values()].flat(),
    answer(exchange) {
      const candidates = served.get(exchange.path);
      if (candidates === undefined) return undefined;
      const match = candidates.find(({ httpMethod }) => httpMethod === exchange.httpMethod);
      if (match === undefined) return Promise.resolve(wrongMethod(options.logger, exchange, candidates.map(({ httpMethod }) => httpMethod)));
      return match.serve(exchange);
    },
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

function restPath(route: RestRoute, rpc: Rpc, { limits, logger }: RestOptions): RestPath {
  const { method } = route;
  const { requestMaxBytes, requestTimeoutMs } = limits;

  const failed = (exchange: Exchange, thrown: unknown): UniversalServerResponse => {
    const { requestId } = exchange;
    const report = (cause: unknown) => logger.error({ err: cause, requestId }, "a request to an HTTP path failed unexpectedly");
    return refuse(logger, inJson(exchange), earlyError(ConnectError.from(thrown), { method, requestId, requestMaxBytes, report }));
  };

  const serveBytes = async (exchange: Exchange, bytes: Uint8Array): Promise<UniversalServerResponse> => {
    try {
      const body = requestFields(await textOfBody(exchange, bytes, requestMaxBytes), method.input, "taken");
      const header = new Headers(exchange.header);
      for (const name of ["content-length", "content-encoding", "transfer-encoding"]) header.delete(name);
      header.set("content-type", "application/json");
      const url = `http://wallet${createMethodUrl("/", method)}`;
      const answer = await rpc.call({ ...inJson(exchange), header }, { method: "POST", url, body: withQuery(exchange, method.input, body) });
      return answer.status === 200 ? { ...answer, status: route.status } : answer;
    } catch (thrown) {
      return failed(exchange, thrown);
    }
  };

  const serve = async (exchange: Exchange): Promise<UniversalServerResponse> => {
    try {
      return await serveBytes(exchange, await readBody(exchange.node, { bodyMaxBytes: requestMaxBytes, requestTimeoutMs, tooLarge: () => messageTooLarge(requestMaxBytes) }));
    } catch (thrown) {
      return failed(exchange, thrown);
    }
  };
  return { ...route, rpc, serve, serveBytes, failed };
}

/** The body's fields, and those of the query. */
function withQuery(exchange: Exchange, input: DescMessage, body: JsonObject): JsonObject {
  const inQuery = queryFields(exchange.query, input);
  const [first] = Object.keys(inQuery);
  // Addresses end up in logs and histories; what moves money belongs into the body.
  if (first !== undefined && exchange.httpMethod !== "GET") throw invalidField(echo(first), "belongs into the JSON body, not into the query");
  return mergeFields(input, body, inQuery);
}

/** An empty body counts as `{}`. */
async function textOfBody(exchange: Exchange, sent: Uint8Array, requestMaxBytes: number): Promise<string> {
  if (sent.byteLength === 0 && exchange.httpMethod === "GET") return "{}";
  checkContentType(exchange);
  const text = textOfBytes(await decompress(sent, exchange.header.get("content-encoding"), requestMaxBytes));
  return text.trim() === "" ? "{}" : text;
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
