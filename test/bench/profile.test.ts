// A profile's samples count for the area of whatever was running, or of whoever called it, and only while the load lasted.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { readProfiles } from "../../bench/profile.ts";

const folder = mkdtempSync(join(tmpdir(), "wallet-profile-"));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("samples are counted by area, thread by thread, within the window", () => {
  const node = (id: number, functionName: string, url: string, children: number[] = []): object => ({ id, callFrame: { functionName, url }, children });
  const nodes = [
    node(1, "(root)", "", [2, 3, 5, 6]),
    node(2, "(idle)", ""),
    node(3, "write", "file:///x/node_modules/pino/lib/proto.js", [4]),
    node(4, "writeString", ""),
    node(5, "transact", "file:///x/src/store/sqlite/sqlite-store.ts"),
    node(6, "start", "file:///x/src/writer.ts"),
  ];
  // Ten microseconds each; the first and the last lie outside.
  const samples = [3, 2, 4, 5, 5, 3];
  const profile = { nodes, startTime: 1_000, samples, timeDeltas: samples.map(() => 10) };
  writeFileSync(join(folder, "CPU.20260101.120000.77.1.002.cpuprofile"), JSON.stringify(profile));
  writeFileSync(join(folder, "CPU.20260101.120000.77.0.001.cpuprofile"), JSON.stringify({ ...profile, samples: [2, 2, 2, 2, 2, 2] }));

  // Begun when the load was over.
  writeFileSync(join(folder, "CPU.20260101.120000.77.2.003.cpuprofile"), JSON.stringify({ ...profile, startTime: 9_000 }));

  const [main, writer, ...others] = readProfiles(folder, { fromUs: 1_015, untilUs: 1_055 });
  expect(others).toEqual([]);
  expect([main!.thread, writer!.thread]).toEqual(["main thread", "writer thread"]);
  expect(main!.shares.get("idle")).toBe(1);
  expect(Object.fromEntries([...writer!.shares].filter(([, share]) => share > 0))).toEqual({ "the log line": 0.25, "COMMIT and its sync": 0.5, idle: 0.25 });
});
