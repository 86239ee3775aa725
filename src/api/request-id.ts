// The id under which a call's log lines are found: the caller's own where it is harmless, otherwise a fresh one.

import { randomUUID } from "node:crypto";
import { createContextKey } from "@connectrpc/connect";
import type { ContextKey } from "@connectrpc/connect";

/** Header of requests and answers that carries the id. */
export const requestIdHeader = "x-request-id";

/** Under this key a handler finds the id in its context values. */
export const requestIdKey: ContextKey<string> = createContextKey("", { description: "request id" });

/** 1 to 128 characters that mean nothing to a log reader, a shell or a header: enough for UUIDs, ULIDs and trace ids. */
const safeId = /^[A-Za-z0-9._:@+/=-]{1,128}$/;

/** The caller's id where it has the safe form, otherwise a new UUID. */
export function requestIdOf(sent: string | null | undefined): string {
  return sent !== null && sent !== undefined && safeId.test(sent) ? sent : randomUUID();
}
