// What a client is told whose bytes are no HTTP/1.1, or too many, or too slow: there is no request then, only a socket.

import type { Server } from "node:http";
import type { Socket } from "node:net";
import { serviceError } from "../api/errors.ts";
import type { ConnectError } from "@connectrpc/connect";
import { errorToJsonBytes } from "@connectrpc/connect/protocol-connect";

/** Answers parse errors and timeouts with Connect's error JSON where no answer is under way, and closes the connection in any case. */
export function answerBrokenHttp(http1: Server): void {
  const busy = new WeakMap<object, number>();
  http1.on("request", (request, response) => {
    const { socket } = request;
    busy.set(socket, (busy.get(socket) ?? 0) + 1);
    response.once("close", () => busy.set(socket, (busy.get(socket) ?? 1) - 1));
  });
  http1.on("clientError", (cause: NodeJS.ErrnoException, duplex) => {
    const socket = duplex as Socket;
    // Bytes sent now would be taken for the answer that an earlier request on this connection waits for.
    if (!socket.writable || cause.code === "ECONNRESET" || (busy.get(socket) ?? 0) > 0) {
      socket.destroy();
      return;
    }
    const { statusLine, error } = brokenHttp(cause.code);
    const body = Buffer.from(errorToJsonBytes(error, {}));
    const head = `HTTP/1.1 ${statusLine}\r\ncontent-type: application/json\r\ncontent-length: ${body.byteLength}\r\nconnection: close\r\n\r\n`;
    socket.end(Buffer.concat([Buffer.from(head, "latin1"), body]), () => socket.destroy());
  });
}

function brokenHttp(code: string | undefined): { statusLine: string; error: ConnectError } {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      return { statusLine: "431 Request Header Fields Too Large", error: serviceError("MESSAGE_TOO_LARGE", "The request's headers are larger than the server takes.") };
    case "HPE_CHUNK_EXTENSIONS_OVERFLOW":
      return { statusLine: "413 Payload Too Large", error: serviceError("MESSAGE_TOO_LARGE", "The request's chunk extensions are larger than the server takes.") };
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return { statusLine: "408 Request Timeout", error: serviceError("DEADLINE_EXCEEDED", "The request did not arrive within the server's time for it. Nothing was done.") };
    default:
      return { statusLine: "400 Bad Request", error: serviceError("INVALID_REQUEST", "These bytes are no HTTP request that the server understands.") };
  }
}
