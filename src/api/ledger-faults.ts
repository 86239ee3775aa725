// What the ledger's own troubles mean for a caller: too much work, a database that refuses, an outcome that nobody knows.

import type { ConnectError } from "@connectrpc/connect";
import { QueueClosed, QueueFull } from "../ledger/command-queue.ts";
import { FeedClosed, TooManyWatchers } from "../ledger/operation-feed.ts";
import { VerifierClosed } from "../ledger/verifier.ts";
import { StoreFault } from "../store/store.ts";
import { serviceError } from "./errors.ts";

/** How long a caller is asked to wait before it tries again, in milliseconds: a full queue is worked off in about a second. */
const retryAfterMs = 1_000;

/** The same where it waits for another watcher to leave, which nobody can foresee. */
const watchAgainAfterMs = 10_000;

/** The error for a trouble of the ledger; undefined for anything else. What the database says goes to `report` and to nobody else. */
export function ledgerFaultError(thrown: unknown, report: (cause: unknown) => void): ConnectError | undefined {
  if (thrown instanceof QueueFull) {
    return serviceError("OVERLOADED", undefined, { retryAfterMs });
  }
  if (thrown instanceof TooManyWatchers) {
    return serviceError("OVERLOADED", "As many calls watch operations as may, see WALLET_WATCHERS_MAX. Send it again after the delay in RetryInfo.", { retryAfterMs: watchAgainAfterMs });
  }
  if (thrown instanceof QueueClosed || thrown instanceof FeedClosed || thrown instanceof VerifierClosed) {
    return serviceError("STORE_UNAVAILABLE", "The service is going down. Nothing was done; send the call again, a watch with its last resume token.", { retryAfterMs });
  }
  if (thrown instanceof StoreFault) {
    report(thrown);
    return serviceError(thrown.kind === "unavailable" ? "STORE_UNAVAILABLE" : "OUTCOME_UNKNOWN", undefined, { retryAfterMs });
  }
  return undefined;
}
