// A second door to a real writer thread: what goes through it is answered there, and who writes through the other hears that the journal has grown.

import { join } from "node:path";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { doorThrough, WriterDoor } from "../../../src/ledger/writer-door.ts";
import type { ToDoor } from "../../../src/ledger/writer-messages.ts";
import { startWriterThread, type WriterThread } from "../../../src/ledger/writer-thread.ts";
import { toCommand } from "../../support/asked.ts";
import { add, init } from "../../support/given.ts";

const entry = new URL("../../../src/writer.ts", import.meta.url);
const settings = { partitions: 1, assets: new Map<string, number>(), holdPeriodMs: 1, autoRelease: false, idempotencyRetentionMs: 3_600_000, batchLengthMax: 100 };

let folder: string;
let writer: WriterThread;
const grownOfMain = vi.fn<() => void>();

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "wallet-door-"));
  writer = await startWriterThread(entry, { ...settings, databasePath: join(folder, "wallet.db") });
  writer.whenGrown(grownOfMain);
});
afterEach(async () => {
  await writer.close();
  rmSync(folder, { recursive: true });
  grownOfMain.mockReset();
});

test("both are answered, each for its own", async () => {
  const door = doorThrough(writer.openDoor());
  await writer.execute([toCommand(init())]);
  const [mine, others] = await Promise.all([door.execute([add("1"), add("2")].map(toCommand)), writer.execute([toCommand(add("4"))])]);
  const amounts = [mine, others].map((answers) => answers.map((answer) => (answer.type === "applied" ? answer.record.amountMinor : answer)));
  expect(amounts).toEqual([[100n, 200n], [400n]]);
});

test("who commits through one door is heard at the other", async () => {
  const grown = vi.fn<() => void>();
  const door = doorThrough(writer.openDoor());
  door.whenGrown(grown);
  await writer.execute([toCommand(init())]);
  await vi.waitFor(() => expect(grown).toHaveBeenCalled(), 60_000);
  expect(grownOfMain).not.toHaveBeenCalled();
  await door.execute([toCommand(add("1"))]);
  await vi.waitFor(() => expect(grownOfMain).toHaveBeenCalled(), 60_000);
});

test("each batch has its own answer, in whatever order they come, and what comes twice is nobody's", async () => {
  const sent: ToDoor[] = [];
  const door = new WriterDoor((message) => sent.push(message));
  const outcomes = ["first", "second", "third"].map(() => door.execute([toCommand(init())]).catch((error: Error) => error.message));
  const answer = (index: number, message: string): void => door.receive({ type: "failed", batchId: sent[index]!.batchId, fault: "defect", message });
  answer(1, "of the second");
  answer(1, "of the second, again");
  answer(2, "of the third");
  answer(0, "of the first");
  expect(await Promise.all(outcomes)).toEqual(["of the first", "of the second", "of the third"]);
});

test("when the writer is gone, nothing more is begun, and the door says so", async () => {
  const door = doorThrough(writer.openDoor());
  await writer.close();
  expect((await door.failed).message).toBe("the writer thread has ended");
  await expect(door.execute([toCommand(init())])).rejects.toMatchObject({ name: "StoreFault", kind: "unavailable" });
});
