// Plain HTTP pages for load balancers and people: whether the process lives, and whether it takes requests.

import { createAsyncIterable } from "@connectrpc/connect/protocol";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import { serviceError } from "../api/errors.ts";
import { echo } from "./early-errors.ts";
import { errorAnswer } from "./error-answers.ts";
import type { Exchange } from "./exchange.ts";

/** A page's status and JSON, made anew for each request. */
export type Page = () => { status: number; json: Record<string, unknown> };

/** `/healthz` answers while the process lives; `/readyz` while requests are taken, which a drain ends. `isDurable`: whether answers are sent only after what they tell is on disk. */
export function probePages(isReady: () => boolean, isDurable: boolean): ReadonlyMap<string, Page> {
  return new Map<string, Page>([
    ["/healthz", () => ({ status: 200, json: { alive: true } })],
    [
      "/readyz",
      () => {
        const ready = isReady();
        return { status: ready ? 200 : 503, json: { ready, durable: isDurable } };
      },
    ],
  ]);
}

/** The page's answer to GET and HEAD; UNKNOWN_METHOD to anything else. */
export function servePage(page: Page, exchange: Exchange): UniversalServerResponse {
  if (exchange.httpMethod !== "GET" && exchange.httpMethod !== "HEAD") {
    const answer = errorAnswer("connect-unary", serviceError("UNKNOWN_METHOD", `${echo(exchange.httpMethod)} is no way to ask for ${exchange.path}. Use GET.`));
    answer.header?.set("allow", "GET, HEAD");
    return answer;
  }
  const { status, json } = page();
  const body = new TextEncoder().encode(JSON.stringify(json));
  const header = new Headers({ "content-type": "application/json", "content-length": String(body.byteLength), "cache-control": "no-store" });
  return exchange.httpMethod === "HEAD" ? { status, header } : { status, header, body: createAsyncIterable([body]) };
}
