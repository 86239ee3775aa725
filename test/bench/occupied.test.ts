// A thread counts as occupied whether it computes or stands still for the disk.

import { expect, test } from "vitest";
import { occupationsText, occupiedText } from "../../bench/occupied.ts";
import { areas, type Area, type ThreadProfile } from "../../bench/profile.ts";

function profile(thread: string, shares: Partial<Record<Area, number>>): ThreadProfile {
  return { thread, shares: new Map(areas.map((area) => [area, shares[area] ?? 0])) };
}

const main = profile("main thread", { "HTTP, sockets and streams": 0.4, protobuf: 0.1, idle: 0.5 });
const checkpointer = profile("checkpointer", { "the store's statements": 0.03, idle: 0.97 });

test("a thread that waits for the disk most of the time is occupied nearly all the time", () => {
  const writer = profile("writer thread", { "COMMIT and its sync": 0.6, "the store's statements": 0.2, deciding: 0.05, "garbage collection": 0.01, idle: 0.14 });
  expect(occupiedText([main, writer, checkpointer])).toBe("one thread occupied nearly all the time, working or waiting for the disk or a processor: writer thread 86 %; the others: main thread 50 %");
});

test("where every thread is idle for a while, none of them is", () => {
  const writer = profile("writer thread", { "COMMIT and its sync": 0.6, idle: 0.4 });
  expect(occupiedText([main, writer])).toBe("no thread occupied nearly all the time: writer thread 60 %, main thread 50 %");
});

test("the largest areas of each thread are named, the busiest thread first, and none that does nothing", () => {
  const writer = profile("writer thread", { "COMMIT and its sync": 0.5, "the store's statements": 0.2, deciding: 0.05, "messages between threads": 0.04, "garbage collection": 0.01, idle: 0.2 });
  expect(occupationsText([main, writer, checkpointer])).toBe(
    "writer thread: COMMIT and its sync 50 %, the store's statements 20 %, deciding 5 %, messages between threads 4 %; main thread: HTTP, sockets and streams 40 %, protobuf 10 %",
  );
});
