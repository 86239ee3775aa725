// The standard reflection services, grpc.reflection v1 and v1alpha: tell clients such as `buf curl` what the services look like.

import type { DescService, MessageInitShape } from "@bufbuild/protobuf";
import type { ConnectRouter, ServiceImpl } from "@connectrpc/connect";
import { Code } from "@connectrpc/connect";
import { ServerReflection as ServerReflectionV1 } from "../../gen/grpc/reflection/v1/reflection_pb.ts";
import type { ServerReflectionRequest, ServerReflectionResponseSchema } from "../../gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionV1Alpha } from "../../gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { descriptorIndex } from "./descriptor-index.ts";
import type { DescriptorIndex } from "./descriptor-index.ts";
import { echo } from "./early-errors.ts";

type Answer = MessageInitShape<typeof ServerReflectionResponseSchema>;

/** What both versions ask; their messages differ in their package only. */
interface Question {
  host: string;
  messageRequest: ServerReflectionRequest["messageRequest"];
}

/** Adds both versions. They describe `services` and each other, and every file that those need. Streams end when `draining` is aborted. */
export function addReflection(router: ConnectRouter, services: readonly DescService[], draining: AbortSignal): void {
  const index = descriptorIndex([...services, ServerReflectionV1, ServerReflectionV1Alpha]);
  const serve = async function* (questions: AsyncIterable<Question>) {
    for await (const question of untilAborted(questions, draining)) yield answerTo(question, index);
  };
  // No log line and no request id for questions about the schema.
  const withoutInterceptors = { interceptors: [] };
  router.service(ServerReflectionV1, { serverReflectionInfo: (questions) => serve(questions as AsyncIterable<Question>) }, withoutInterceptors);
  const serveV1Alpha = serve as unknown as ServiceImpl<typeof ServerReflectionV1Alpha>["serverReflectionInfo"];
  router.service(ServerReflectionV1Alpha, { serverReflectionInfo: serveV1Alpha }, withoutInterceptors);
}

function answerTo(question: Question, index: DescriptorIndex): Answer {
  const { host, messageRequest } = question;
  return { validHost: host, originalRequest: { host, messageRequest }, messageResponse: messageResponse(messageRequest, index) };
}

function messageResponse(request: Question["messageRequest"], index: DescriptorIndex): NonNullable<Answer["messageResponse"]> {
  switch (request.case) {
    case "fileByFilename":
      return files(index.withDependencies(index.fileByName(request.value)), `There is no file ${echo(request.value)} here.`);
    case "fileContainingSymbol":
      return files(index.withDependencies(index.fileOfSymbol(request.value)), `There is no symbol ${echo(request.value)} here.`);
    case "fileContainingExtension": {
      const { containingType, extensionNumber } = request.value;
      return files(index.withDependencies(index.fileOfExtension(containingType, extensionNumber)), `There is no extension ${extensionNumber} of ${echo(containingType)} here.`);
    }
    case "allExtensionNumbersOfType": {
      const numbers = index.extensionNumbers(request.value);
      if (numbers === undefined) return failure(Code.NotFound, `There is no message ${echo(request.value)} here.`);
      return { case: "allExtensionNumbersResponse", value: { baseTypeName: request.value, extensionNumber: [...numbers] } };
    }
    case "listServices":
      return { case: "listServicesResponse", value: { service: index.serviceNames.map((name) => ({ name })) } };
    default:
      return failure(Code.InvalidArgument, "The request asks for nothing that this version of reflection knows.");
  }
}

function files(found: readonly Uint8Array[] | undefined, otherwise: string): NonNullable<Answer["messageResponse"]> {
  if (found === undefined) return failure(Code.NotFound, otherwise);
  return { case: "fileDescriptorResponse", value: { fileDescriptorProto: [...found] } };
}

/** Reflection's errors are answers, so that the stream goes on. */
function failure(code: Code, message: string): NonNullable<Answer["messageResponse"]> {
  return { case: "errorResponse", value: { errorCode: code, errorMessage: message } };
}

/** The same iterable, which ends by itself once the signal is aborted. */
async function* untilAborted<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const aborted = Promise.withResolvers<undefined>();
  const onAbort = (): void => aborted.resolve(undefined);
  // Taken off again at the end: the signal is the server's and outlives the stream.
  signal.addEventListener("abort", onAbort, { once: true });
  const iterator = source[Symbol.asyncIterator]();
  try {
    while (!signal.aborted) {
      const result = await Promise.race([iterator.next(), aborted.promise]);
      if (result === undefined || result.done === true) return;
      yield result.value;
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
