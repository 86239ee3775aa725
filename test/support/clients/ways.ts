// Every way into the service, in one list.

import type { Service } from "../service.ts";
import { bufCurlClient } from "./buf-curl.ts";
import type { Client } from "./client.ts";
import { connectClient } from "./connect.ts";
import { grpcJsClient } from "./grpc-js.ts";
import { restClient } from "./rest.ts";

export type OpenWay = (service: Service) => Client;

/** The way that the others are compared with, and that stands in for a way that cannot make a call. */
export const plainWay: OpenWay = (service) => connectClient(service, { protocol: "Connect", codec: "JSON", http: "HTTP/1.1" });

export const otherWays: readonly OpenWay[] = [
  (service) => connectClient(service, { protocol: "Connect", codec: "JSON", http: "HTTP/2" }),
  (service) => connectClient(service, { protocol: "Connect", codec: "binary", http: "HTTP/1.1" }),
  (service) => connectClient(service, { protocol: "Connect", codec: "binary", http: "HTTP/2" }),
  (service) => connectClient(service, { protocol: "Connect GET", codec: "JSON", http: "HTTP/1.1" }),
  (service) => connectClient(service, { protocol: "Connect GET", codec: "binary", http: "HTTP/2" }),
  (service) => connectClient(service, { protocol: "gRPC-Web", codec: "binary", http: "HTTP/1.1" }),
  (service) => connectClient(service, { protocol: "gRPC-Web", codec: "binary", http: "HTTP/2" }),
  grpcJsClient,
  (service) => restClient(service, "query"),
  (service) => restClient(service, "body"),
  (service) => bufCurlClient(service, "grpc"),
  (service) => bufCurlClient(service, "grpcweb"),
  (service) => bufCurlClient(service, "connect"),
];
