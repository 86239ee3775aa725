// gRPC's status in a trailer, with a message that every client can read.

import type { ConnectError } from "@connectrpc/connect";
import { setTrailerStatus } from "@connectrpc/connect/protocol-grpc";

const headerGrpcMessage = "grpc-message";

const encoder = new TextEncoder();

/**
 * Puts the error into the trailer, and answers the trailer. Connect encodes the message as a URI component; clients that decode only what gRPC says is
 * encoded (grpc-js among them) would show people `%3A` for a colon.
 */
export function setGrpcError(trailer: Headers, error: ConnectError): Headers {
  setTrailerStatus(trailer, error);
  trailer.set(headerGrpcMessage, percentEncoded(error.rawMessage));
  return trailer;
}

/** https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#responses: printable ASCII but `%` stays as it is, every other byte of UTF-8 is `%XX`. */
function percentEncoded(text: string): string {
  let encoded = "";
  for (const byte of encoder.encode(text)) {
    const isPlain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    encoded += isPlain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return encoded;
}
