// Connect's JSON by hand over HTTP/1.1: texts that no client library would send, in the one frame that a server stream takes or as the whole body.

import type { DescMethod } from "@bufbuild/protobuf";
import { fromJsonString } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { encodeEnvelope } from "@connectrpc/connect/protocol";
import { endStreamFlag, endStreamFromJson, errorFromJsonBytes } from "@connectrpc/connect/protocol-connect";
import type { Agent } from "node:http";
import { answered, pathOf, refused, type CallResult } from "./client.ts";
import { httpCall, type HttpAnswer } from "./rest.ts";

/** Calls with this text as the request, whether it is one or not. */
export async function rawConnectCall(method: DescMethod, text: string, { url, agent }: { url: string; agent?: Agent }): Promise<CallResult> {
  const isStream = method.methodKind !== "unary";
  const headers = { "content-type": isStream ? "application/connect+json" : "application/json" };
  const body = isStream ? encodeEnvelope(0, Buffer.from(text)) : text;
  const answer = await httpCall(`${url}${pathOf(method)}`, { method: "POST", headers, body, agent });
  return isStream && answer.status === 200 ? streamResult(method, answer.body) : unaryResult(method, answer);
}

/** The answer of a call whose request was the whole body. */
export function unaryResult(method: DescMethod, { status, body }: HttpAnswer): CallResult {
  if (status < 300) return answered(method, [fromJsonString(method.output, body.toString())]);
  return refused(errorFromJsonBytes(body, undefined, new ConnectError(`no error of Connect: ${status} ${body.toString()}`, Code.Unknown)));
}

function streamResult(method: DescMethod, body: Buffer): CallResult {
  const frames = framesOf(body);
  const end = frames.at(-1);
  if (end?.flags !== endStreamFlag) throw new Error(`a stream without an end: ${body.toString()}`);
  const { error } = endStreamFromJson(end.data);
  if (error !== undefined) return refused(error);
  return answered(method, frames.slice(0, -1).map(({ data }) => fromJsonString(method.output, data.toString())));
}

function framesOf(body: Buffer): { flags: number; data: Buffer }[] {
  const frames = [];
  for (let at = 0; at < body.length; ) {
    const end = at + 5 + body.readUInt32BE(at + 1);
    frames.push({ flags: body[at]!, data: body.subarray(at + 5, end) });
    at = end;
  }
  return frames;
}
