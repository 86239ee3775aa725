// An error on the wire: its answer in each protocol, and the rewriting of answers in which Connect put an error of its own.

import type { ConnectError } from "@connectrpc/connect";
import { Code, ConnectError as ConnectErrorClass } from "@connectrpc/connect";
import { compressedFlag, createAsyncIterable, encodeEnvelope, readAllBytes } from "@connectrpc/connect/protocol";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import { codeToHttpStatus, endStreamFlag, endStreamFromJson, endStreamToJson, errorFromJsonBytes, errorToJsonBytes } from "@connectrpc/connect/protocol-connect";
import { contentTypeProto, findTrailerError, grpcStatusOk, headerGrpcStatus } from "@connectrpc/connect/protocol-grpc";
import { trailerFlag, trailerParse, trailerSerialize } from "@connectrpc/connect/protocol-grpc-web";
import { gunzipSync } from "node:zlib";
import { jsonOptions } from "./encodings.ts";
import { setGrpcError } from "./grpc-status.ts";
import type { Protocol } from "./protocol.ts";

/** Bytes of an error that Connect built; it repeats at most the request's own text. */
const errorMaxBytes = 64 * 1024 * 1024;

/** Bytes before an envelope's data: one of flags, four of length. */
const envelopeHeadBytes = 5;

const encoder = new TextEncoder();

/** The whole answer to a call that fails before it reaches Connect. `httpStatus` replaces the code's own where HTTP has a better word for it. */
export function errorAnswer(protocol: Protocol, error: ConnectError, httpStatus?: number): UniversalServerResponse {
  return answers[protocol](error, httpStatus);
}

/**
 * The same answer with `mend` applied to the error in it. An answer without an error costs a look at its status, its trailer, or the first byte
 * of each frame.
 */
export async function mendErrors(protocol: Protocol, answer: UniversalServerResponse, mend: Mend): Promise<UniversalServerResponse> {
  return menders[protocol](answer, mend);
}

type Mend = (error: ConnectError) => ConnectError;

const answers: Record<Protocol, (error: ConnectError, httpStatus?: number) => UniversalServerResponse> = {
  grpc(error) {
    const header = new Headers({ "content-type": contentTypeProto });
    return { status: 200, header, body: createAsyncIterable([]), trailer: setGrpcError(new Headers(), error) };
  },
  "grpc-web"(error) {
    const header = new Headers({ "content-type": "application/grpc-web+proto" });
    const frame = encodeEnvelope(trailerFlag, trailerSerialize(setGrpcError(new Headers(), error)));
    return { status: 200, header, body: createAsyncIterable([frame]) };
  },
  "connect-stream"(error) {
    const header = new Headers({ "content-type": "application/connect+json" });
    return { status: 200, header, body: createAsyncIterable([endStreamFrame(new Headers(), error)]) };
  },
  "connect-unary"(error, httpStatus) {
    const body = errorToJsonBytes(error, jsonOptions);
    const header = new Headers({ "content-type": "application/json", "content-length": String(body.byteLength) });
    return { status: httpStatus ?? codeToHttpStatus(error.code), header, body: createAsyncIterable([body]) };
  },
};

const menders: Record<Protocol, (answer: UniversalServerResponse, mend: Mend) => UniversalServerResponse | Promise<UniversalServerResponse>> = {
  grpc: mendTrailer,
  "grpc-web": (answer, mend) => mendFrames(answer, trailerFlag, (data) => mendGrpcWebTrailer(data, mend)),
  "connect-stream": (answer, mend) => mendFrames(answer, endStreamFlag, (data) => mendEndStream(data, mend)),
  "connect-unary": (answer, mend) => (answer.status === 200 ? answer : mendJson(answer, mend)),
};

