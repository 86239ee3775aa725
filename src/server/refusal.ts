// A request that is refused before it becomes a call: its answer, and its line in the log, where the caller's request id finds it.

import { Code } from "@connectrpc/connect";
import type { ConnectError } from "@connectrpc/connect";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import { reasonOf } from "../api/faults.ts";
import type { Logger } from "../log.ts";
import { echo } from "./early-errors.ts";
import { errorAnswer } from "./error-answers.ts";
import type { Exchange } from "./exchange.ts";

/** Logs the refusal. Calls that reach a handler's interceptors are logged there. */
export function logRefusal(logger: Logger, exchange: Exchange, error: ConnectError): void {
  logger.info({ httpMethod: exchange.httpMethod, path: echo(exchange.path), requestId: exchange.requestId, code: Code[error.code], reason: reasonOf(error) }, "refused");
}

/** The answer in the caller's protocol, logged. `httpStatus` replaces the code's own where HTTP has a better word for it. */
export function refuse(logger: Logger, exchange: Exchange, error: ConnectError, httpStatus?: number): UniversalServerResponse {
  logRefusal(logger, exchange, error);
  return errorAnswer(exchange.protocol, error, httpStatus);
}
