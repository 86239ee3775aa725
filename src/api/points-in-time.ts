// Points in time and periods of requests, on the ledger's clock, which counts nothing shorter than milliseconds: exactly the operations that they include, and no others.

import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type { GetWalletBalanceRequest } from "../../gen/wallet/v1/report_service_pb.ts";
import { birthplaceOf } from "../domain/journal.ts";
import type { JournalPoint, Period, Reads } from "../store/store.ts";
import { invalidField } from "./errors.ts";
import { rejectionError } from "./sentences.ts";

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
  const startTimeMs = request.startTime && firstMsFrom("start_time", request.startTime);
  const endTimeMs = request.endTime && firstMsFrom("end_time", request.endTime);
  if (startTimeMs !== undefined && endTimeMs !== undefined && startTimeMs > endTimeMs) throw invalidField("start_time", "must not be after end_time");
  return { startTimeMs, endTimeMs };
}

/** The point of the journal that a balance is asked for; undefined for now. Throws INVALID_REQUEST for the future, and OPERATION_NOT_FOUND. */
export async function pointOf(reads: Reads, asOf: GetWalletBalanceRequest["asOf"]): Promise<JournalPoint | undefined> {
  switch (asOf.case) {
    case "asOfTime": {
      const timeMs = lastMsUntil("as_of_time", asOf.value);
      if (timeMs > (await reads.nowMs())) throw invalidField("as_of_time", "is in the future; what will be then is not known");
      return { timeMs };
    }
    case "asOfOperationId": {
      const operationId = asOf.value;
      if ((await reads.operation(operationId)) === undefined) throw rejectionError({ reason: "OPERATION_NOT_FOUND", operationId }, false);
      return { sequence: birthplaceOf(operationId).sequence };
    }
    default:
      return undefined;
  }
}

function secondsMs(field: string, { seconds, nanos }: Timestamp): number {
  const isTime = seconds >= secondsMin && seconds <= secondsMax && nanos >= 0 && nanos <= nanosMax;
  if (!isTime) throw invalidField(field, "must be a time between the years 1 and 9999");
  return Number(seconds) * 1_000;
}
