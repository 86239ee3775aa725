// A process that verifies the ledger named by its argument, and prints how many operations there were and the most memory that it ever took.

import { verified } from "../support/verified.ts";

const startMs = performance.now();
const { checkedOperations, mismatchCount } = await verified(process.argv[2]!, { idempotencyRetentionMs: 3_600_000 });
const tookMs = Math.round(performance.now() - startMs);
// https://nodejs.org/api/process.html#processresourceusage: maxRSS is in KiB.
console.log(JSON.stringify({ operations: Number(checkedOperations), mismatchCount, tookMs, peakMib: Math.round(process.resourceUsage().maxRSS / 1024) }));
