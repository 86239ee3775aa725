// What becomes of anything that a handler throws: our errors pass, the ends of a call get their reason, the rest is a defect.

import { Code, ConnectError } from "@connectrpc/connect";
import { errorDomain, internalError, serviceError } from "./errors.ts";
import { ledgerFaultError } from "./ledger-faults.ts";
import { ErrorInfoSchema } from "../../gen/google/rpc/error_details_pb.ts";

/** Whether the error is one of the table: it carries an ErrorInfo of our domain. True for errors built here and for errors read from the wire. */
export function isServiceError(error: ConnectError): boolean {
  return reasonOf(error) !== undefined;
}

/** The reason that the error carries; undefined where it is none of the table. */
export function reasonOf(error: ConnectError): string | undefined {
  return error.findDetails(ErrorInfoSchema).find((info) => info.domain === errorDomain)?.reason;
}

/** The call's deadline passed. Its effect may still come. */
export function deadlineExceeded(): ConnectError {
  return serviceError("DEADLINE_EXCEEDED");
}

/** The caller gave up. Its effect may still come. */
export function canceled(): ConnectError {
  return serviceError("CANCELED");
}

/**
 * What Connect calls unimplemented: a method that is declared and has no handler, and, after gRPC's status codes, a number of messages that the
 * method does not take.
 */
export function unimplemented(error: ConnectError): ConnectError {
  if (!error.rawMessage.startsWith("protocol error: ")) return serviceError("UNKNOWN_METHOD", "This version does not serve this method.");
  return serviceError("INVALID_REQUEST", "The request must contain exactly one message, even if it is an empty one.");
}

/** What Node says of a stream or a connection that has ended while it was written to (https://nodejs.org/api/errors.html). */
const ended: readonly string[] = ["ERR_STREAM_PREMATURE_CLOSE", "ERR_STREAM_DESTROYED", "ERR_STREAM_WRITE_AFTER_END", "ERR_HTTP2_INVALID_STREAM", "ERR_HTTP2_STREAM_ERROR", "ERR_HTTP2_SESSION_ERROR", "ERR_HTTP2_GOAWAY_SESSION"];

/** Whether the error is of the connection that a stream's messages leave by, and no handler's: its peer has reset the stream, or is gone. */
export function isOfConnection(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false;
  const { syscall, code = "" } = thrown as NodeJS.ErrnoException;
  return syscall === "write" || syscall === "read" || ended.includes(code);
}

/** What ends with its signal. The signal is not touched where it is not asked for: making one has a price. */
export interface Ending {
  readonly signal: AbortSignal;
}

/**
 * The error that leaves the service for something thrown in a call: what is thrown after its signal was aborted is a consequence of that.
 * Anything that is not known goes to `report`, and the caller learns the request id and nothing else.
 */
export function faultError(thrown: unknown, requestId: string, call: Ending, report: (cause: unknown) => void): ConnectError {
  if (thrown instanceof ConnectError) {
    if (isServiceError(thrown)) return thrown;
    if (thrown.code === Code.DeadlineExceeded) return deadlineExceeded();
    if (thrown.code === Code.Canceled) return canceled();
    if (thrown.code === Code.Unimplemented) return unimplemented(thrown);
  } else if (call.signal.aborted && isAbort(thrown, call.signal)) {
    return canceled();
  }
  const ledgerFault = ledgerFaultError(thrown, report);
  if (ledgerFault !== undefined) return ledgerFault;
  report(thrown);
  return internalError(requestId);
}

function isAbort(thrown: unknown, signal: AbortSignal): boolean {
  return thrown === signal.reason || (thrown instanceof Error && thrown.name === "AbortError");
}

/**
 * Runs `work` until it settles or the signal is aborted, whichever is first; then rejects with the signal's reason. The work goes on: a deadline
 * ends the wait, never the effect. Work is not begun for a signal that is aborted already.
 */
export async function untilAborted<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work(), aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
