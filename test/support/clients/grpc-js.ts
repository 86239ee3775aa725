// gRPC by @grpc/grpc-js, the client that Node programs use; messages are protobuf-es's binary ones.

import type { DescMethod, Message } from "@bufbuild/protobuf";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { findTrailerError } from "@connectrpc/connect/protocol-grpc";
import { Client as GrpcClient, Metadata, credentials, type ServiceError } from "@grpc/grpc-js";
import { answered, methodNamed, pathOf, refused, toRequest, type CallOptions, type CallResult, type Client } from "./client.ts";

export function grpcJsClient({ address }: { address: string }): Client {
  const client = newClient(address);
  return {
    name: "gRPC (grpc-js)",
    serves: () => true,
    async call(service, name, request, options = {}): Promise<CallResult> {
      const method = methodNamed(service, name);
      try {
        return answered(method, await sendBytes(client, method, toBinary(method.input, toRequest(method, request)), metadataOf(options), options.first));
      } catch (error) {
        return refused(asConnectError(error as ServiceError));
      }
    },
    close: () => client.close(),
  };
}

function metadataOf({ headers = {}, isLate = false }: CallOptions): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  if (isLate) metadata.set("grpc-timeout", "0m");
  return metadata;
}

/** One request, whole; all messages of the answer, or the first so many. Rejects with grpc-js's error, also where messages came before it. */
function sendBytes(client: GrpcClient, method: DescMethod, bytes: Uint8Array, metadata: Metadata, first = Infinity): Promise<Message[]> {
  const serialize = (each: Uint8Array): Buffer => Buffer.from(each);
  const deserialize = (answer: Buffer): Message => fromBinary(method.output, answer);
  return new Promise((resolve, reject) => {
    if (method.methodKind === "unary") {
      client.makeUnaryRequest(pathOf(method), serialize, deserialize, bytes, metadata, (error, response) => {
        if (error === null) resolve([response!]);
        else reject(error);
      });
      return;
    }
    const messages: Message[] = [];
    const stream = client.makeServerStreamRequest(pathOf(method), serialize, deserialize, bytes, metadata);
    stream.on("data", (message: Message) => {
      if (messages.push(message) < first) return;
      resolve(messages);
      stream.cancel();
    });
    stream.on("error", reject);
    stream.on("end", () => resolve(messages));
  });
}

/** Code and sentence are those that grpc-js found; the details come from the `google.rpc.Status` beside them. */
export function asConnectError(error: ServiceError): ConnectError {
  const status = error.metadata?.get("grpc-status-details-bin")[0];
  const trailer = new Headers({ "grpc-status": `${error.code}` });
  if (status !== undefined) trailer.set("grpc-status-details-bin", Buffer.from(status).toString("base64").replace(/=+$/, ""));
  const found = findTrailerError(trailer);
  const same = new ConnectError(error.details, error.code as number, undefined, undefined, error);
  same.details = found?.details ?? [];
  return same;
}

export interface RawGrpcCall {
  /** Sends these bytes as the request, whether they are one or not. */
  call(method: DescMethod, bytes: Uint8Array): Promise<CallResult>;
  close(): void;
}

/** gRPC with bytes that no message makes. */
export function rawGrpcCall({ address }: { address: string }): RawGrpcCall {
  const client = newClient(address);
  return {
    async call(method, bytes) {
      try {
        return answered(method, await sendBytes(client, method, bytes, new Metadata()));
      } catch (error) {
        return refused(asConnectError(error as ServiceError));
      }
    },
    close: () => client.close(),
  };
}

/** A connection of its own: grpc-js shares one between clients of the same address otherwise. */
function newClient(address: string): GrpcClient {
  return new GrpcClient(address, credentials.createInsecure(), { "grpc.use_local_subchannel_pool": 1, "grpc.enable_retries": 0 });
}
