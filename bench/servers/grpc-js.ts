// A no-op on a @grpc/grpc-js server: what a service on gRPC's own library for Node costs before it does anything.

import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { Server, ServerCredentials, type sendUnaryData, type ServerUnaryCall } from "@grpc/grpc-js";
import { AddMoneyRequestSchema, AddMoneyResponseSchema, type AddMoneyRequest, type AddMoneyResponse } from "../../gen/wallet/v1/wallet_service_pb.ts";
import { pathOf } from "../requests.ts";
import { constantAnswer } from "./constant-answer.ts";

const server = new Server();
server.addService(
  {
    addMoney: {
      path: pathOf("AddMoney"),
      requestStream: false,
      responseStream: false,
      requestSerialize: (message: AddMoneyRequest) => Buffer.from(toBinary(AddMoneyRequestSchema, message)),
      requestDeserialize: (bytes: Buffer) => fromBinary(AddMoneyRequestSchema, bytes),
      responseSerialize: (message: AddMoneyResponse) => Buffer.from(toBinary(AddMoneyResponseSchema, message)),
      responseDeserialize: (bytes: Buffer) => fromBinary(AddMoneyResponseSchema, bytes),
    },
  },
  { addMoney: (_call: ServerUnaryCall<AddMoneyRequest, AddMoneyResponse>, callback: sendUnaryData<AddMoneyResponse>) => callback(null, constantAnswer) },
);
server.bindAsync(`127.0.0.1:${process.argv[2]}`, ServerCredentials.createInsecure(), (error) => {
  if (error !== null) throw error;
});
