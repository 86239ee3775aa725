// A TCP connection for tests that send bytes instead of requests.

import { connect } from "node:net";
import type { Socket } from "node:net";
import { once } from "node:events";

export interface RawSocket {
  readonly socket: Socket;
  /** Everything received so far. */
  readonly received: () => string;
  /** Resolves when what was received satisfies the test; rejects when the connection ends before. */
  readonly until: (test: (received: string) => boolean) => Promise<string>;
  /** Resolves with everything received once the server has ended the connection. */
  readonly closed: () => Promise<string>;
}

export async function rawSocket(port: number, options: { allowHalfOpen?: boolean } = {}): Promise<RawSocket> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true, allowHalfOpen: options.allowHalfOpen ?? false });
  await once(socket, "connect");
  let received = "";
  let isClosed = false;
  const watchers = new Set<() => void>();
  const tell = () => watchers.forEach((watcher) => watcher());
  socket.on("data", (chunk: Buffer) => {
    received += chunk.toString("latin1");
    tell();
  });
  socket.on("error", () => {});
  socket.on("close", () => {
    isClosed = true;
    tell();
  });
  const when = (done: () => boolean) =>
    new Promise<string>((resolve, reject) => {
      const watcher = () => {
        if (!done() && !isClosed) return;
        watchers.delete(watcher);
        if (done()) resolve(received);
        else reject(new Error(`closed after ${JSON.stringify(received)}`));
      };
      watchers.add(watcher);
      watcher();
    });
  return { socket, received: () => received, until: (test) => when(() => test(received)), closed: () => when(() => isClosed) };
}

/** Writes in pieces of one byte, each in a packet and an event-loop turn of its own. */
export async function writeByteByByte(socket: Socket, bytes: Uint8Array): Promise<void> {
  for (const byte of bytes) {
    await new Promise((resolve) => socket.write(Uint8Array.of(byte), resolve));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
