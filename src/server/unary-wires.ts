// The protocols and encodings that unary calls take the short way in: what is plain in each, how its message is read, and how an answer is written.

import { fromJson, type DescMethod, type Message } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import { compressionGzip } from "@connectrpc/connect-node";
import { compressedFlag, createMethodSerializationLookup, encodeEnvelope } from "@connectrpc/connect/protocol";
import {
  codeToHttpStatus,
  contentTypeUnaryJson,
  contentTypeUnaryProto,
  errorToJsonBytes,
  headerProtocolVersion,
  headerTimeout as connectTimeoutHeader,
  headerUnaryAcceptEncoding,
  headerUnaryEncoding,
  protocolVersion,
} from "@connectrpc/connect/protocol-connect";
import { contentTypeProto, headerAcceptEncoding, headerEncoding, headerTimeout as grpcTimeoutHeader } from "@connectrpc/connect/protocol-grpc";
import type { IncomingHttpHeaders } from "node:http";
import type { Rpc, UnaryHandler } from "./connect.ts";
import { connectTimeoutMs, grpcTimeoutMs } from "./deadline.ts";
import { binaryOptions, compressMinBytes, jsonOptions } from "./encodings.ts";
import { envelopeFlagBytes, envelopeHeadBytes } from "./json-calls.ts";
import type { ServerLimits } from "./limits.ts";
import type { Protocol } from "./protocol.ts";
import { requestFields, textOfBytes, type NumbersForStrings } from "./request-json.ts";

// As Node has them in a request's headers.
const grpcTimeout = grpcTimeoutHeader.toLowerCase();
const grpcEncoding = headerEncoding.toLowerCase();
const grpcAcceptEncoding = headerAcceptEncoding.toLowerCase();
const connectTimeout = connectTimeoutHeader.toLowerCase();
const connectVersion = headerProtocolVersion.toLowerCase();
const contentEncoding = headerUnaryEncoding.toLowerCase();
const acceptEncoding = headerUnaryAcceptEncoding.toLowerCase();

/** A method with what reads and writes its messages. */
export interface DirectMethod {
  readonly method: DescMethod;
  readonly handle: UnaryHandler;
  readonly serialization: ReturnType<typeof createMethodSerializationLookup>;
  /** Who answers what turns out not to be plain. */
  readonly long: Pick<Rpc, "serveBytes" | "failed">;
  /** What it is called in, by the request's content type. */
  readonly wires: ReadonlyMap<string, Wire>;
}

/** The method, with the serialization that keeps these limits. */
export function directMethod({ method }: Rpc, handle: UnaryHandler, way: Pick<DirectMethod, "long" | "wires">, { requestMaxBytes, responseMaxBytes }: ServerLimits): DirectMethod {
  const bounds = { readMaxBytes: requestMaxBytes, writeMaxBytes: responseMaxBytes };
  return { method, handle, serialization: createMethodSerializationLookup(method, binaryOptions, jsonOptions, bounds), ...way };
}

/** An answer's body and what is said of it before and after. */
export interface PlainAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: Uint8Array;
  /** The header that names the body's compression, where it has one. */
  readonly encodingHeader: string | undefined;
  /** Whether gRPC's status follows the body; otherwise its length goes before it. */
  readonly hasStatus: boolean;
}

/** One protocol in one encoding. */
export interface Wire {
  readonly protocol: Protocol;
  /** Whether flags and length stand before the message, and a status behind the answer: which needs HTTP/2. */
  readonly isEnveloped: boolean;
  /** The time that the caller gives the call: infinite where it names none; undefined where the request's head is not plain. */
  timeoutMs(headers: IncomingHttpHeaders): number | undefined;
  /** Undefined where the bytes are not a message: then Connect says what is wrong with them. */
  parse(method: DirectMethod, bytes: Uint8Array): Message | undefined;
  serialize(method: DirectMethod, message: Message): Uint8Array;
  /** Compressed where that is worth it and the caller takes it. */
  answer(bytes: Uint8Array, headers: IncomingHttpHeaders): PlainAnswer | Promise<PlainAnswer>;
  /** The same for an error that is an answer with a body; undefined where it is none. */
  errorAnswer: ((error: ConnectError, headers: IncomingHttpHeaders) => PlainAnswer | Promise<PlainAnswer>) | undefined;
}

