// Which protocol a request speaks, told by its Content-Type: the shape of an error's answer depends on it.

export type Protocol = "grpc" | "grpc-web" | "connect-stream" | "connect-unary";

/** `connect-unary` is also plain HTTP: its errors are JSON with an HTTP status. */
export function protocolOf(contentType: string | null): Protocol {
  const type = contentType?.toLowerCase() ?? "";
  // grpc-web-text, which nothing here speaks, would need base64 frames: it gets plain HTTP errors.
  if (type.startsWith("application/grpc-web-text")) return "connect-unary";
  if (type.startsWith("application/grpc-web")) return "grpc-web";
  if (type.startsWith("application/grpc")) return "grpc";
  if (type.startsWith("application/connect+")) return "connect-stream";
  return "connect-unary";
}
