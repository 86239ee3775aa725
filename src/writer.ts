// The writer thread: the only connection that writes, and beside it the deciding of what it writes.

import { flushCompileCache } from "node:module";
import { parentPort, workerData } from "node:worker_threads";
import type { Answer } from "./domain/answer.ts";
import { currencyRegistry } from "./domain/currency.ts";
import { executorOn, type Executor } from "./ledger/executor.ts";
import type { FromWriter, ToWriter, WriterSettings } from "./ledger/writer-messages.ts";
import { StartError } from "./start-error.ts";
import { openSqliteStore } from "./store/sqlite/sqlite-store.ts";
import { StoreFault } from "./store/store.ts";

if (parentPort === null) throw new Error("writer.ts runs as a worker thread");
const port = parentPort;
const send = (message: FromWriter): void => port.postMessage(message);

const { databasePath, assets, ...settings } = workerData as WriterSettings;

/** Batches are executed one after another, in the order of their arrival. */
function serve(executor: Executor): void {
  let last: Promise<void> = Promise.resolve();
  port.on("message", (message: ToWriter) => {
    last = last.then(() => handle(executor, message));
  });
}

/** Set after a commit whose outcome nobody knows: nothing more is written, nor is the file closed, which would write too. */
let isDistrusted = false;

async function handle(executor: Executor, message: ToWriter): Promise<void> {
  if (message.type === "close") {
    if (!isDistrusted) await executor.close();
    send({ type: "closed" });
    return;
  }
  const { batchId, commands } = message;
  if (isDistrusted) return send({ type: "failed", batchId, fault: "unavailable", message: "not begun: the outcome of an earlier commit is unknown" });
  const outcome = await executor.execute(commands).catch((error: unknown) => failureOf(batchId, error));
  if (!("type" in outcome)) return tell(batchId, outcome);
  isDistrusted ||= outcome.fault === "unknown";
  send(outcome);
}

/** From here the batch is committed: where its answers cannot be sent, nobody but the ledger knows what became of it. */
function tell(batchId: number, answers: readonly Answer[]): void {
  try {
    send({ type: "answers", batchId, answers });
  } catch (error) {
    isDistrusted = true;
    send({ ...failureOf(batchId, error), fault: "unknown" });
  }
}

function failureOf(batchId: number, error: unknown): Extract<FromWriter, { type: "failed" }> {
  const fault = error instanceof StoreFault ? error.kind : "defect";
  return { type: "failed", batchId, fault, message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}

try {
  const store = await openSqliteStore(databasePath, Date.now);
  serve(executorOn(store, { currencies: currencyRegistry(assets), ...settings }));
  // Before the main thread ends the start phase.
  flushCompileCache();
  send({ type: "ready" });
} catch (error) {
  const sentence = error instanceof StartError ? error.message : undefined;
  send({ type: "notOpened", sentence, message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
}
