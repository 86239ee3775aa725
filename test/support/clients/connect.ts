// Connect and gRPC-Web by @connectrpc/connect-node, over HTTP/1.1 and HTTP/2, in JSON and in protobuf's binary form.

import type { DescMethod, Message } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import type { Transport } from "@connectrpc/connect";
import { Http2SessionManager, createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { createAsyncIterable } from "@connectrpc/connect/protocol";
import { Agent } from "node:http";
import { answered, methodNamed, refused, toRequest, type CallOptions, type CallResult, type Client } from "./client.ts";

export interface ConnectWay {
  readonly protocol: "Connect" | "Connect GET" | "gRPC-Web";
  readonly codec: "JSON" | "binary";
  readonly http: "HTTP/1.1" | "HTTP/2";
}

export function connectClient({ url }: { url: string }, { protocol, codec, http }: ConnectWay): Client {
  const isGet = protocol === "Connect GET";
  const agent = new Agent({ keepAlive: true });
  const sessionManager = new Http2SessionManager(url);
  const wire = http === "HTTP/1.1" ? ({ httpVersion: "1.1", nodeOptions: { agent } } as const) : ({ httpVersion: "2", sessionManager } as const);
  const common = { baseUrl: url, useBinaryFormat: codec === "binary", jsonOptions: { ignoreUnknownFields: false }, ...wire };
  const transport = protocol === "gRPC-Web" ? createGrpcWebTransport(common) : createConnectTransport({ ...common, useHttpGet: isGet });

  return {
    name: `${protocol} (${codec}) over ${http}`,
    serves: (method) => !isGet || isRead(method),
    async call(service, name, request, options = {}): Promise<CallResult> {
      const method = methodNamed(service, name);
      try {
        return await send(transport, method, request, headersOf(protocol, options), options.first);
      } catch (error) {
        return refused(error);
      }
    },
    close() {
      agent.destroy();
      sessionManager.abort();
    },
  };
}

/** What Connect can send by GET: one message without side effects. */
export function isRead(method: DescMethod): boolean {
  return method.methodKind === "unary" && method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
}

function headersOf(protocol: ConnectWay["protocol"], { headers = {}, isLate = false }: CallOptions): Record<string, string> {
  if (!isLate) return headers;
  return protocol === "gRPC-Web" ? { ...headers, "grpc-timeout": "0m" } : { ...headers, "connect-timeout-ms": "0" };
}

async function send(transport: Transport, method: DescMethod, request: Parameters<typeof toRequest>[1], headers: Record<string, string>, first = Infinity): Promise<CallResult> {
  const message = toRequest(method, request);
  if (method.methodKind === "unary") {
    const { message: answer } = await transport.unary(method as typeof method & { methodKind: "unary" }, undefined, undefined, headers, message);
    return answered(method, [answer]);
  }
  const leave = new AbortController();
  const stream = await transport.stream(method as typeof method & { methodKind: "server_streaming" }, leave.signal, undefined, headers, createAsyncIterable([message]));
  const messages: Message[] = [];
  for await (const each of stream.message) if (messages.push(each) === first) break;
  leave.abort();
  return answered(method, messages);
}
