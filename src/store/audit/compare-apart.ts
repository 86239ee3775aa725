// Operations whose wallets are in two partitions: each of the two journals has a record of them, and both say the same. So no money is lost on the way.

import type { Mismatches } from "../../domain/audit/mismatch.ts";
import { belowEveryKey, type Scratch } from "./audit.ts";
import type { Comparison } from "./comparison.ts";

/** Operations that one step tells: as many as are kept in all. */
const toldMax = 1_000n;

/** To be made in snapshots of which every partition's records were replayed. */
export function apartComparison(scratch: Scratch, mismatches: Mismatches): Comparison {
  let after = belowEveryKey;
  return async () => {
    const unmatched = scratch.unmatched(after, toldMax);
    for (const { operationId, missing } of unmatched) {
      const subject = `operation ${operationId}, between two partitions`;
      if (missing === undefined) mismatches.add({ subject, expected: "two records that say the same", actual: "two that contradict each other" });
      else mismatches.add({ subject, expected: `a record in the ${missing === "PAYER" ? "payer's" : "receiver's"} partition`, actual: "none" });
    }
    after = unmatched.at(-1)?.operationId ?? after;
    return BigInt(unmatched.length) < toldMax;
  };
}
