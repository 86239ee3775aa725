// Moves the write-ahead log into the database file from a thread of its own, while the writer goes on committing.

import { Worker } from "node:worker_threads";
import { StoreFault } from "../store.ts";

/** That it can begin; that it is done, or what SQLite said. */
export type FromCheckpointer = { readonly type: "opened" } | { readonly type: "moved" } | { readonly type: "failed"; readonly code: string; readonly message: string };

export interface Checkpointer {
  /** Moves what it can without making anybody wait. One at a time. Rejects with StoreFault where the file system fails. */
  checkpoint(): Promise<void>;
  /** Waits for what is under way. */
  close(): Promise<void>;
}

/** Begins its thread with the first checkpoint, since most ledgers never need one beside the writer's own. */
export function threadCheckpointer(databasePath: string): Checkpointer {
  let worker: Worker | undefined;
  let underWay: PromiseWithResolvers<void> | undefined;
  const settle = (settleWith: (waiting: PromiseWithResolvers<void>) => void): void => {
    const waiting = underWay;
    underWay = undefined;
    if (waiting !== undefined) settleWith(waiting);
  };
  const fail = (error: Error): void => settle((waiting) => waiting.reject(error));

  const begin = (): Worker => {
    const begun = new Worker(new URL("./checkpointer-thread.ts", import.meta.url), { workerData: databasePath, name: "checkpointer" });
    let isOpen = false;
    begun.on("message", (message: FromCheckpointer) => {
      if (message.type === "opened") isOpen = true;
      else if (message.type === "failed") fail(checkpointFault(message.code, message.message));
      else settle((waiting) => waiting.resolve());
    });
    begun.on("error", (error) => fail(isOpen && error instanceof Error ? error : notBegun(error)));
    begun.on("exit", () => {
      worker = undefined;
      fail(new StoreFault("unavailable", "the checkpointer's thread has ended"));
    });
    begun.unref();
    return begun;
  };

  return {
    checkpoint() {
      try {
        worker ??= begin();
      } catch (error) {
        return Promise.reject(notBegun(error));
      }
      underWay = Promise.withResolvers();
      worker.postMessage(undefined);
      return underWay.promise;
    },
    async close() {
      // What is under way is finished first: a thread that is ended in the middle of it leaves its locks.
      worker?.ref();
      await underWay?.promise.catch(() => {});
      await worker?.terminate();
    },
  };
}

/** A thread that does not come to have the file open, for want of a file descriptor as a rule, has moved nothing. */
function notBegun(error: unknown): StoreFault {
  return new StoreFault("unavailable", `the checkpointer's thread cannot begin: ${String(error)}`, { cause: error });
}

/**
 * What a failed checkpoint says. A missing lock or missing space passes, and the log is as it was. After any other failure the system may take pages for
 * written that are not (https://wiki.postgresql.org/wiki/Fsync_Errors): were the checkpoint tried again, it would seem to succeed, the log would be used
 * anew, and what it held be lost. So nobody knows any more, and the process has to stop; the next one reads the log again.
 */
export function checkpointFault(code: string, message: string): StoreFault {
  const passes = ["SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_FULL"].some((passing) => code.startsWith(passing));
  return new StoreFault(passes ? "unavailable" : "unknown", `checkpoint: ${code}: ${message}`);
}
