// The executor that lives in a thread of its own, so that a commit's sync to disk never stops the network.

import { MessageChannel, Worker, type MessagePort } from "node:worker_threads";
import { StartError } from "../start-error.ts";
import type { ForReaders } from "../store/store.ts";
import type { Executor } from "./executor.ts";
import { WriterDoor } from "./writer-door.ts";
import type { FromWriter, ToWriter, WriterSettings } from "./writer-messages.ts";

export interface WriterThread extends Executor {
  readonly forReaders: ForReaders;
  /** Resolves when what the writer holds can no longer be trusted: the process is to stop, and to be started anew. */
  readonly failed: Promise<Error>;
  /** Calls this from now on when somebody has committed through another door. */
  whenGrown(listener: () => void): void;
  /** A door for another thread, to be transferred to it; see `doorThrough`. */
  openDoor(): MessagePort;
}

/** Starts the thread and waits until it has the ledger open. Throws StartError where it cannot be opened. */
export async function startWriterThread(entry: URL, settings: WriterSettings): Promise<WriterThread> {
  const worker = new Worker(entry, { workerData: settings, name: "writer" });
  const send = (message: ToWriter): void => worker.postMessage(message);
  const door = new WriterDoor(send);
  const opened = Promise.withResolvers<ForReaders>();
  const closed = Promise.withResolvers<void>();
  let isClosing = false;

  const fail = (error: Error): void => {
    door.fail(error);
    opened.reject(error);
  };

  worker.on("message", (message: FromWriter) => {
    switch (message.type) {
      case "ready":
        return opened.resolve(message.forReaders);
      case "notOpened":
        return opened.reject(message.sentence === undefined ? new Error(message.message) : new StartError(message.sentence));
      case "inDoubt":
        return fail(new Error(`the outcome of a commit is unknown: ${message.message}`));
      case "closed":
        return closed.resolve();
      default:
        return door.receive(message);
    }
  });
  // An answer that this thread cannot read is no answer: nobody would wait for less.
  worker.on("messageerror", (error) => fail(error));
  worker.on("error", (error) => fail(error instanceof Error ? error : new Error(String(error))));
  worker.on("exit", (code) => {
    closed.resolve();
    door.end();
    if (!isClosing) fail(new Error(`the writer thread ended with code ${code}`));
  });

  const forReaders = await opened.promise;
  return {
    forReaders,
    failed: door.failed,
    execute: (commands) => door.execute(commands),
    whenGrown: (listener) => door.whenGrown(listener),
    openDoor() {
      const { port1, port2 } = new MessageChannel();
      worker.postMessage({ type: "open", door: port1 } satisfies ToWriter, [port1]);
      return port2;
    },
    async close() {
      isClosing = true;
      send({ type: "close" });
      await closed.promise;
      await worker.terminate();
    },
  };
}
