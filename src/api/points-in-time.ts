// Points in time and periods of requests, on the ledger's clock, which counts nothing shorter than milliseconds: exactly the operations that they include, and no others.

import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type { Period } from "../store/store.ts";
import { invalidField } from "./errors.ts";

const nanosPerMs = 1_000_000;

/** protobuf's Timestamp: 0001-01-01T00:00:00Z to 9999-12-31T23:59:59.999999999Z. */
const secondsMin = -62_135_596_800n;
const secondsMax = 253_402_300_799n;
const nanosMax = 999_999_999;

/** The last millisecond that is not after this time. Throws INVALID_REQUEST for what is no time. */
export function lastMsUntil(field: string, time: Timestamp): number {
  return secondsMs(field, time) + Math.floor(time.nanos / nanosPerMs);
}

/** The first millisecond that is not before this time: `ms >= it` and `time >= the Timestamp` mean the same, and so do `<`. */
function firstMsFrom(field: string, time: Timestamp): number {
  return secondsMs(field, time) + Math.ceil(time.nanos / nanosPerMs);
}

/** From `start_time` on, until before `end_time`. Throws INVALID_REQUEST where it ends before it begins. */
export function periodOf(request: { startTime?: Timestamp | undefined; endTime?: Timestamp | undefined }): Period {
  const { startTime, endTime } = request;
  const startTimeMs = startTime && firstMsFrom("start_time", startTime);
  const endTimeMs = endTime && firstMsFrom("end_time", endTime);
  if (startTime !== undefined && endTime !== undefined && isAfter(startTime, endTime)) throw invalidField("start_time", "must not be after end_time");
  return { startTimeMs, endTimeMs };
}

function isAfter(a: Timestamp, b: Timestamp): boolean {
  return a.seconds === b.seconds ? a.nanos > b.nanos : a.seconds > b.seconds;
}

function secondsMs(field: string, { seconds, nanos }: Timestamp): number {
  const isTime = seconds >= secondsMin && seconds <= secondsMax && nanos >= 0 && nanos <= nanosMax;
  if (!isTime) throw invalidField(field, "must be a time between the years 1 and 9999");
  return Number(seconds) * 1_000;
}
