// The writer thread seen from the main one: whatever becomes of it, whoever asked is answered.

import { expect, test } from "vitest";
import { startWriterThread, type WriterThread } from "../../../src/ledger/writer-thread.ts";
import type { WriterSettings } from "../../../src/ledger/writer-messages.ts";
import { StartError } from "../../../src/start-error.ts";

const settings: WriterSettings = { databasePath: "", partitions: 1, assets: new Map(), holdPeriodMs: 0, autoRelease: false, idempotencyRetentionMs: 0, batchLengthMax: 1 };
const started = (script: string): Promise<WriterThread> => startWriterThread(new URL(`data:text/javascript,${encodeURIComponent(script)}`), settings);

/** A thread that opens at once and answers the first batch, the second, and so on, with these messages; `exit` ends it. */
function thread(...says: readonly (object | "exit")[]): Promise<WriterThread> {
  const script = `
    import { parentPort } from "node:worker_threads";
    const says = ${JSON.stringify(says)};
    parentPort.on("message", ({ type, batchId }) => {
      if (type === "close") { parentPort.postMessage({ type: "closed" }); return; }
      const message = says.shift();
      if (message === "exit") process.exit(3);
      if (message !== undefined) parentPort.postMessage({ ...message, batchId });
    });
    parentPort.postMessage({ type: "ready" });`;
  return started(script);
}

/** What the writer says with no answers but these, which go beside the words. */
const answersOf = (...others: object[]): object => ({ type: "answers", answers: { words: JSON.stringify(others.map(() => "other")), hashes: [], others } });

const opening = (message: object): Promise<WriterThread> =>
  started(`import { parentPort } from "node:worker_threads"; parentPort.postMessage(${JSON.stringify(message)});`);

test("a ledger that cannot be opened is a start error with its sentence", async () => {
  await expect(opening({ type: "notOpened", sentence: "Another process has it.", message: "" })).rejects.toThrow(new StartError("Another process has it."));
});

test("a defect while opening is no start error", async () => {
  const error = await opening({ type: "notOpened", message: "TypeError: x" }).catch((reason: unknown) => reason);
  expect(error).not.toBeInstanceOf(StartError);
  expect(error).toMatchObject({ message: "TypeError: x" });
});

test("answers find the batch that they are for", async () => {
  const writer = await thread(answersOf({ type: "notYet" }), answersOf({ type: "released" }));
  expect(await Promise.all([writer.execute([]), writer.execute([])])).toEqual([[{ type: "notYet" }], [{ type: "released" }]]);
  await writer.close();
});

test("a store that is unavailable is so for one batch; the next may work", async () => {
  const writer = await thread({ type: "failed", fault: "unavailable", message: "SQLITE_FULL" }, answersOf());
  await expect(writer.execute([])).rejects.toMatchObject({ name: "StoreFault", kind: "unavailable", message: "SQLITE_FULL" });
  expect(await writer.execute([])).toEqual([]);
  await writer.close();
});

test("a defect is thrown as one, and the thread goes on", async () => {
  const writer = await thread({ type: "failed", fault: "defect", message: "AssertionError: x" }, answersOf());
  await expect(writer.execute([])).rejects.toMatchObject({ name: "Error", message: "AssertionError: x" });
  expect(await writer.execute([])).toEqual([]);
  await writer.close();
});

test("after an unknown outcome everything under way is unknown, nothing more is begun, and whoever waits for the failure hears of it", async () => {
  const writer = await thread({ type: "failed", fault: "unknown", message: "SQLITE_IOERR_FSYNC" });
  const [first, second] = [writer.execute([]), writer.execute([])];
  await expect(first).rejects.toMatchObject({ kind: "unknown" });
  await expect(second).rejects.toMatchObject({ kind: "unknown" });
  expect((await writer.failed).message).toMatch(/the outcome of a commit is unknown: SQLITE_IOERR_FSYNC/);
  await expect(writer.execute([])).rejects.toMatchObject({ kind: "unavailable" });
  await writer.close();
});

test("a doubt about what came through another door is everybody's, too", async () => {
  const writer = await thread({ type: "inDoubt", message: "SQLITE_IOERR_FSYNC" });
  await expect(writer.execute([])).rejects.toMatchObject({ kind: "unknown" });
  expect((await writer.failed).message).toMatch(/the outcome of a commit is unknown: SQLITE_IOERR_FSYNC/);
  await expect(writer.execute([])).rejects.toMatchObject({ kind: "unavailable" });
  await writer.close();
});

test("when the thread dies, what is under way is unknown, and what comes later is answered at once", async () => {
  const writer = await thread("exit");
  await expect(writer.execute([])).rejects.toMatchObject({ kind: "unknown" });
  expect((await writer.failed).message).toMatch(/ended with code 3/);
  await expect(writer.execute([])).rejects.toMatchObject({ kind: "unavailable" });
  await writer.close();
});

test("after it was closed nothing is begun, and that is no failure", async () => {
  const writer = await thread();
  await writer.close();
  await expect(writer.execute([])).rejects.toMatchObject({ kind: "unavailable" });
  expect(await Promise.race([writer.failed, Promise.resolve("well")])).toBe("well");
});

test("an answer that this thread cannot read ends the wait, and nothing more is asked of the writer", async () => {
  // Writing such a thing takes less of the stack than reading it.
  const writer = await started(`
    import { parentPort } from "node:worker_threads";
    parentPort.on("message", ({ batchId }) => {
      let answers = [];
      for (let depth = 0; depth < 6_000; depth++) answers = [answers];
      parentPort.postMessage({ type: "answers", batchId, answers });
    });
    parentPort.postMessage({ type: "ready" });`);
  await expect(writer.execute([])).rejects.toMatchObject({ name: "StoreFault", kind: "unknown" });
  await expect(writer.execute([])).rejects.toMatchObject({ kind: "unavailable" });
});

test("so does one whose words are none", async () => {
  const writer = await thread({ type: "answers", answers: { words: "[", hashes: [], others: [] } });
  await expect(writer.execute([])).rejects.toMatchObject({ name: "StoreFault", kind: "unknown" });
  expect((await writer.failed).message).toBe("answers of the writer thread cannot be read");
  await writer.close();
});
