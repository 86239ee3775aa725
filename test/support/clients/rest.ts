// The original service's eight paths over plain HTTP/1.1; reads carry their fields in the query or, as the original's clients did, in a JSON body.

import type { DescMethod, JsonObject } from "@bufbuild/protobuf";
import { fromJsonString } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { errorFromJsonBytes } from "@connectrpc/connect/protocol-connect";
import { Agent, request as httpRequest, type OutgoingHttpHeaders } from "node:http";
import { answered, isKnown, methodNamed, refused, type CallResult, type Client } from "./client.ts";

/** The paths as the original's clients know them: kept here by hand, because they must never change. */
export const restPaths: Readonly<Record<string, string>> = {
  InitWallet: "POST /wallet/init",
  AddMoney: "POST /wallet/add_money",
  HoldMoney: "POST /wallet/hold_money",
  ReleaseHolds: "POST /wallet/release_hold",
  ReverseHold: "POST /wallet/reverse_hold",
  GetWalletBalance: "GET /report/wallet_balance",
  GetHoldReport: "GET /report/hold_report",
  GetWalletOperationReport: "GET /report/wallet_operation_report",
};

export function restClient({ url }: { url: string }, readsFrom: "query" | "body"): Client {
  const agent = new Agent({ keepAlive: true });
  return {
    name: `REST (reads by ${readsFrom})`,
    serves: (method) => isKnown(method) && restPaths[method.name] !== undefined,
    async call(service, name, request, { headers = {}, isLate = false } = {}): Promise<CallResult> {
      const method = methodNamed(service, name);
      const [httpMethod = "", path = ""] = restPaths[name]!.split(" ");
      const late = isLate ? { "connect-timeout-ms": "0" } : {};
      const inQuery = httpMethod === "GET" && readsFrom === "query";
      const answer = await httpCall(`${url}${path}${inQuery ? queryOf(request) : ""}`, {
        method: httpMethod,
        headers: { ...headers, ...late, ...(inQuery ? {} : { "content-type": "application/json" }) },
        body: inQuery ? undefined : JSON.stringify(request),
        agent,
      });
      return restResult(method, answer);
    },
    close: () => agent.destroy(),
  };
}

function queryOf(request: JsonObject): string {
  const texts = Object.entries(request).map(([name, value]): [string, string] => [name, typeof value === "string" ? value : JSON.stringify(value)]);
  return `?${new URLSearchParams(texts).toString()}`;
}

/** The answer of a path, read as strictly as a client of the RPC would read it. */
export function restResult(method: DescMethod, { status, body }: HttpAnswer): CallResult {
  if (status < 300) return { ...answered(method, [fromJsonString(method.output, body.toString())]), httpStatus: status };
  return { ...refused(errorFromJsonBytes(body, undefined, new ConnectError(`no error of Connect: ${status} ${body.toString()}`, Code.Unknown))), httpStatus: status };
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** One HTTP/1.1 request with exactly these headers and bytes. */
export function httpCall(
  url: string,
  { method, headers = {}, body, agent }: { method: string; headers?: OutgoingHttpHeaders | undefined; body?: string | Uint8Array | undefined; agent?: Agent | undefined },
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { "content-length": Buffer.byteLength(body) };
    const sent = httpRequest(url, { method, headers: { ...length, ...headers }, agent: agent ?? false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}
