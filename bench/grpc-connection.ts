// One connection that keeps a fixed number of unary gRPC calls in flight: the next call leaves when an answer is whole.

import { connect, type Socket } from "node:net";
import { ackFlag, callHeaders, endStreamFlag, frame, frameHeadBytes, frameTypes, greeting, initialWindowBytes, windowUpdate } from "./http2-frames.ts";

export interface ConnectionOptions {
  readonly port: number;
  readonly path: string;
  readonly inFlight: number;
  /** Writes the next request's message (without gRPC's five bytes) into the buffer at this place. Always as long as `messageBytes`. */
  readonly writeMessage: (into: Buffer, at: number) => void;
  readonly messageBytes: number;
  /** Called for each whole answer with the time that it took, in milliseconds. */
  readonly onAnswer: (latencyMs: number, isGood: boolean) => void;
}

interface Call {
  startMs: number;
  hasMessage: boolean;
}

/** Before a message in gRPC: a flag and four bytes of length. */
const messageHeadBytes = 5;

/** When so many bytes have come, the peer is allowed as many again. */
const windowTopUpBytes = 64 * 1024 * 1024;

export class GrpcConnection {
  readonly #options: ConnectionOptions;
  readonly #socket: Socket;
  readonly #headers: { first: Buffer; later: Buffer };
  readonly #calls = new Map<number, Call>();
  #lastStreamId = -1;
  #window = initialWindowBytes;
  #receivedBytes = 0;
  #rest: Buffer = Buffer.alloc(0);
  #isStopping = false;
  #waiting = 0;
  readonly ended = Promise.withResolvers<void>();
  /** The message of the last good answer. */
  lastMessage: Buffer = Buffer.alloc(0);

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#headers = callHeaders(options.path, `127.0.0.1:${options.port}`);
    this.#socket = connect({ host: "127.0.0.1", port: options.port, noDelay: true });
    this.#socket.on("error", (error) => this.ended.reject(error));
    this.#socket.on("close", () => (this.#calls.size > 0 ? this.ended.reject(new Error("the server closed the connection during calls")) : this.ended.resolve()));
    this.#socket.on("data", (chunk) => this.#read(chunk));
    this.#socket.write(Buffer.concat([greeting(), ...Array.from({ length: options.inFlight }, () => this.#nextCall())]));
  }

  /** Sends no more calls; `ended` resolves when the last answer is there. */
  stop(): void {
    this.#isStopping = true;
    if (this.#calls.size === 0) this.#socket.end();
  }

  #nextCall(): Buffer {
    const { messageBytes, writeMessage } = this.#options;
    const payloadBytes = messageHeadBytes + messageBytes;
    if (this.#window < payloadBytes) {
      this.#waiting++;
      return Buffer.alloc(0);
    }
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
    bytes[at] = 0;
    bytes.writeUInt32BE(messageBytes, at + 1);
    writeMessage(bytes, at + messageHeadBytes);
    this.#calls.set(this.#lastStreamId, { startMs: performance.now(), hasMessage: false });
    return bytes;
  }

  #read(chunk: Buffer): void {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const replies: Buffer[] = [];
    while (bytes.length >= frameHeadBytes) {
      const length = bytes.readUIntBE(0, 3);
      const end = frameHeadBytes + length;
      if (bytes.length < end) break;
      this.#frame(bytes[3]!, bytes[4]!, bytes.readUInt32BE(5) & 0x7fff_ffff, bytes.subarray(frameHeadBytes, end), replies);
      bytes = bytes.subarray(end);
    }
    this.#rest = bytes;
    if (replies.length > 0) this.#socket.write(replies.length === 1 ? replies[0]! : Buffer.concat(replies));
    if (this.#isStopping && this.#calls.size === 0) this.#socket.end();
  }

  #frame(type: number, flags: number, streamId: number, payload: Buffer, replies: Buffer[]): void {
    switch (type) {
      case frameTypes.data:
        this.#data(streamId, payload, replies);
        if ((flags & endStreamFlag) !== 0) this.#answered(streamId, replies);
        return;
      case frameTypes.headers:
        if ((flags & endStreamFlag) !== 0) this.#answered(streamId, replies);
        return;
      case frameTypes.settings:
        if ((flags & ackFlag) === 0) replies.push(frame(frameTypes.settings, ackFlag, 0, Buffer.alloc(0)));
        return;
      case frameTypes.ping:
        if ((flags & ackFlag) === 0) replies.push(frame(frameTypes.ping, ackFlag, 0, payload));
        return;
      case frameTypes.windowUpdate:
        if (streamId === 0) this.#window += payload.readUInt32BE(0);
        for (; this.#waiting > 0 && this.#window >= messageHeadBytes + this.#options.messageBytes; this.#waiting--) replies.push(this.#nextCall());
        return;
      case frameTypes.goaway:
        this.ended.reject(new Error("the server sent GOAWAY"));
        return;
      case frameTypes.rstStream:
        if (this.#calls.has(streamId)) this.#answered(streamId, replies);
        return;
    }
  }

  #data(streamId: number, payload: Buffer, replies: Buffer[]): void {
    const call = this.#calls.get(streamId);
    if (call !== undefined && payload.length > messageHeadBytes) {
      call.hasMessage = true;
      this.lastMessage = payload.subarray(messageHeadBytes);
    }
    this.#receivedBytes += payload.length;
    if (this.#receivedBytes < windowTopUpBytes) return;
    replies.push(windowUpdate(this.#receivedBytes));
    this.#receivedBytes = 0;
  }

  /** A gRPC error has no message, so a call is good when it got one. */
  #answered(streamId: number, replies: Buffer[]): void {
    const call = this.#calls.get(streamId);
    if (call === undefined) return;
    this.#calls.delete(streamId);
    this.#options.onAnswer(performance.now() - call.startMs, call.hasMessage);
    if (!this.#isStopping) replies.push(this.#nextCall());
  }
}
