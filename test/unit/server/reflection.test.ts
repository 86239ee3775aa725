// grpc.reflection in both versions: `buf curl` over every protocol, and the questions that it does not ask.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ServerReflection } from "../../../gen/grpc/reflection/v1/reflection_pb.ts";
import type { ServerReflectionRequest } from "../../../gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionV1Alpha } from "../../../gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { http1 } from "./raw-call.ts";
import { startTestServer, stopServers } from "./test-server.ts";
import type { TestServer } from "./test-server.ts";

const run = promisify(execFile);
const buf = new URL("../../../node_modules/.bin/buf", import.meta.url).pathname;

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(stopServers);

type Question = ServerReflectionRequest["messageRequest"];

async function ask(service: typeof ServerReflection | typeof ServerReflectionV1Alpha, ...questions: Question[]) {
  const client = createClient(service as typeof ServerReflection, createGrpcTransport({ baseUrl: server.url }));
  async function* requests() {
    for (const messageRequest of questions) yield { host: "x", messageRequest };
  }
  const answers = [];
  for await (const answer of client.serverReflectionInfo(requests())) answers.push(answer);
  return answers;
}

describe.each(["grpc", "grpcweb", "connect"])("buf curl over %s", (protocol) => {
  it.each(["grpc-v1", "grpc-v1alpha"])("lists and describes by %s", async (version) => {
    const base = ["curl", "--http2-prior-knowledge", "--protocol", protocol, "--reflect-protocol", version];
    const { stdout } = await run(buf, [...base, "--list-methods", server.url]);
    expect(stdout).toContain("wallet.v1.WalletService/AddMoney");
    expect(stdout).toContain("grpc.health.v1.Health/Check");
    const answer = await run(buf, [...base, "-d", '{"user_id":"ann"}', `${server.url}/wallet.v1.ReportService/GetWalletBalance`]);
    expect(JSON.parse(answer.stdout)).toMatchObject({ available: "1.00", version: "9007199254740993" });
  });
});

describe.each([
  ["v1", ServerReflection],
  ["v1alpha", ServerReflectionV1Alpha],
] as const)("%s", (_, service) => {
  it("lists the services", async () => {
    const [answer] = await ask(service, { case: "listServices", value: "" });
    expect(answer?.messageResponse.case === "listServicesResponse" && answer.messageResponse.value.service.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["wallet.v1.WalletService", "wallet.v1.ReportService", "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"]),
    );
  });

  it("answers several questions in order, and repeats them", async () => {
    const answers = await ask(service, { case: "fileByFilename", value: "wallet/v1/hold.proto" }, { case: "fileByFilename", value: "no/such.proto" }, { case: undefined });
    expect(answers.map((answer) => answer.messageResponse.case)).toEqual(["fileDescriptorResponse", "errorResponse", "errorResponse"]);
    expect(answers[0]?.originalRequest?.messageRequest).toMatchObject({ case: "fileByFilename", value: "wallet/v1/hold.proto" });
    expect(answers[1]?.messageResponse.value).toMatchObject({ errorCode: 5 });
  });
});

it.each(["wallet.v1.WalletService", "wallet.v1.WalletService.AddMoney", "wallet.v1.AddMoneyRequest", "wallet.v1.AddMoneyRequest.amount", ".wallet.v1.HoldStatus", "wallet.v1.HOLD_STATUS_ACTIVE", "google.api.http"])(
  "gives the file of %s with all that it needs",
  async (symbol) => {
    const [answer] = await ask(ServerReflection, { case: "fileContainingSymbol", value: symbol });
    const response = answer!.messageResponse;
    expect(response.case).toBe("fileDescriptorResponse");
    const file = response.case === "fileDescriptorResponse" ? response.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes)) : [];
    const names = new Set(file.map((each) => each.name));
    expect(file.flatMap((each) => each.dependency).filter((dependency) => !names.has(dependency))).toEqual([]);
    expect(names.size).toBe(file.length);
  },
);

it("knows extensions by number and by the message that they extend", async () => {
  const [file, numbers, none, unknown] = await ask(
    ServerReflection,
    { case: "fileContainingExtension", value: { $typeName: "grpc.reflection.v1.ExtensionRequest", containingType: "google.protobuf.MethodOptions", extensionNumber: 72295728 } },
    { case: "allExtensionNumbersOfType", value: "google.protobuf.MethodOptions" },
    { case: "allExtensionNumbersOfType", value: "wallet.v1.Hold" },
    { case: "allExtensionNumbersOfType", value: "wallet.v1.None" },
  );
  expect(file?.messageResponse.case).toBe("fileDescriptorResponse");
  expect(numbers?.messageResponse.value).toMatchObject({ extensionNumber: [72295728] });
  expect(none?.messageResponse.value).toMatchObject({ extensionNumber: [] });
  expect(unknown?.messageResponse.value).toMatchObject({ errorCode: 5 });
});

it("says that it needs HTTP/2", async () => {
  const answer = await http1(`${server.url}/grpc.reflection.v1.ServerReflection/ServerReflectionInfo`, { method: "POST", headers: { "content-type": "application/connect+json" }, body: Buffer.from([0, 0, 0, 0, 2, 0x7b, 0x7d]) });
  expect(answer.text).toContain("HTTP/2");
  expect(answer.text).toContain("UNKNOWN_METHOD");
});
