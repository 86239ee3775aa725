// One HTTP/2 connection of a load: calls of gRPC, or of Connect with JSON, whose bytes are written and read by hand.

import { connect, type Socket } from "node:net";
import { ackFlag, callHeaders, endStreamFlag, frame, frameHeadBytes, frameTypes, greeting, initialWindowBytes, windowUpdate } from "./http2-frames.ts";
import type { ConnectionOptions, LoadConnection } from "./load-connection.ts";

export interface Http2Options extends ConnectionOptions {
  /** Calls that may be in flight; further ones wait here. */
  readonly inFlightMax: number;
  /** What every message of a good answer begins with; a gRPC error has no message, so that there nothing needs to be known. */
  readonly goodStart: Buffer;
}

interface Call {
  readonly startMs: number;
  isGood: boolean;
}

/** Before a message in gRPC: a flag and four bytes of length. */
const grpcHeadBytes = 5;

/** When so many bytes have come, the peer is allowed as many again. */
const windowTopUpBytes = 64 * 1024 * 1024;

export class Http2Connection implements LoadConnection {
  readonly #options: Http2Options;
  readonly #messageHeadBytes: number;
  readonly #socket: Socket;
  readonly #headers: { first: Buffer; later: Buffer };
  readonly #calls = new Map<number, Call>();
  /** The times of calls for which there is no room yet. */
  readonly #waiting: number[] = [];
  #outgoing: Buffer[] = [greeting()];
  #lastStreamId = -1;
  #window = initialWindowBytes;
  #receivedBytes = 0;
  #rest: Buffer = Buffer.alloc(0);
  #isStopping = false;
  readonly #ended = Promise.withResolvers<void>();
  lastMessage: Buffer = Buffer.alloc(0);

  constructor(options: Http2Options) {
    this.#options = options;
    const isGrpc = options.contentType === "application/grpc";
    this.#messageHeadBytes = isGrpc ? grpcHeadBytes : 0;
    this.#headers = callHeaders({ path: options.path, authority: `127.0.0.1:${options.port}`, contentType: options.contentType, more: isGrpc ? { te: "trailers" } : {} });
    this.#socket = connect({ host: "127.0.0.1", port: options.port, noDelay: true });
    this.#socket.on("error", (error) => this.#ended.reject(error));
    this.#socket.on("close", () => (this.#calls.size > 0 ? this.#ended.reject(new Error("the server closed the connection during calls")) : this.#ended.resolve()));
    this.#socket.on("data", (chunk) => this.#read(chunk));
  }

  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  call(startMs: number): void {
    if (this.#isStopping) return;
    this.#waiting.push(startMs);
    this.#sendWaiting();
  }

  flush(): void {
    if (this.#outgoing.length === 0) return;
    this.#socket.write(this.#outgoing.length === 1 ? this.#outgoing[0]! : Buffer.concat(this.#outgoing));
    this.#outgoing = [];
  }

  stop(): void {
    this.#isStopping = true;
    this.#endWhenIdle();
  }

  #endWhenIdle(): void {
    if (this.#isStopping && this.#calls.size === 0 && this.#waiting.length === 0) this.#socket.end();
  }

  #sendWaiting(): void {
    const payloadBytes = this.#messageHeadBytes + this.#options.messageBytes;
    while (this.#waiting.length > 0 && this.#calls.size < this.#options.inFlightMax && this.#window >= payloadBytes) {
      this.#outgoing.push(this.#nextCall(this.#waiting.shift()!, payloadBytes));
    }
  }

  #nextCall(startMs: number, payloadBytes: number): Buffer {
    const { messageBytes, writeMessage } = this.#options;
    this.#window -= payloadBytes;
    this.#lastStreamId += 2;
    const headers = this.#lastStreamId === 1 ? this.#headers.first : this.#headers.later;
    const bytes = Buffer.allocUnsafe(headers.length + frameHeadBytes + payloadBytes);
    headers.copy(bytes);
    bytes.writeUInt32BE(this.#lastStreamId, 5);
    let at = headers.length;
    bytes.writeUIntBE(payloadBytes, at, 3);
    bytes[at + 3] = frameTypes.data;
    bytes[at + 4] = endStreamFlag;
    bytes.writeUInt32BE(this.#lastStreamId, at + 5);
    at += frameHeadBytes;
    if (this.#messageHeadBytes > 0) {
      bytes[at] = 0;
      bytes.writeUInt32BE(messageBytes, at + 1);
    }
    writeMessage(bytes, at + this.#messageHeadBytes);
    this.#calls.set(this.#lastStreamId, { startMs, isGood: false });
    return bytes;
  }

  #read(chunk: Buffer): void {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (bytes.length >= frameHeadBytes) {
      const length = bytes.readUIntBE(0, 3);
      const end = frameHeadBytes + length;
      if (bytes.length < end) break;
      this.#frame(bytes[3]!, bytes[4]!, bytes.readUInt32BE(5) & 0x7fff_ffff, bytes.subarray(frameHeadBytes, end));
      bytes = bytes.subarray(end);
    }
    this.#rest = bytes;
    this.flush();
    this.#endWhenIdle();
  }

  #frame(type: number, flags: number, streamId: number, payload: Buffer): void {
    switch (type) {
      case frameTypes.data:
        this.#data(streamId, payload);
        if ((flags & endStreamFlag) !== 0) this.#answered(streamId);
        return;
      case frameTypes.headers:
        if ((flags & endStreamFlag) !== 0) this.#answered(streamId);
        return;
      case frameTypes.settings:
        if ((flags & ackFlag) === 0) this.#outgoing.push(frame(frameTypes.settings, ackFlag, 0, Buffer.alloc(0)));
        return;
      case frameTypes.ping:
        if ((flags & ackFlag) === 0) this.#outgoing.push(frame(frameTypes.ping, ackFlag, 0, payload));
        return;
      case frameTypes.windowUpdate:
        if (streamId === 0) this.#window += payload.readUInt32BE(0);
        this.#sendWaiting();
        return;
      case frameTypes.goaway:
        this.#ended.reject(new Error("the server sent GOAWAY"));
        return;
      case frameTypes.rstStream:
        if (this.#calls.has(streamId)) this.#answered(streamId);
        return;
    }
  }

  #data(streamId: number, payload: Buffer): void {
    const call = this.#calls.get(streamId);
    const { goodStart } = this.#options;
    const message = payload.subarray(this.#messageHeadBytes);
    if (call !== undefined && !call.isGood && message.length > 0 && message.subarray(0, goodStart.length).equals(goodStart)) {
      call.isGood = true;
      this.lastMessage = message;
    }
    this.#receivedBytes += payload.length;
    if (this.#receivedBytes < windowTopUpBytes) return;
    this.#outgoing.push(windowUpdate(this.#receivedBytes));
    this.#receivedBytes = 0;
  }

  #answered(streamId: number): void {
    const call = this.#calls.get(streamId);
    if (call === undefined) return;
    this.#calls.delete(streamId);
    this.#options.onAnswer(call.startMs, call.isGood);
    this.#sendWaiting();
  }
}
