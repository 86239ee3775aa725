// One request byte by byte over either HTTP version, and the whole of its answer, so that two servers' answers can be compared to the last header.

import type { DescMethod, JsonObject } from "@bufbuild/protobuf";
import { fromBinary, fromJsonString, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { compressedFlag, encodeEnvelope } from "@connectrpc/connect/protocol";
import { errorFromJsonBytes } from "@connectrpc/connect/protocol-connect";
import { findTrailerError } from "@connectrpc/connect/protocol-grpc";
import { Agent, request as http1Request, type IncomingHttpHeaders, type OutgoingHttpHeaders } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { gunzipSync } from "node:zlib";
import { answered, methodNamed, pathOf, refused, toRequest, type CallResult, type Client } from "./client.ts";
import { restPaths } from "./rest.ts";

/** Protocol, encoding and HTTP version in one. */
export interface WireWay {
  readonly name: string;
  readonly contentType: string;
  readonly isHttp2: boolean;
  /** Whether it takes the original's paths. */
  readonly isRest: boolean;
  /** Where a method is posted to; undefined where this way has no path for it. */
  readonly pathOf: (method: DescMethod) => string | undefined;
}

const rpcWays: readonly Pick<WireWay, "name" | "contentType" | "isHttp2">[] = [
  { name: "gRPC", contentType: "application/grpc", isHttp2: true },
  { name: "Connect binary over HTTP/1.1", contentType: "application/proto", isHttp2: false },
  { name: "Connect binary over HTTP/2", contentType: "application/proto", isHttp2: true },
  { name: "Connect JSON over HTTP/1.1", contentType: "application/json", isHttp2: false },
  { name: "Connect JSON over HTTP/2", contentType: "application/json", isHttp2: true },
];

const restWays: readonly Pick<WireWay, "name" | "contentType" | "isHttp2">[] = [
  { name: "REST over HTTP/1.1", contentType: "application/json", isHttp2: false },
  { name: "REST over HTTP/2", contentType: "application/json", isHttp2: true },
];

export const wireWays: readonly WireWay[] = [...rpcWays.map((way) => ({ ...way, isRest: false, pathOf })), ...restWays.map((way) => ({ ...way, isRest: true, pathOf: restPathOf }))];

function restPathOf(method: DescMethod): string | undefined {
  const [httpMethod, path] = restPaths[method.name]?.split(" ") ?? [];
  return httpMethod === "POST" ? path : undefined;
}

export interface WireAnswer {
  readonly status: number;
  /** All but those that say when or over which connection, and gRPC's compression where no frame is compressed. Of the request id only whether it is there. */
  readonly headers: Readonly<Record<string, unknown>>;
  readonly trailers: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
}

export interface WireRequest {
  readonly httpMethod?: string;
  readonly path: string;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Uint8Array | string;
}

/** Sends what it is given, whether it is a request or not. */
export interface Wire {
  send(request: WireRequest): Promise<WireAnswer>;
  close(): void;
}

export function openWire({ url }: { url: string }, isHttp2: boolean): Wire {
  return isHttp2 ? http2Wire(url) : http1Wire(url);
}

function http1Wire(url: string): Wire {
  const agent = new Agent({ keepAlive: true });
  return {
    send: ({ httpMethod = "POST", path, headers, body }) =>
      new Promise((resolve, reject) => {
        const sent = http1Request(`${url}${path}`, { method: httpMethod, headers, agent }, (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk)).on("error", reject);
          response.on("end", () => resolve(wireAnswer(response.statusCode ?? 0, response.headers, response.trailers, Buffer.concat(chunks))));
        });
        sent.on("error", reject);
        sent.end(body);
      }),
    close: () => agent.destroy(),
  };
}

function http2Wire(url: string): Wire {
  const session = connectHttp2(url);
  session.on("error", () => {});
  return {
    send: ({ httpMethod = "POST", path, headers, body }) =>
      new Promise((resolve, reject) => {
        const stream = session.request({ ":method": httpMethod, ":path": path, ...headers }, { endStream: false });
        const chunks: Buffer[] = [];
        let head: IncomingHttpHeaders = {};
        let trailers: IncomingHttpHeaders = {};
        stream.on("response", (received) => (head = received));
        stream.on("trailers", (received) => (trailers = received));
        stream.on("data", (chunk: Buffer) => chunks.push(chunk)).on("error", reject);
        stream.on("end", () => resolve(wireAnswer(Number(head[":status"]), head, trailers, Buffer.concat(chunks))));
        stream.end(body);
      }),
    close: () => session.close(),
  };
}

