// A profile's samples count for the area of whatever was running, or of whoever called it, and only while the load lasted.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { occupiedOf, readProfiles } from "../../bench/profile.ts";

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "wallet-profile-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const node = (id: number, functionName: string, url: string, children: number[] = []): object => ({ id, callFrame: { functionName, url }, children });

/** The profile of a thread, 0 the main one: ten microseconds a sample. */
function write(threadId: number, startTime: number, nodes: readonly object[], samples: readonly number[]): void {
  writeFileSync(join(folder, `CPU.20260101.120000.77.${threadId}.00${threadId + 1}.cpuprofile`), JSON.stringify({ nodes, startTime, samples, timeDeltas: samples.map(() => 10) }));
}

test("samples are counted by area, thread by thread, within the window", () => {
  const nodes = [
    node(1, "(root)", "", [2, 3, 5, 6]),
    node(2, "(idle)", ""),
    node(3, "write", "file:///x/node_modules/pino/lib/proto.js", [4]),
    node(4, "writeString", ""),
    node(5, "transact", "file:///x/src/store/sqlite/sqlite-store.ts"),
    node(6, "start", "file:///x/src/writer.ts"),
  ];
  // The first and the last of them lie outside.
  write(1, 1_000, nodes, [3, 2, 4, 5, 5, 3]);
  write(0, 1_000, nodes, [2, 2, 2, 2, 2, 2]);
  // Begun when the load was over.
  write(2, 9_000, nodes, [3, 2, 4, 5, 5, 3]);

  const [main, writer, ...others] = readProfiles(folder, { fromUs: 1_015, untilUs: 1_055 });
  expect(others).toEqual([]);
  expect([main!.thread, writer!.thread]).toEqual(["main thread", "writer thread"]);
  expect(main!.shares.get("idle")).toBe(1);
  expect(Object.fromEntries([...writer!.shares].filter(([, share]) => share > 0))).toEqual({ "the log line": 0.25, "COMMIT and its sync": 0.5, idle: 0.25 });
});

test("a thread is idle before it begins", () => {
  const nodes = [node(1, "(root)", "", [2, 3]), node(2, "(idle)", ""), node(3, "(garbage collector)", "")];
  write(0, 1_000, nodes, [3, 3, 3, 3]);
  write(1, 1_030, nodes, [3]);
  expect(readProfiles(folder, { fromUs: 1_000, untilUs: 1_040 }).map(occupiedOf)).toEqual([1, 0.25]);
});

test("PostgreSQL's driver is told apart from the store, and its commits are no sync of a thread's own", () => {
  const nodes = [
    node(1, "(root)", "", [2, 3, 4]),
    node(2, "parse", "file:///x/node_modules/pg-protocol/dist/parser.js"),
    node(3, "commit", "file:///x/src/store/postgres/commit.ts"),
    node(4, "query", "file:///x/node_modules/pg/lib/client.js"),
  ];
  write(0, 1_000, nodes, [2, 3, 4, 4]);
  const [main] = readProfiles(folder, { fromUs: 1_000, untilUs: 1_040 });
  expect(Object.fromEntries([...main!.shares].filter(([, share]) => share > 0))).toEqual({ "the store's statements": 0.25, "PostgreSQL's driver": 0.75 });
});