const grpc: Wire = {
  protocol: "grpc",
  isEnveloped: true,
  timeoutMs: (headers) => (isIdentity(headers[grpcEncoding]) ? plainTimeoutMs(grpcTimeoutMs, headers[grpcTimeout]) : undefined),
  parse: (method, bytes) => (isOneEnvelope(bytes) ? parsed(() => method.serialization.getI(true).parse(bytes.subarray(envelopeHeadBytes))) : undefined),
  serialize: (method, message) => method.serialization.getO(true).serialize(message),
  answer(bytes, headers) {
    if (!isCompressible(bytes, headers[grpcAcceptEncoding])) return { status: 200, contentType: contentTypeProto, body: plainEnvelope(bytes), encodingHeader: undefined, hasStatus: true };
    const framed = (zipped: Uint8Array) => ({ status: 200, contentType: contentTypeProto, body: encodeEnvelope(compressedFlag, zipped), encodingHeader: grpcEncoding, hasStatus: true });
    return compressionGzip.compress(bytes).then(framed);
  },
  errorAnswer: undefined,
};

function connectWire(contentType: string, form: Pick<Wire, "parse" | "serialize">, goodStatus = 200): Wire {
  return {
    protocol: "connect-unary",
    isEnveloped: false,
    timeoutMs(headers) {
      const isPlain = isIdentity(headers[contentEncoding]) && isConnectVersion(headers[connectVersion]);
      return isPlain ? plainTimeoutMs(connectTimeoutMs, headers[connectTimeout]) : undefined;
    },
    ...form,
    answer: (bytes, headers) => connectAnswer(goodStatus, contentType, bytes, headers),
    errorAnswer: (error, headers) => connectAnswer(codeToHttpStatus(error.code), contentTypeUnaryJson, errorToJsonBytes(error, jsonOptions), headers),
  };
}

function connectAnswer(status: number, contentType: string, bytes: Uint8Array, headers: IncomingHttpHeaders): PlainAnswer | Promise<PlainAnswer> {
  if (!isCompressible(bytes, headers[acceptEncoding])) return { status, contentType, body: bytes, encodingHeader: undefined, hasStatus: false };
  return compressionGzip.compress(bytes).then((body) => ({ status, contentType, body, encodingHeader: contentEncoding, hasStatus: false }));
}

const connectProto = connectWire(contentTypeUnaryProto, {
  parse: (method, bytes) => parsed(() => method.serialization.getI(true).parse(bytes)),
  serialize: (method, message) => method.serialization.getO(true).serialize(message),
});

/** Read as the long way reads it: exactly, with every key and digit. */
function jsonWire(numbersForStrings: NumbersForStrings, goodStatus: number): Wire {
  const form: Pick<Wire, "parse" | "serialize"> = {
    parse: ({ method }, bytes) => parsed(() => fromJson(method.input, requestFields(textOfBytes(bytes), method.input, numbersForStrings))),
    serialize: (method, message) => method.serialization.getO(false).serialize(message),
  };
  return connectWire(contentTypeUnaryJson, form, goodStatus);
}

/** Of a method's own path. */
export const rpcWires: ReadonlyMap<string, Wire> = new Map([
  ["application/grpc", grpc],
  ["application/grpc+proto", grpc],
  [contentTypeUnaryProto, connectProto],
  [contentTypeUnaryJson, jsonWire("refused", 200)],
]);

/** Of a path of the original's, which answers with this status where all is well. */
export function restWires(goodStatus: number): ReadonlyMap<string, Wire> {
  return new Map([[contentTypeUnaryJson, jsonWire("taken", goodStatus)]]);
}

/** The same bytes as Connect's `encodeEnvelope` makes, in Node's pool instead of a buffer and a view of their own. */
function plainEnvelope(bytes: Uint8Array): Buffer {
  const envelope = Buffer.allocUnsafe(envelopeHeadBytes + bytes.length);
  envelope[0] = 0;
  envelope.writeUInt32BE(bytes.length, envelopeFlagBytes);
  envelope.set(bytes, envelopeHeadBytes);
  return envelope;
}

function isOneEnvelope(bytes: Uint8Array): boolean {
  if (bytes.byteLength < envelopeHeadBytes || bytes[0] !== 0) return false;
  return ((bytes[1]! << 24) | (bytes[2]! << 16) | (bytes[3]! << 8) | bytes[4]!) >>> 0 === bytes.byteLength - envelopeHeadBytes;
}

function parsed(parse: () => Message): Message | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}

function isIdentity(encoding: string | string[] | undefined): boolean {
  return encoding === undefined || encoding === "identity";
}

/** Connect's only version; plain `curl` sends none. */
function isConnectVersion(version: string | string[] | undefined): boolean {
  return version === undefined || version === protocolVersion;
}

/** Undefined where the header is malformed, or its time over before it begins. */
function plainTimeoutMs(toMs: (value: string) => number, value: string | string[] | undefined): number | undefined {
  if (value === undefined) return Infinity;
  const timeoutMs = typeof value === "string" ? toMs(value) : 0;
  return timeoutMs >= 1 ? timeoutMs : undefined;
}

function isCompressible(bytes: Uint8Array, accepted: string | string[] | undefined): boolean {
  return bytes.byteLength >= compressMinBytes && typeof accepted === "string" && accepted.split(",").some((name) => name.trim() === compressionGzip.name);
}
