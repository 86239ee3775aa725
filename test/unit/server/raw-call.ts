// Calls on the wire, byte by byte, so that tests can send what no client would; and the error that came back, whatever the protocol.

import { ConnectError, Code } from "@connectrpc/connect";
import { encodeEnvelope } from "@connectrpc/connect/protocol";
import { endStreamFromJson, errorFromJsonBytes } from "@connectrpc/connect/protocol-connect";
import { findTrailerError } from "@connectrpc/connect/protocol-grpc";
import { trailerParse } from "@connectrpc/connect/protocol-grpc-web";
import { request } from "node:http";
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import { gunzipSync } from "node:zlib";

export interface RawAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  trailers: Headers;
  body: Buffer;
  text: string;
  json: () => Record<string, unknown>;
}

/** One HTTP/1.1 request on a connection of its own. */
export function http1(url: string, options: { method?: string; headers?: OutgoingHttpHeaders; body?: string | Uint8Array | (string | Uint8Array)[] } = {}): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: options.method ?? (options.body === undefined ? "GET" : "POST"), headers: options.headers ?? {}, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const body = Buffer.concat(chunks);
        const trailers = new Headers(Object.entries(response.trailers).map(([name, value]) => [name, value ?? ""] as [string, string]));
        resolve({ status: response.statusCode ?? 0, headers: response.headers, trailers, body, text: body.toString(), json: () => JSON.parse(body.toString()) as Record<string, unknown> });
      });
    });
    sent.on("error", reject);
    if (Array.isArray(options.body)) for (const chunk of options.body) sent.write(chunk);
    sent.end(Array.isArray(options.body) ? undefined : options.body);
  });
}

/** The RPC protocols with both of their codecs. `get` is Connect's GET. */
export const wireProtocols = {
  "connect json": { contentType: "application/json", envelope: false },
  "connect proto": { contentType: "application/proto", envelope: false },
  "connect stream json": { contentType: "application/connect+json", envelope: true },
  "connect stream proto": { contentType: "application/connect+proto", envelope: true },
  "grpc proto": { contentType: "application/grpc+proto", envelope: true },
  "grpc json": { contentType: "application/grpc+json", envelope: true },
  "grpc-web proto": { contentType: "application/grpc-web+proto", envelope: true },
  "grpc-web json": { contentType: "application/grpc-web+json", envelope: true },
} as const;

export type WireProtocol = keyof typeof wireProtocols;

export function isJson(protocol: WireProtocol): boolean {
  return protocol.endsWith("json");
}

/** Sends `message` as the protocol frames it and gives the error in the answer; undefined where the call went well. */
export async function wireCall(protocol: WireProtocol, url: string, message: string | Uint8Array, headers: OutgoingHttpHeaders = {}, compressed = false): Promise<{ answer: RawAnswer; error: ConnectError | undefined }> {
  const { contentType, envelope } = wireProtocols[protocol];
  const bytes = typeof message === "string" ? Buffer.from(message) : message;
  const body = envelope ? encodeEnvelope(compressed ? 1 : 0, bytes) : bytes;
  const answer = await http1(url, { method: "POST", headers: { "content-type": contentType, ...headers }, body });
  return { answer, error: errorIn(protocol, answer) };
}

/** The error in an answer, as a client of the protocol finds it. */
export function errorIn(protocol: WireProtocol, answer: RawAnswer): ConnectError | undefined {
  const unreadable = new ConnectError(`no error of the protocol: ${answer.status} ${answer.text}`, Code.Unknown);
  if (protocol.startsWith("grpc proto") || protocol.startsWith("grpc json")) return findTrailerError(answer.trailers);
  if (protocol.startsWith("grpc-web")) return findTrailerError(trailerParse(lastFrame(answer.body, 0x80)));
  if (protocol.startsWith("connect stream")) return endStreamFromJson(lastFrame(answer.body, 0x02)).error;
  if (answer.status === 200) return undefined;
  const bytes = answer.headers["content-encoding"] === "gzip" ? gunzipSync(answer.body) : answer.body;
  return errorFromJsonBytes(bytes, undefined, unreadable);
}

function lastFrame(body: Buffer, endFlag: number): Uint8Array {
  let rest = body;
  while (rest.length >= 5) {
    const length = rest.readUInt32BE(1);
    const data = rest.subarray(5, 5 + length);
    const flags = rest[0] ?? 0;
    if ((flags & endFlag) !== 0) return (flags & 1) === 0 ? data : gunzipSync(data);
    rest = rest.subarray(5 + length);
  }
  throw new Error(`no end frame in ${body.toString("hex")}`);
}
