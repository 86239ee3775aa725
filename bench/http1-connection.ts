// One HTTP/1.1 connection of a load, one call at a time: of the answers only the status, the length and whether the connection stays are read.

import { connect, type Socket } from "node:net";
import type { ConnectionOptions, LoadConnection } from "./load-connection.ts";

const headEnd = Buffer.from("\r\n\r\n", "latin1");

export class Http1Connection implements LoadConnection {
  readonly #options: ConnectionOptions;
  readonly #head: Buffer;
  readonly #waiting: number[] = [];
  /** When the call counts from that is in flight. */
  #startMs: number | undefined;
  #socket: Socket;
  #rest: Buffer = Buffer.alloc(0);
  #isStopping = false;
  readonly #ended = Promise.withResolvers<void>();
  lastMessage: Buffer = Buffer.alloc(0);

  constructor(options: ConnectionOptions) {
    this.#options = options;
    const { path, port, contentType, messageBytes } = options;
    this.#head = Buffer.from(`POST ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: ${contentType}\r\ncontent-length: ${messageBytes}\r\n\r\n`, "latin1");
    this.#socket = this.#connect();
  }

  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  call(startMs: number): void {
    if (this.#isStopping) return;
    this.#waiting.push(startMs);
  }

  flush(): void {
    if (this.#startMs !== undefined || this.#waiting.length === 0) return;
    this.#startMs = this.#waiting.shift()!;
    const bytes = Buffer.allocUnsafe(this.#head.length + this.#options.messageBytes);
    this.#head.copy(bytes);
    this.#options.writeMessage(bytes, this.#head.length);
    this.#socket.write(bytes);
  }

  stop(): void {
    this.#isStopping = true;
    this.#endWhenIdle();
  }

  #endWhenIdle(): void {
    if (!this.#isStopping || this.#startMs !== undefined || this.#waiting.length > 0) return;
    this.#ended.resolve();
    this.#socket.destroy();
  }

  #connect(): Socket {
    const socket = connect({ host: "127.0.0.1", port: this.#options.port, noDelay: true });
    socket.on("error", (error) => this.#ended.reject(error));
    socket.on("close", () => {
      if (this.#startMs !== undefined && socket === this.#socket) this.#ended.reject(new Error("the server closed the connection during a call"));
    });
    socket.on("data", (chunk) => this.#read(chunk));
    return socket;
  }

  #read(chunk: Buffer): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const headBytes = this.#rest.indexOf(headEnd);
    if (headBytes < 0) return;
    const head = this.#rest.toString("latin1", 0, headBytes);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    if (length === undefined) return this.#ended.reject(new Error(`an answer without a length: ${head}`));
    const bodyStart = headBytes + headEnd.length;
    const end = bodyStart + Number(length);
    if (this.#rest.length < end) return;

    const isGood = head.startsWith("HTTP/1.1 200");
    if (isGood) this.lastMessage = this.#rest.subarray(bodyStart, end);
    this.#rest = this.#rest.subarray(end);
    const startMs = this.#startMs!;
    this.#startMs = undefined;
    // gunicorn's plain workers close after every answer.
    if (/\r\nconnection: *close/i.test(head)) {
      this.#socket.destroy();
      if (!this.#isStopping) this.#socket = this.#connect();
    }
    this.#options.onAnswer(startMs, isGood);
    this.flush();
    this.#endWhenIdle();
  }
}
