// What every way into the service looks like to a test, whatever its protocol: a call in JSON, and an answer or an error in one form.

import type { DescMethod, DescService, JsonObject, JsonValue, Message } from "@bufbuild/protobuf";
import { fromJson, toJson } from "@bufbuild/protobuf";
import type { Duration } from "@bufbuild/protobuf/wkt";
import { DurationSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "../../../gen/google/rpc/error_details_pb.ts";
import { ReportService } from "../../../gen/wallet/v1/report_service_pb.ts";
import { WalletService } from "../../../gen/wallet/v1/wallet_service_pb.ts";

export interface CallOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** The call says that its deadline has passed; the client itself waits for the server's word. */
  readonly isLate?: boolean;
  /** Of a stream, only so many answers; then the call is cancelled. */
  readonly first?: number | undefined;
}

/** One way into the service. */
export interface Client {
  readonly name: string;
  /** A call costs a process and a quarter of a second: where calls of one kind abound, one of them is enough (`TEST_EVERY_CALL=1` makes them all). */
  readonly isDear?: boolean;
  /** Whether this way can make such a call at all. */
  serves(method: DescMethod, options: CallOptions): boolean;
  /** One call; of a stream, until its end or the first so many answers. */
  call(service: string, method: string, request: JsonObject, options?: CallOptions): Promise<CallResult>;
  close(): void;
}

/** `response` is protobuf-es's JSON of the message; of a stream, a list of them. */
export type CallResult = ({ ok: true; response: JsonValue } | { ok: false; error: CallError }) & { httpStatus?: number };

/** An error as all protocols carry it. */
export interface CallError {
  /** The name in Connect-ES, such as `NotFound`. */
  readonly code: string;
  readonly reason: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly violations: readonly { field: string; description: string }[];
  readonly message: string;
  /** Such as `1s`; undefined where trying again is not proposed. */
  readonly retryDelay: string | undefined;
}

export const services: readonly DescService[] = [WalletService, ReportService];

/** The method of one of our services; where there is none of that name, a made-up one that takes and gives nothing in particular. */
export function methodNamed(service: string, name: string): DescMethod {
  const parent = services.find((candidate) => candidate.name === service);
  if (parent === undefined) throw new Error(`there is no service ${service}`);
  return parent.methods.find((method) => method.name === name) ?? { ...parent.methods[0]!, name, localName: name };
}

export function isKnown(method: DescMethod): boolean {
  return method.parent.methods.includes(method);
}

/** `/wallet.v1.WalletService/AddMoney`. */
export function pathOf(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}

export function toRequest(method: DescMethod, request: JsonObject): Message {
  return fromJson(method.input, request);
}

/** Zeros, false and empty lists too, so that comparing answers compares everything. */
export const everyField = { alwaysEmitImplicit: true } as const;

export function answered(method: DescMethod, messages: readonly Message[]): CallResult {
  const responses = messages.map((message) => toJson(method.output, message, everyField));
  return { ok: true, response: method.methodKind === "unary" ? responses[0]! : responses };
}

/** The facts of an error of the service. Throws where it carries anything but exactly one ErrorInfo of ours: then it is none. */
export function refused(thrown: unknown): CallResult {
  const error = ConnectError.from(thrown);
  const infos = error.findDetails(ErrorInfoSchema);
  const [info] = infos;
  if (info === undefined || infos.length > 1 || info.domain !== "wallet.v1") {
    throw new Error(`an error with ${infos.length} ErrorInfos, of domain ${info?.domain}: ${error.message}`, { cause: thrown });
  }
  const retry = error.findDetails(RetryInfoSchema)[0]?.retryDelay;
  return {
    ok: false,
    error: {
      code: Code[error.code],
      reason: info.reason,
      metadata: info.metadata,
      violations: error.findDetails(BadRequestSchema).flatMap((detail) => detail.fieldViolations.map(({ field, description }) => ({ field, description }))),
      message: error.rawMessage,
      retryDelay: retry && durationText(retry),
    },
  };
}

function durationText(duration: Duration): string {
  return toJson(DurationSchema, duration);
}
