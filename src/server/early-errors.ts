// Errors that Connect raises before our code runs, told in the service's own words: it reads what Connect and protobuf-es say and finds the field.

import { Code } from "@connectrpc/connect";
import type { ConnectError } from "@connectrpc/connect";
import type { DescField, DescMethod } from "@bufbuild/protobuf";
import { internalError, invalidField, serviceError } from "../api/errors.ts";
import { canceled, deadlineExceeded, isServiceError, unimplemented } from "../api/faults.ts";

/** What is known of the call beside the error. */
export interface EarlyCall {
  /** Absent where the request named no method. */
  method: DescMethod | undefined;
  requestId: string;
  requestMaxBytes: number;
  /** Told the error that nobody expected; the caller is not. */
  report: (cause: unknown) => void;
}

/** Characters of a caller's text that an answer repeats: enough to recognise it, few enough for a header. */
const echoMaxChars = 120;

const notDecompressed = "The message does not decompress with the encoding that its headers name.";

/** The service's error for one of Connect's. Errors that are the service's already pass, and so does NOT_FOUND, which only `grpc.health.v1` has. */
export function earlyError(error: ConnectError, call: EarlyCall): ConnectError {
  if (isServiceError(error)) return error;
  const message = error.rawMessage;
  switch (error.code) {
    case Code.NotFound:
      return error;
    case Code.InvalidArgument:
      return invalidRequest(message === "decompression failed" ? notDecompressed : message, call);
    case Code.ResourceExhausted:
      if (message.includes("readMaxBytes")) return messageTooLarge(call.requestMaxBytes);
      break;
    case Code.Unimplemented:
      return unknownCompression(message) ?? unimplemented(error);
    case Code.DeadlineExceeded:
      return deadlineExceeded();
    case Code.Canceled:
    // Connect's word for a peer that hung up while it was read or answered.
    case Code.Aborted:
      return canceled();
    case Code.Internal:
      if (message.startsWith("parse binary:")) return invalidRequest("The message is not a protobuf message of this method's request type.", call);
      if (message.includes("decompress")) return invalidRequest(notDecompressed, call);
      break;
    // What a handler throws never comes here as anything else: the interceptors made a defect of it.
    default:
      break;
  }
  call.report(error);
  return internalError(call.requestId);
}

/** A request message that is larger than the server takes, before or after decompression. */
export function messageTooLarge(requestMaxBytes: number): ConnectError {
  return serviceError("MESSAGE_TOO_LARGE", `The request is larger than ${requestMaxBytes} bytes, counted after decompression. Send it in smaller parts.`, {
    metadata: { request_max_bytes: String(requestMaxBytes) },
  });
}

/** At most so many characters, all of them whole: a caller's text in our answer. */
export function echo(text: string): string {
  return (text.length <= echoMaxChars ? text : `${text.slice(0, echoMaxChars)}…`).toWellFormed();
}

/** Both protocols ask for UNIMPLEMENTED here, so it has the reason with that code. */
function unknownCompression(message: string): ConnectError | undefined {
  const compression = /^unknown compression "(.*)": supported encodings are (.*)$/s.exec(message);
  if (compression === null) return undefined;
  return serviceError("UNKNOWN_METHOD", `There is no compression ${echo(compression[1] ?? "")} here. Use ${compression[2]} or none.`);
}

function invalidRequest(message: string, call: EarlyCall): ConnectError {
  const timeout = /invalid (connect|grpc) timeout value/.exec(message);
  if (timeout?.[1] === "connect") return invalidField("connect-timeout-ms", "must be a number of milliseconds, in digits");
  if (timeout) return invalidField("grpc-timeout", "must be 1 to 8 digits and one of the units H, M, S, m, u, n");

  const field = /^cannot decode (?:field|oneof) [\w.]*?(\w+) from JSON: (.*)$/s.exec(message);
  if (field) return invalidField(field[1] ?? "", echo(inPlainWords(field[2] ?? "")));

  const inMessage = /^cannot decode (?:message|enum) ([\w.]+) from JSON:? (.*)$/s.exec(message);
  if (inMessage) return invalidJson(inMessage[1] ?? "", inMessage[2] ?? "", call);

  if (/not valid for encoding utf-8/.test(message)) return serviceError("INVALID_REQUEST", "The body is not UTF-8.");
  return serviceError("INVALID_REQUEST", echo(message.replace(/^protocol error: /, "")));
}

/** What protobuf-es says about a value, without the names of its insides. */
function inPlainWords(what: string): string {
  const text = /^expected string, got (.*)$/s.exec(what);
  if (text) return `must be a string in quotes, not ${text[1]}`;
  const number = /^expected (?:bigint|number) \((\w+)\)(?::|, got) (.*?)(?: out of range)?$/s.exec(what);
  if (number) return `must be a whole number (${number[1]}), not ${number[2]}`;
  return what;
}

/** What a field of this type must be. Of an enum the names that it takes, but for the one that is never sent. */
function formOf(field: DescField, typeName: string, what: string): string {
  if (field.enum === undefined) return `must be a ${typeName} in JSON's form: ${echo(what)}`;
  const names = field.enum.values.filter((value) => value.number !== 0).map((value) => value.name);
  return `must be one of ${names.join(", ")}, not ${echo(what)}`;
}

/** What protobuf-es says about a type, not about a field. */
function invalidJson(typeName: string, what: string, call: EarlyCall): ConnectError {
  const unknown = /^key "(.*)" is unknown$/s.exec(what);
  if (unknown) return invalidField(echo(unknown[1] ?? ""), "is not a field of this request");
  const duplicate = /^duplicate object key "(.*)"$/s.exec(what);
  if (duplicate) return invalidField(echo(duplicate[1] ?? ""), "is there twice");

  // A timestamp, a duration or an enum: the fields of that type are the ones it can be about.
  const fields = call.method?.input.fields.filter((field) => (field.message ?? field.enum)?.typeName === typeName) ?? [];
  if (fields.length > 0) {
    const violations = fields.map((field) => ({ field: field.name, description: formOf(field, typeName, what) }));
    const [first] = violations;
    return serviceError("INVALID_REQUEST", `${violations.map((violation) => violation.field).join(" or ")}: ${first?.description}`, { violations });
  }
  if (typeName === call.method?.input.typeName) return serviceError("INVALID_REQUEST", "The body is not a JSON object.");
  return serviceError("INVALID_REQUEST", `The body has a part that is no ${typeName} in JSON's form: ${echo(what)}`);
}
