// A gRPC client (@grpc/grpc-js) that tells apart what a caller must: an answer, a refusal with a reason, and a call of which nothing is known.

import { create, fromBinary, toBinary, type DescMethodUnary, type Message, type MessageInitShape, type MessageShape } from "@bufbuild/protobuf";
import { ErrorInfoSchema } from "../../gen/google/rpc/error_details_pb.ts";
import { findTrailerError } from "@connectrpc/connect/protocol-grpc";
import { Client, credentials, Metadata, status, type ServiceError } from "@grpc/grpc-js";

/** What became of a call. */
export type Outcome<Response extends Message = Message> =
  | { readonly type: "answered"; readonly response: Response }
  /** The service said no: its reason, its sentence and its facts. */
  | { readonly type: "refused"; readonly reason: string; readonly message: string; readonly metadata: Readonly<Record<string, string>> }
  /** No word from the service: the connection ended, or there was none. `code` is gRPC's name for it. */
  | { readonly type: "silent"; readonly code: string; readonly details: string };

export interface GrpcClient {
  call<Method extends DescMethodUnary>(method: Method, request: MessageInitShape<Method["input"]>): Promise<Outcome<MessageShape<Method["output"]>>>;
  close(): void;
}

/** A call must end by itself; this only keeps a test from hanging. */
const deadlineMs = 30_000;

/** A client with a connection of its own. It never sends a call a second time. */
export function grpcClient(address: string): GrpcClient {
  const client = new Client(address, credentials.createInsecure(), { "grpc.enable_retries": 0, "grpc.use_local_subchannel_pool": 1 });
  return {
    call: <Method extends DescMethodUnary>(method: Method, init: MessageInitShape<Method["input"]>) =>
      new Promise<Outcome<MessageShape<Method["output"]>>>((resolve) => {
        const request = create<Method["input"]>(method.input, init);
        client.makeUnaryRequest(
          `/${method.parent.typeName}/${method.name}`,
          (message: MessageShape<Method["input"]>) => Buffer.from(toBinary(method.input, message)),
          (bytes) => fromBinary<Method["output"]>(method.output, bytes),
          request,
          new Metadata(),
          { deadline: Date.now() + deadlineMs },
          // What `fromBinary` made of this method's output is of its type; TypeScript cannot follow that through a generic parameter.
          (error, response) => resolve((error === null ? { type: "answered", response: response! } : failure(error)) as Outcome<MessageShape<Method["output"]>>),
        );
      }),
    close: () => client.close(),
  };
}

function failure(error: ServiceError): Outcome<never> {
  const trailer = new Headers({ "grpc-status": String(error.code), "grpc-message": encodeURIComponent(error.details) });
  for (const bytes of error.metadata.get("grpc-status-details-bin")) trailer.set("grpc-status-details-bin", Buffer.from(bytes).toString("base64"));
  const info = findTrailerError(trailer)?.findDetails(ErrorInfoSchema)[0];
  if (info === undefined) return { type: "silent", code: status[error.code], details: error.details };
  return { type: "refused", reason: info.reason, message: error.details, metadata: info.metadata };
}
