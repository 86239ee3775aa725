// The checkpointer's thread: a connection that never writes anything but what the log already holds.

import { parentPort, workerData } from "node:worker_threads";
import Database from "better-sqlite3";
import type { FromCheckpointer } from "./checkpointer.ts";
import { openForWriting } from "./connection.ts";
import { moveLog } from "./write-ahead-log.ts";

if (parentPort === null) throw new Error("checkpointer-thread.ts runs as a worker thread");
const port = parentPort;
const send = (message: FromCheckpointer): void => port.postMessage(message);
const connection = openForWriting(workerData as string);
send({ type: "opened" });

port.on("message", () => {
  try {
    moveLog(connection);
    send({ type: "moved" });
  } catch (error) {
    if (!(error instanceof Database.SqliteError)) throw error;
    send({ type: "failed", code: error.code, message: error.message });
  }
});
