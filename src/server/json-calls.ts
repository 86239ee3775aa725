// RPC requests in JSON, read by us before Connect sees them: JSON.parse would round large ids, and take bytes that are no text.

import type { DescMessage } from "@bufbuild/protobuf";
import { base64Decode } from "@bufbuild/protobuf/wire";
import { compressionGzip } from "@connectrpc/connect-node";
import { compressedFlag, createAsyncIterable, encodeEnvelope } from "@connectrpc/connect/protocol";
import type { UniversalServerRequest } from "@connectrpc/connect/protocol";
import type { Exchange } from "./exchange.ts";
import { requestFields, textOfBytes } from "./request-json.ts";

/** A request as a method's handler takes it: a message in JSON, or the bytes as they were sent. */
export type RpcRequest = Pick<UniversalServerRequest, "method" | "url" | "body">;

/** Bytes of flags and length before a message in the protocols that have envelopes. */
export const envelopeHeadBytes = 5;

/** Bytes of flags before that length. */
export const envelopeFlagBytes = 1;

const encoder = new TextEncoder();

/** Whether the request's message is JSON, in any of the protocols. */
export function isJsonCall(exchange: Exchange): boolean {
  if (exchange.httpMethod === "GET") return new URLSearchParams(exchange.query).get("encoding") === "json";
  return /^application\/(?:connect\+|grpc\+|grpc-web\+)?json\b/i.test(exchange.header.get("content-type") ?? "");
}

/**
 * The request with its message as exact JSON. What is no well-formed frame, or compressed in a way that is not known, is given on as it is, for Connect
 * to refuse. Throws INVALID_REQUEST where the message is no JSON object that protobuf-es would read right, and Connect's errors of decompression.
 */
export async function exactJson(exchange: Exchange, request: RpcRequest, bytes: Uint8Array, input: DescMessage, requestMaxBytes: number): Promise<RpcRequest> {
  if (exchange.httpMethod === "GET") return exactGet(request, input, requestMaxBytes);
  if (exchange.protocol === "connect-unary") return exactUnary(exchange.header, request, bytes, input, requestMaxBytes);
  return exactEnvelope(exchange, request, bytes, input, requestMaxBytes);
}

async function exactUnary(header: Headers, request: RpcRequest, bytes: Uint8Array, input: DescMessage, requestMaxBytes: number): Promise<RpcRequest> {
  const plain = await decompress(bytes, header.get("content-encoding"), requestMaxBytes);
  if (plain === undefined) return request;
  header.delete("content-encoding");
  header.delete("content-length");
  return { ...request, body: requestFields(textOfBytes(plain), input, "refused") };
}

async function exactEnvelope(exchange: Exchange, request: RpcRequest, bytes: Uint8Array, input: DescMessage, requestMaxBytes: number): Promise<RpcRequest> {
  if (bytes.byteLength < envelopeHeadBytes) return request;
  const flags = bytes[0] ?? 0;
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(envelopeFlagBytes);
  if (length !== bytes.byteLength - envelopeHeadBytes) return request;
  const encodingHeader = exchange.protocol === "connect-stream" ? "connect-content-encoding" : "grpc-encoding";
  const encoding = exchange.header.get(encodingHeader);
  // Of flags that the protocol does not have Connect minds some and others not: whatever becomes of the frame, its message is read by us.
  const isCompressed = (flags & compressedFlag) !== 0;
  if (isCompressed && encoding === null) return request;
  const plain = await decompress(bytes.subarray(envelopeHeadBytes), isCompressed ? encoding : null, requestMaxBytes);
  if (plain === undefined) return request;
  const exact = encoder.encode(JSON.stringify(requestFields(textOfBytes(plain), input, "refused")));
  return { ...request, body: createAsyncIterable([encodeEnvelope(flags & ~compressedFlag, exact)]) };
}

async function exactGet(request: RpcRequest, input: DescMessage, requestMaxBytes: number): Promise<RpcRequest> {
  const url = new URL(request.url);
  const query = url.searchParams;
  const message = query.get("message") ?? "";
  const bytes = query.get("base64") === "1" ? base64Decode(message) : encoder.encode(message);
  const plain = await decompress(bytes, query.get("compression"), requestMaxBytes);
  if (plain === undefined) return request;
  query.set("message", JSON.stringify(requestFields(textOfBytes(plain), input, "refused")));
  query.delete("base64");
  query.delete("compression");
  return { ...request, url: url.toString() };
}

/** Undefined for an encoding that is not known. Throws Connect's error for bytes that are not of that encoding, and for too many. */
async function decompress(bytes: Uint8Array, encoding: string | null, requestMaxBytes: number): Promise<Uint8Array | undefined> {
  if (encoding === null || encoding === "identity") return bytes;
  return encoding === "gzip" ? compressionGzip.decompress(bytes, requestMaxBytes) : undefined;
}
