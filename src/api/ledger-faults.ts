// What the ledger's own troubles mean for a caller: too much work, a database that refuses, an outcome that nobody knows.

import type { ConnectError } from "@connectrpc/connect";
import { QueueClosed, QueueFull } from "../ledger/command-queue.ts";
import { StoreFault } from "../store/store.ts";
import { serviceError } from "./errors.ts";

/** How long a caller is asked to wait before it tries again, in milliseconds: a full queue is worked off in about a second. */
const retryAfterMs = 1_000;

/** The error for a trouble of the ledger; undefined for anything else. What the database says goes to `report` and to nobody else. */
export function ledgerFaultError(thrown: unknown, report: (cause: unknown) => void): ConnectError | undefined {
  if (thrown instanceof QueueFull) {
    return serviceError("OVERLOADED", "The service has as much work waiting as it takes. Nothing was done; send the call again later.", { retryAfterMs });
  }
  if (thrown instanceof QueueClosed) {
    return serviceError("STORE_UNAVAILABLE", "The service is going down. Nothing was done; send the call again.", { retryAfterMs });
  }
  if (thrown instanceof StoreFault) {
    report(thrown);
    return thrown.kind === "unavailable"
      ? serviceError("STORE_UNAVAILABLE", "The database refused the work. Nothing was done; send the call again later.", { retryAfterMs })
      : serviceError("OUTCOME_UNKNOWN", "The call may or may not have been done. Send it again with the same idempotency key, or ask GetOperation.", { retryAfterMs });
  }
  return undefined;
}
