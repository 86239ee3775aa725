// The executor that lives in a thread of its own, so that a commit's sync to disk never stops the network.

import { Worker } from "node:worker_threads";
import type { Answer } from "../domain/answer.ts";
import { StartError } from "../start-error.ts";
import { StoreFault } from "../store/store.ts";
import type { Executor } from "./executor.ts";
import type { FromWriter, ToWriter, WriterSettings } from "./writer-messages.ts";

export interface WriterThread extends Executor {
  /** Resolves when what the writer holds can no longer be trusted: the process is to stop, and to be started anew. */
  readonly failed: Promise<Error>;
}

interface UnderWay {
  readonly resolve: (answers: readonly Answer[]) => void;
  readonly reject: (reason: Error) => void;
}

/** Starts the thread and waits until it has the ledger open. Throws StartError where it cannot be opened. */
export async function startWriterThread(entry: URL, settings: WriterSettings): Promise<WriterThread> {
  const worker = new Worker(entry, { workerData: settings, name: "writer" });
  const send = (message: ToWriter): void => worker.postMessage(message);
  const underWay = new Map<number, UnderWay>();
  const failed = Promise.withResolvers<Error>();
  const opened = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  let lastBatchId = 0;
  let isClosing = false;
  let isOver = false;

  const fail = (error: Error): void => {
    isOver = true;
    for (const batch of underWay.values()) batch.reject(new StoreFault("unknown", error.message, { cause: error }));
    underWay.clear();
    opened.reject(error);
    failed.resolve(error);
  };

  worker.on("message", (message: FromWriter) => {
    switch (message.type) {
      case "ready":
        return opened.resolve();
      case "notOpened":
        return opened.reject(message.sentence === undefined ? new Error(message.message) : new StartError(message.sentence));
      case "answers":
        underWay.get(message.batchId)?.resolve(message.answers);
        underWay.delete(message.batchId);
        return;
      case "failed": {
        const { fault } = message;
        underWay.get(message.batchId)?.reject(fault === "defect" ? new Error(message.message) : new StoreFault(fault, message.message));
        underWay.delete(message.batchId);
        // After a failed sync the page cache may say what the disk does not: https://wiki.postgresql.org/wiki/Fsync_Errors.
        if (fault === "unknown") fail(new Error(`the outcome of a commit is unknown: ${message.message}`));
        return;
      }
      case "closed":
        return closed.resolve();
      default:
        return message satisfies never;
    }
  });
  // An answer that this thread cannot read is no answer: nobody would wait for less.
  worker.on("messageerror", (error) => fail(error));
  worker.on("error", (error) => fail(error instanceof Error ? error : new Error(String(error))));
  worker.on("exit", (code) => {
    closed.resolve();
    isOver = true;
    if (!isClosing) fail(new Error(`the writer thread ended with code ${code}`));
  });

  await opened.promise;
  return {
    failed: failed.promise,
    execute: (commands) =>
      new Promise((resolve, reject) => {
        // Nobody would answer, or nobody who is to be trusted.
        if (isOver) return reject(new StoreFault("unavailable", "the writer thread has ended or failed"));
        const batchId = ++lastBatchId;
        underWay.set(batchId, { resolve, reject });
        send({ type: "execute", batchId, commands });
      }),
    async close() {
      isClosing = true;
      send({ type: "close" });
      await closed.promise;
      await worker.terminate();
    },
  };
}