const ofTheMoment = new Set(["date", "connection", "keep-alive", ":status"]);

function wireAnswer(status: number, headers: IncomingHttpHeaders, trailers: NodeJS.Dict<unknown>, body: Buffer): WireAnswer {
  const says = (name: string): boolean => !ofTheMoment.has(name) && (name !== "grpc-encoding" || body[0] === compressedFlag);
  return { status, headers: lasting(headers, says), trailers: lasting(trailers, says), body };
}

function lasting(from: Readonly<Record<string, unknown>>, says: (name: string) => boolean): Record<string, unknown> {
  return Object.fromEntries(Object.entries(from).flatMap(([name, value]) => (says(name) ? [[name, name === "x-request-id" ? "an id" : value]] : [])));
}

/** The bytes of a request's message as this way frames them. */
export function framed({ contentType }: WireWay, message: Uint8Array): Uint8Array {
  return contentType === "application/grpc" ? encodeEnvelope(0, message) : message;
}

/** A client whose results contain, as `wire`, the head and the trailers that they came with. For every second call it takes a compressed answer. */
export function wireClient(service: { url: string }, way: WireWay): Client {
  const wire = openWire(service, way.isHttp2);
  const isGrpc = way.contentType === "application/grpc";
  const zip = isGrpc ? { "grpc-accept-encoding": "identity,gzip" } : { "accept-encoding": "br, gzip" };
  let calls = 0;
  return {
    name: `${way.name}, by the wire`,
    serves: (method) => method.methodKind === "unary" && way.pathOf(method) !== undefined,
    async call(serviceName, name, request, { headers = {}, isLate = false } = {}): Promise<CallResult> {
      const method = methodNamed(serviceName, name);
      const answer = await wire.send({
        path: way.pathOf(method)!,
        headers: { "content-type": way.contentType, ...(calls++ % 2 === 0 ? zip : {}), ...(isLate ? lateHeader(isGrpc) : {}), ...headers },
        body: framed(way, messageOf(way, method, request)),
      });
      const { status, headers: head, trailers } = answer;
      // What details contain is in the result; how long a body is depends on times and hashes.
      const { "content-length": length, ...rest } = head;
      const { "grpc-status-details-bin": details, ...told } = trailers;
      const seen = { status, head: { ...rest, hasLength: length !== undefined }, trailers: { ...told, hasDetails: details !== undefined } };
      return Object.assign(resultOf(method, way, answer), { wire: seen });
    },
    close: () => wire.close(),
  };
}

function lateHeader(isGrpc: boolean): Record<string, string> {
  return isGrpc ? { "grpc-timeout": "0m" } : { "connect-timeout-ms": "0" };
}

function messageOf({ contentType }: WireWay, method: DescMethod, request: JsonObject): Uint8Array {
  return contentType === "application/json" ? Buffer.from(JSON.stringify(request)) : toBinary(method.input, toRequest(method, request));
}

function resultOf(method: DescMethod, { contentType }: WireWay, { status, headers, trailers, body }: WireAnswer): CallResult {
  if (contentType === "application/grpc") {
    const error = findTrailerError(new Headers(trailers as Record<string, string>));
    if (error !== undefined) return refused(error);
    const message = body.subarray(5);
    return answered(method, [fromBinary(method.output, body[0] === compressedFlag ? gunzipSync(message) : message)]);
  }
  const plain = headers["content-encoding"] === "gzip" ? gunzipSync(body) : body;
  if (status >= 300) return refused(errorFromJsonBytes(plain, undefined, new ConnectError(`no error of Connect: ${status}`, Code.Unknown)));
  return answered(method, [contentType === "application/json" ? fromJsonString(method.output, plain.toString()) : fromBinary(method.output, plain)]);
}
