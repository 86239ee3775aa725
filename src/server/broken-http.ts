// What a client is told whose bytes are no HTTP/1.1, or too many, or too slow: there is no request then, only a socket.

import type { IncomingMessage, Server } from "node:http";
import type { Socket } from "node:net";
import { serviceError } from "../api/errors.ts";
import type { ConnectError } from "@connectrpc/connect";
import { errorToJsonBytes } from "@connectrpc/connect/protocol-connect";

/**
 * Answers parse errors and timeouts with Connect's error JSON where no answer is under way, and closes the connection in any case: behind the answers to requests that came whole before it, since what they asked for
 * may be done.
 */
export function answerBrokenHttp(http1: Server): void {
  const unanswered = new WeakMap<Socket, IncomingMessage[]>();
  const broken = new WeakSet<Socket>();
  const wholeOn = (socket: Socket): boolean => unanswered.get(socket)?.some(({ complete }) => complete) === true;
  http1.on("request", (request, response) => {
    const { socket } = request;
    // Few, as a rule, and answered in their order. No Set, for the reason in docs/decisions/0025.
    let requests = unanswered.get(socket);
    if (requests === undefined) unanswered.set(socket, (requests = []));
    requests.push(request);
    response.once("close", () => {
      requests.splice(requests.indexOf(request), 1);
      if (broken.has(socket) && !wholeOn(socket)) socket.end(() => socket.destroy());
    });
  });
  http1.on("clientError", (cause: NodeJS.ErrnoException, duplex) => {
    const socket = duplex as Socket;
    const isGone = !socket.writable || cause.code === "ECONNRESET";
    if (!isGone && wholeOn(socket)) {
      broken.add(socket);
      return;
    }
    // Bytes sent now would be taken for the answer that an earlier request on this connection waits for.
    if (isGone || (unanswered.get(socket)?.length ?? 0) > 0) {
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
