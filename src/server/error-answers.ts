// An error on the wire: its answer in each protocol, and the rewriting of answers in which Connect put an error of its own.

import type { ConnectError } from "@connectrpc/connect";
import { Code, ConnectError as ConnectErrorClass } from "@connectrpc/connect";
import { compressedFlag, createAsyncIterable, encodeEnvelope, readAllBytes } from "@connectrpc/connect/protocol";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import { codeToHttpStatus, endStreamFlag, endStreamFromJson, endStreamToJson, errorFromJsonBytes, errorToJsonBytes } from "@connectrpc/connect/protocol-connect";
import { findTrailerError, grpcStatusOk, headerGrpcStatus, setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import { trailerFlag, trailerParse, trailerSerialize } from "@connectrpc/connect/protocol-grpc-web";
import { gunzipSync } from "node:zlib";
import type { Protocol } from "./protocol.ts";

/** Bytes of an error that Connect built; it repeats at most the request's own text. */
const ERROR_MAX_BYTES = 64 * 1024 * 1024;

/** Bytes before an envelope's data: one of flags, four of length. */
const ENVELOPE_HEAD_BYTES = 5;

const encoder = new TextEncoder();

/** The whole answer to a call that fails before it reaches Connect. `httpStatus` replaces the code's own where HTTP has a better word for it. */
export function errorAnswer(protocol: Protocol, error: ConnectError, httpStatus?: number): UniversalServerResponse {
  switch (protocol) {
    case "grpc": {
      const header = new Headers({ "content-type": "application/grpc" });
      return { status: 200, header, body: createAsyncIterable([]), trailer: setTrailerStatus(new Headers(), error) };
    }
    case "grpc-web": {
      const header = new Headers({ "content-type": "application/grpc-web+proto" });
      const frame = encodeEnvelope(trailerFlag, trailerSerialize(setTrailerStatus(new Headers(), error)));
      return { status: 200, header, body: createAsyncIterable([frame]) };
    }
    case "connect-stream": {
      const header = new Headers({ "content-type": "application/connect+json" });
      return { status: 200, header, body: createAsyncIterable([endStreamFrame(new Headers(), error)]) };
    }
    case "connect-unary": {
      const body = errorToJsonBytes(error, {});
      const header = new Headers({ "content-type": "application/json", "content-length": String(body.byteLength) });
      return { status: httpStatus ?? codeToHttpStatus(error.code), header, body: createAsyncIterable([body]) };
    }
  }
}

/**
 * The same answer with `mend` applied to the error in it. An answer without an error costs a look at its status, its trailer, or the first byte
 * of each frame.
 */
export async function mendErrors(protocol: Protocol, answer: UniversalServerResponse, mend: (error: ConnectError) => ConnectError): Promise<UniversalServerResponse> {
  switch (protocol) {
    case "grpc":
      return mendTrailer(answer, mend);
    case "grpc-web":
      return mendFrames(answer, trailerFlag, (data) => mendGrpcWebTrailer(data, mend));
    case "connect-stream":
      return mendFrames(answer, endStreamFlag, (data) => mendEndStream(data, mend));
    case "connect-unary":
      return answer.status === 200 ? answer : mendJson(answer, mend);
  }
}

async function mendJson(answer: UniversalServerResponse, mend: (error: ConnectError) => ConnectError): Promise<UniversalServerResponse> {
  const sent = await readAllBytes(answer.body ?? createAsyncIterable([]), ERROR_MAX_BYTES);
  const bytes = answer.header?.get("content-encoding") === "gzip" ? gunzip(sent) : sent;
  const error = errorFromJsonBytes(bytes, undefined, new ConnectErrorClass("unreadable error", Code.Internal));
  const mended = mend(error);
  if (mended === error) return { ...answer, body: createAsyncIterable([sent]) };
  const body = errorToJsonBytes(mended, {});
  const header = new Headers(answer.header);
  header.delete("content-encoding");
  header.set("content-length", String(body.byteLength));
  return { ...answer, status: codeToHttpStatus(mended.code), header, body: createAsyncIterable([body]) };
}

/** gRPC's status is known when the last frame has been read, and not before. */
function mendTrailer(answer: UniversalServerResponse, mend: (error: ConnectError) => ConnectError): UniversalServerResponse {
  const { trailer } = answer;
  if (trailer === undefined || answer.body === undefined) return answer;
  const body = mapIterable(answer.body, undefined, () => {
    if (trailer.get(headerGrpcStatus) === grpcStatusOk) return;
    const error = findTrailerError(trailer);
    if (error === undefined) return;
    const mended = mend(error);
    if (mended !== error) setTrailerStatus(trailer, mended);
  });
  return { ...answer, body };
}

/** Connect writes one frame a chunk; the one with the protocol's end flag contains the status. */
function mendFrames(answer: UniversalServerResponse, endFlag: number, mendEnd: (data: Uint8Array) => Uint8Array | undefined): UniversalServerResponse {
  if (answer.body === undefined) return answer;
  const body = mapIterable(answer.body, (frame) => {
    const flags = frame[0] ?? 0;
    if ((flags & endFlag) === 0) return frame;
    const data = frame.subarray(ENVELOPE_HEAD_BYTES);
    return mendEnd((flags & compressedFlag) === 0 ? data : gunzip(data)) ?? frame;
  });
  return { ...answer, body };
}

function mendGrpcWebTrailer(data: Uint8Array, mend: (error: ConnectError) => ConnectError): Uint8Array | undefined {
  const trailer = trailerParse(data);
  if (trailer.get(headerGrpcStatus) === grpcStatusOk) return undefined;
  const error = findTrailerError(trailer);
  if (error === undefined) return undefined;
  const mended = mend(error);
  return mended === error ? undefined : encodeEnvelope(trailerFlag, trailerSerialize(setTrailerStatus(trailer, mended)));
}

function mendEndStream(data: Uint8Array, mend: (error: ConnectError) => ConnectError): Uint8Array | undefined {
  const { metadata, error } = endStreamFromJson(data);
  if (error === undefined) return undefined;
  const mended = mend(error);
  return mended === error ? undefined : endStreamFrame(metadata, mended);
}

function endStreamFrame(metadata: Headers, error: ConnectError): Uint8Array {
  return encodeEnvelope(endStreamFlag, encoder.encode(JSON.stringify(endStreamToJson(metadata, error, {}))));
}

function gunzip(bytes: Uint8Array): Uint8Array {
  return gunzipSync(bytes, { maxOutputLength: ERROR_MAX_BYTES });
}

/** Passes an iterable on, chunk by chunk, with its `throw` and `return`: Connect's pipeline learns through them that the peer is gone. */
function mapIterable(
  source: AsyncIterable<Uint8Array>,
  onChunk: ((chunk: Uint8Array) => Uint8Array) | undefined,
  onEnd: () => void = () => {},
): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      const inner = source[Symbol.asyncIterator]();
      const pass = (result: IteratorResult<Uint8Array>): IteratorResult<Uint8Array> => {
        if (result.done === true) onEnd();
        else if (onChunk !== undefined) return { done: false, value: onChunk(result.value) };
        return result;
      };
      return {
        next: () => inner.next().then(pass),
        throw: (reason) => inner.throw?.(reason) ?? Promise.reject(reason),
        return: (value) => inner.return?.(value) ?? Promise.resolve({ done: true, value }),
      };
    },
  };
}
