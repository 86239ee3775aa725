// Whether the caller of a handler still waits, without an AbortSignal being made for a call that nobody cuts short.

import type { HandlerContext } from "@connectrpc/connect";
import type { Caller } from "../ledger/command-queue.ts";

export type { Caller };

/** What a handler is given: Connect's context, or one that knows about its caller by itself. */
type Context = Pick<HandlerContext, "signal"> & { readonly caller?: Caller };

/** Whoever waits for the handler's answer. The context's signal is not touched where it is not needed. */
export function callerOf(context: Context): Caller {
  return context.caller ?? context.signal;
}
