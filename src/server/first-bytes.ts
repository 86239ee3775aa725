// Tells HTTP/2 from HTTP/1.1 by a connection's first bytes, which it then puts back.

import type { Socket } from "node:net";

/** RFC 9113, section 3.4: the client's preface starts so. RFC 9113 chose it because no HTTP/1.1 method does. */
const http2PrefaceStart = Buffer.from("PRI", "latin1");

/**
 * Waits for enough bytes to tell the protocol, puts them back and calls `decided`, once. A peer that has not sent them after `timeoutMs`
 * milliseconds, or leaves before, loses its connection, and `decided` is not called.
 */
export function firstBytes(socket: Socket, timeoutMs: number, decided: (protocol: "http1" | "http2") => void): void {
  let seen: Buffer = Buffer.alloc(0);
  const leave = () => socket.destroy();
  const timer = setTimeout(leave, timeoutMs);

  const settle = (protocol: "http1" | "http2") => {
    clearTimeout(timer);
    socket.off("readable", look);
    socket.off("end", leave);
    socket.unshift(seen);
    decided(protocol);
  };
  const look = () => {
    const chunk: Buffer | null = socket.read();
    if (chunk === null) return;
    seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
    const compared = Math.min(seen.length, http2PrefaceStart.length);
    if (seen.compare(http2PrefaceStart, 0, compared, 0, compared) !== 0) settle("http1");
    else if (compared === http2PrefaceStart.length) settle("http2");
  };

  socket.once("close", () => clearTimeout(timer));
  socket.on("end", leave);
  socket.on("readable", look);
}
