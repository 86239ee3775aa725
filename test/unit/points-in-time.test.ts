// Times finer than the ledger's clock include exactly the milliseconds that they should, and what is no time is refused.

import { create } from "@bufbuild/protobuf";
import { TimestampSchema, type Timestamp } from "@bufbuild/protobuf/wkt";
import type { ConnectError } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { reasonOf } from "../../src/api/faults.ts";
import { lastMsUntil, periodOf } from "../../src/api/points-in-time.ts";

const time = (seconds: bigint, nanos = 0): Timestamp => create(TimestampSchema, { seconds, nanos });
const reasonFor = (read: () => unknown): string | undefined => {
  try {
    return `read as ${String(read())}`;
  } catch (error) {
    return reasonOf(error as ConnectError);
  }
};

describe("a time between two milliseconds", () => {
  test.each([
    [0, 5_000, 5_000],
    [1, 5_000, 5_001],
    [999_999, 5_000, 5_001],
    [1_000_000, 5_001, 5_001],
    [999_999_999, 5_999, 6_000],
  ])("5 s and %i ns", (nanos, last, first) => {
    expect(lastMsUntil("as_of_time", time(5n, nanos))).toBe(last);
    expect(periodOf({ startTime: time(5n, nanos) })).toEqual({ startTimeMs: first, endTimeMs: undefined });
    expect(periodOf({ endTime: time(5n, nanos) })).toEqual({ startTimeMs: undefined, endTimeMs: first });
  });

  test("before 1970", () => {
    expect(lastMsUntil("as_of_time", time(-1n, 999_999_999))).toBe(-1);
    expect(periodOf({ startTime: time(-1n, 1) }).startTimeMs).toBe(-999);
  });
});

test("a period may be empty, and may not end before it begins", () => {
  expect(periodOf({ startTime: time(5n), endTime: time(5n) })).toEqual({ startTimeMs: 5_000, endTimeMs: 5_000 });
  expect(reasonFor(() => periodOf({ startTime: time(5n, 1), endTime: time(5n) }))).toBe("INVALID_REQUEST");
  // Within one millisecond too.
  expect(reasonFor(() => periodOf({ startTime: time(5n, 2), endTime: time(5n, 1) }))).toBe("INVALID_REQUEST");
});

test.each([
  [-62_135_596_801n, 0],
  [253_402_300_800n, 0],
  [2n ** 63n - 1n, 0],
  [-(2n ** 63n), 0],
  [0n, -1],
  [0n, 1_000_000_000],
])("%i s and %i ns is no time", (seconds, nanos) => {
  expect(reasonFor(() => lastMsUntil("as_of_time", time(seconds, nanos)))).toBe("INVALID_REQUEST");
  expect(reasonFor(() => periodOf({ startTime: time(seconds, nanos) }))).toBe("INVALID_REQUEST");
});
