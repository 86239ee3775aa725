// The writer thread: the only connection that writes, and beside it the deciding of what it writes.

import { flushCompileCache } from "node:module";
import { parentPort, workerData, type MessagePort } from "node:worker_threads";
import type { Answer } from "./domain/answer.ts";
import { currencyRegistry } from "./domain/currency.ts";
import { executorOn, untilInDoubt, type DoubtfulExecutor } from "./ledger/executor.ts";
import { giveBackMemory } from "./end-start-phase.ts";
import { gathering } from "./ledger/gathering.ts";
import { writeAnswers } from "./ledger/writer-answers.ts";
import { readCommands } from "./ledger/writer-commands.ts";
import type { FromDoor, FromWriter, ToDoor, ToWriter, WriterSettings } from "./ledger/writer-messages.ts";
import { StartError } from "./start-error.ts";
import { threadCheckpointer } from "./store/sqlite/checkpointer.ts";
import { openSqliteStore } from "./store/sqlite/sqlite-store.ts";
import { writtenQueries } from "./store/sqlite/written-queries.ts";
import { StoreFault } from "./store/store.ts";

if (parentPort === null) throw new Error("writer.ts runs as a worker thread");
const own = parentPort;
const send = (message: FromWriter): void => own.postMessage(message);

const { databasePath, partitions, assets, batchLengthMax, ...settings } = workerData as WriterSettings;

/** How late a door learns at most that others have committed something, in milliseconds; one word of it stands for all that was committed meanwhile. */
const grownMs = 5;

const doors = new Set<MessagePort>([own]);
/** Those that are to hear of it in a moment. */
const toldSoon = new Set<MessagePort>();

function serve(executor: DoubtfulExecutor): void {
  const shared = gathering(executor, batchLengthMax);
  const listen = (door: MessagePort): void => {
    doors.add(door);
    door.on("message", (message: ToDoor) => void execute(message, door));
    door.on("close", () => doors.delete(door));
  };

  const execute = async ({ batchId, commands }: ToDoor, door: MessagePort): Promise<void> => {
    try {
      tell(door, batchId, await shared.execute(readCommands(commands), door));
      announce(door);
    } catch (error) {
      door.postMessage(failureOf(batchId, error));
      // Whoever asked: it is the thread that started this one which stops the process.
      if (door !== own && error instanceof StoreFault && error.kind === "unknown") send({ type: "inDoubt", message: error.message });
    }
  };

  /** From here the batch is committed: where its answers cannot be sent, nobody but the ledger knows what became of it. */
  const tell = (door: MessagePort, batchId: number, answers: readonly Answer[]): void => {
    try {
      door.postMessage({ type: "answers", batchId, answers: writeAnswers(answers) } satisfies FromDoor);
    } catch (error) {
      executor.doubt();
      throw new StoreFault("unknown", String(error), { cause: error });
    }
  };

  own.on("message", (message: ToWriter) => {
    if (message.type === "open") listen(message.door);
    else if (message.type === "close") void shared.close().then(() => send({ type: "closed" }));
    else void execute(message, own);
  });
}

/** The journal may have grown through this door. */
function announce(by: MessagePort): void {
  for (const door of doors) {
    if (door === by || toldSoon.has(door)) continue;
    toldSoon.add(door);
    setTimeout(() => {
      toldSoon.delete(door);
      door.postMessage({ type: "grown" } satisfies FromDoor);
    }, grownMs);
  }
}

function failureOf(batchId: number, error: unknown): FromDoor {
  const fault = error instanceof StoreFault ? error.kind : "defect";
  return { type: "failed", batchId, fault, message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}

try {
  const store = await openSqliteStore(databasePath, Date.now, { partitions, checkpointer: threadCheckpointer, onFault: ({ message }) => send({ type: "inDoubt", message }) });
  serve(untilInDoubt(executorOn(store, { currencies: currencyRegistry(assets), ...settings })));
  // Before the main thread ends the start phase.
  flushCompileCache();
  send({ type: "ready", forReaders: writtenQueries });
  // Now, while the main thread prepares to serve: nobody can ask for anything yet.
  giveBackMemory();
} catch (error) {
  const sentence = error instanceof StartError ? error.message : undefined;
  send({ type: "notOpened", sentence, message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
}
