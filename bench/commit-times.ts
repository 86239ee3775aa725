// How long a bare commit takes: a process of its own that inserts one row after another into a file, each synced to disk. It takes orders from open-loop-rows.ts.

import { openBareCommit } from "./servers/bare-commit.ts";
import { percentile } from "./statistics.ts";

export interface CommitOrder {
  readonly databasePath: string;
  readonly measureMs: number;
}

export interface CommitReport {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
}

function run({ databasePath, measureMs }: CommitOrder): CommitReport {
  const commit = openBareCommit(databasePath);
  const times: number[] = [];
  const startMs = performance.now();
  let nowMs = startMs;
  while (nowMs - startMs < measureMs) {
    commit("user-0000001");
    const doneMs = performance.now();
    times.push(doneMs - nowMs);
    nowMs = doneMs;
  }
  const sorted = times.toSorted((a, b) => a - b);
  return { perSecond: (1000 * times.length) / (nowMs - startMs), p50Ms: percentile(sorted, 0.5), p99Ms: percentile(sorted, 0.99), p999Ms: percentile(sorted, 0.999) };
}

process.on("message", (order: CommitOrder) => {
  try {
    process.send!({ report: run(order) });
  } catch (error) {
    process.send!({ error: String(error) });
  }
});
process.on("disconnect", () => process.exit(0));
