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
 * The request with its message as exact JSON. Where its last frame is not whole, it has several messages, or one that is compressed in a way that is not known, it is given on as it is, for Connect
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
  const frames = framesOf(bytes);
  const endFlag = endFlags[exchange.protocol] ?? 0;
  const [message, another] = frames.filter(({ flags }) => (flags & endFlag) === 0);
  // Connect refuses a second message before it looks at the first; read here, each could unpack to as much as a request may have.
  if (message === undefined || another !== undefined) return request;
  const encoding = exchange.header.get(exchange.protocol === "connect-stream" ? "connect-content-encoding" : "grpc-encoding");
  // Of flags that the protocol does not have Connect minds some and others not: whatever becomes of the frame, its message is read by us.
  const isCompressed = (message.flags & compressedFlag) !== 0;
  if (isCompressed && encoding === null) return request;
  const plain = await decompress(message.data, isCompressed ? encoding : null, requestMaxBytes);
  if (plain === undefined) return request;
  const exact = encoder.encode(JSON.stringify(requestFields(textOfBytes(plain), input, "refused")));
  const framed = frames.map((frame) => (frame === message ? encodeEnvelope(frame.flags & ~compressedFlag, exact) : encodeEnvelope(frame.flags, frame.data)));
  return { ...request, body: createAsyncIterable(framed) };
}

/** The flags of frames that Connect passes over, where a protocol has any. */
const endFlags: Partial<Record<Exchange["protocol"], number>> = { "connect-stream": 0b10, "grpc-web": 0b1000_0000 };

/** None where the last one is not whole. */
function framesOf(bytes: Uint8Array): readonly { readonly flags: number; readonly data: Uint8Array }[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const frames: { flags: number; data: Uint8Array }[] = [];
  for (let at = 0; at < bytes.byteLength; ) {
    const begin = at + envelopeHeadBytes;
    if (begin > bytes.byteLength) return [];
    const end = begin + view.getUint32(at + envelopeFlagBytes);
    if (end > bytes.byteLength) return [];
    frames.push({ flags: view.getUint8(at), data: bytes.subarray(begin, end) });
    at = end;
  }
  return frames;
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
