// What an operation adds to the counters of its wallets and of their currencies.

import type { Effect } from "./decision.ts";
import { returnedMinor, type Hold } from "./hold.ts";
import { counted, type TotalKind, type Totals } from "./totals.ts";

/** One operation more of this kind, and how much it moved in minor units. */
export type Count = readonly [kind: TotalKind, amountMinor: bigint];

/** What is counted in the wallet that the operation is about. */
export function countsOf({ kind, amountMinor, hold }: Pick<Effect, "kind" | "amountMinor" | "hold">): readonly Count[] {
  switch (kind) {
    case "ADD":
      return [["adds", amountMinor]];
    case "HOLD":
      return [["holds", amountMinor]];
    case "RELEASE":
      return [["releases", amountMinor]];
    case "REVERSE":
      return [["reversals", amountMinor]];
    case "CAPTURE":
      return [["captures", amountMinor], ...countsOfCapturedHold(hold!)];
    case "WITHDRAW":
      return [["withdrawals", amountMinor]];
    case "TRANSFER":
      return [["transfersOut", amountMinor]];
    case "INIT":
    case "EXTEND":
    case "FREEZE":
    case "UNFREEZE":
    case "CLOSE":
    case "SET_LIMITS":
      return [];
    default:
      return kind satisfies never;
  }
}

/** The totals with all that an operation counts. */
export function withCounts(totals: Totals, counts: readonly Count[]): Totals {
  return counts.reduce((sum, [kind, amountMinor]) => counted(sum, kind, amountMinor), totals);
}

/** What is counted in the wallet that receives: to it a capture into it is a transfer like any other. */
export function countsOfReceiver(amountMinor: bigint): readonly Count[] {
  return [["transfersIn", amountMinor]];
}

function countsOfCapturedHold(hold: Hold): readonly Count[] {
  if (hold.status !== "CAPTURED") return [];
  const returned = returnedMinor(hold);
  return [["capturedHolds", hold.capturedMinor], ...(returned === 0n ? [] : [["captureReturns", returned] as const])];
}