async function mendJson(answer: UniversalServerResponse, mend: Mend): Promise<UniversalServerResponse> {
  const sent = await readAllBytes(answer.body ?? createAsyncIterable([]), errorMaxBytes);
  const bytes = answer.header?.get("content-encoding") === "gzip" ? gunzip(sent) : sent;
  const error = errorFromJsonBytes(bytes, undefined, new ConnectErrorClass("unreadable error", Code.Internal));
  const mended = mend(error);
  if (mended === error) return { ...answer, body: createAsyncIterable([sent]) };
  const body = errorToJsonBytes(mended, jsonOptions);
  const header = new Headers(answer.header);
  header.delete("content-encoding");
  header.set("content-length", String(body.byteLength));
  return { ...answer, status: codeToHttpStatus(mended.code), header, body: createAsyncIterable([body]) };
}

/** gRPC's status is known when the last frame has been read, and not before. */
function mendTrailer(answer: UniversalServerResponse, mend: Mend): UniversalServerResponse {
  const { trailer } = answer;
  if (trailer === undefined || answer.body === undefined) return answer;
  const body = mapIterable(answer.body, asItIs, () => {
    if (trailer.get(headerGrpcStatus) === grpcStatusOk) return;
    const error = findTrailerError(trailer);
    if (error === undefined) return;
    const mended = mend(error);
    setGrpcError(trailer, mended);
  });
  return { ...answer, body };
}

/** Connect writes one frame a chunk; the one with the protocol's end flag contains the status. */
function mendFrames(answer: UniversalServerResponse, endFlag: number, mendEnd: (data: Uint8Array) => Uint8Array | undefined): UniversalServerResponse {
  if (answer.body === undefined) return answer;
  const mendFrame = (frame: Uint8Array): Uint8Array => {
    const flags = frame[0] ?? 0;
    if ((flags & endFlag) === 0) return frame;
    const data = frame.subarray(envelopeHeadBytes);
    return mendEnd((flags & compressedFlag) === 0 ? data : gunzip(data)) ?? frame;
  };
  return { ...answer, body: mapIterable(answer.body, mendFrame, nothing) };
}

function mendGrpcWebTrailer(data: Uint8Array, mend: Mend): Uint8Array | undefined {
  const trailer = trailerParse(data);
  if (trailer.get(headerGrpcStatus) === grpcStatusOk) return undefined;
  const error = findTrailerError(trailer);
  if (error === undefined) return undefined;
  const mended = mend(error);
  return encodeEnvelope(trailerFlag, trailerSerialize(setGrpcError(trailer, mended)));
}

function mendEndStream(data: Uint8Array, mend: Mend): Uint8Array | undefined {
  const { metadata, error } = endStreamFromJson(data);
  if (error === undefined) return undefined;
  const mended = mend(error);
  return mended === error ? undefined : endStreamFrame(metadata, mended);
}

function endStreamFrame(metadata: Headers, error: ConnectError): Uint8Array {
  return encodeEnvelope(endStreamFlag, encoder.encode(JSON.stringify(endStreamToJson(metadata, error, jsonOptions))));
}

function gunzip(bytes: Uint8Array): Uint8Array {
  return gunzipSync(bytes, { maxOutputLength: errorMaxBytes });
}

/** Passes an iterable on, chunk by chunk, with its `throw` and `return`: Connect's pipeline learns through them that the peer is gone. */
function mapIterable(source: AsyncIterable<Uint8Array>, onChunk: (chunk: Uint8Array) => Uint8Array, onEnd: () => void): AsyncIterable<Uint8Array> {
  const pass = (result: IteratorResult<Uint8Array>): IteratorResult<Uint8Array> => {
    if (result.done !== true) return { done: false, value: onChunk(result.value) };
    onEnd();
    return result;
  };
  return {
    [Symbol.asyncIterator]() {
      const inner = source[Symbol.asyncIterator]();
      return {
        next: () => inner.next().then(pass),
        throw: (reason) => inner.throw?.(reason) ?? Promise.reject(reason),
        return: (value) => inner.return?.(value) ?? Promise.resolve({ done: true, value }),
      };
    },
  };
}

function asItIs(chunk: Uint8Array): Uint8Array {
  return chunk;
}

function nothing(): void {}
