// Starts that cannot be: each ends with exit code 1 and one sentence for whoever started it, and leaves what is running alone.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { cleanUp, newFolder, readiness, spawnService, startService, type StartOptions } from "./service-process.ts";
import { smallDisk } from "./small-disk.ts";

afterAll(cleanUp);

/** The sentence with which a start ended. */
async function refusal(options: StartOptions): Promise<string> {
  const started = spawnService(options);
  const { exitCode } = await started.ended;
  const stderr = started.stderr();
  expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringMatching(/^[^\n]+\.\n$/) as string });
  // No place in the code: neither a stack nor a file of ours.
  expect(stderr).not.toMatch(/\.ts\b|node:internal|\bat \S+ \(/);
  return stderr;
}

test("a second process on the same file", async () => {
  const databasePath = join(newFolder("second"), "wallet.db");
  const first = await startService({ databasePath });
  expect(await refusal({ databasePath })).toContain(databasePath);
  expect(await readiness(first.address)).toBe(200);
  expect(await first.end("SIGTERM")).toEqual({ exitCode: 0, signal: null });
});

test("a port that another process has", async () => {
  const first = await startService({ databasePath: join(newFolder("port"), "wallet.db") });
  const databasePath = join(newFolder("port"), "wallet.db");
  expect(await refusal({ databasePath, listen: first.address })).toContain(first.address);
  // The refused one has let go of its ledger.
  const second = await startService({ databasePath });
  expect(await first.end("SIGTERM")).toEqual({ exitCode: 0, signal: null });
  expect(await second.end("SIGTERM")).toEqual({ exitCode: 0, signal: null });
});

test("a file that is no database, which stays as it was", async () => {
  const databasePath = join(newFolder("text"), "wallet.db");
  const text = "Dear diary, this is no database.\n".repeat(300);
  writeFileSync(databasePath, text);
  expect(await refusal({ databasePath })).toContain(databasePath);
  expect(readFileSync(databasePath, "utf8")).toBe(text);
});

test("a folder where the file should be", async () => {
  const databasePath = join(newFolder("folder"), "wallet.db");
  mkdirSync(databasePath);
  expect(await refusal({ databasePath })).toContain(databasePath);
});

test("a file where the folder should be", async () => {
  const file = join(newFolder("file"), "file");
  writeFileSync(file, "");
  const databasePath = join(file, "wallet.db");
  expect(await refusal({ databasePath })).toContain(databasePath);
});

test("a folder that cannot be written to", async (context) => {
  // Root may write to any folder; only a mount that is read-only stops it.
  const disk = await smallDisk(context, 1_024, "ro");
  const databasePath = join(disk.folder, "wallet.db");
  expect(await refusal({ databasePath, through: disk.through })).toContain(databasePath);
});

test("a disk without room for a ledger", async (context) => {
  const disk = await smallDisk(context, 1_024);
  disk.fill();
  const databasePath = join(disk.folder, "wallet.db");
  expect(await refusal({ databasePath, through: disk.through })).toContain(databasePath);
  disk.free();
  const service = await startService({ databasePath, through: disk.through });
  expect(await service.end("SIGTERM")).toEqual({ exitCode: 0, signal: null });
});
