// How often and how long V8 stops the service's threads to collect garbage, under unary calls.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { filledLedger } from "./filled-ledger.ts";
import { parsePauses, pausesByThread } from "./gc-trace.ts";
import { decimals, type Findings } from "./measured.ts";
import type { Plan } from "./plan.ts";
import { newFolder, startTracedWallet } from "./processes.ts";
import { loadsToProfile, nowUs, unaryInFlight } from "./profiled-loads.ts";
import { percentile } from "./statistics.ts";

export async function measureGarbage(plan: Plan, say: (line: string) => void): Promise<Findings> {
  say("profile: garbage collection");
  const tracePath = join(newFolder(), "gc.txt");
  const databasePath = await filledLedger(plan.wallets);
  const spawnUs = nowUs();
  const server = await startTracedWallet(databasePath, tracePath);
  const { fromUs, untilUs } = await loadsToProfile.addMoney.run(plan, server);
  await server.stop();
  // The main isolate is made some hundredths of a second after the spawn, which among seconds is nothing.
  const byThread = pausesByThread(parsePauses(readFileSync(tracePath, "utf8")), { fromMs: (fromUs - spawnUs) / 1000, untilMs: (untilUs - spawnUs) / 1000 });
  const seconds = (untilUs - fromUs) / 1_000_000;
  return {
    verdicts: [],
    tables: [
      {
        title: "Garbage collection",
        columns: ["thread", "pauses a second", "median ms", "p99 ms", "longest ms", "of the time"],
        rows: [...byThread].map(([thread, pauses]) => [thread, ...figures(pauses, seconds)]),
        notes: [
          `What V8 writes with --trace-gc, on a run of its own: durable AddMoney over gRPC with ${unaryInFlight} in flight. A pause is by the clock, so that it is longer where the thread, or one of V8's that help it, waits for a processor. ` +
            "Of marking in steps the largest step counts as a pause of its own.",
        ],
      },
    ],
  };
}

function figures(pauses: readonly number[], seconds: number): string[] {
  const sorted = pauses.toSorted((a, b) => a - b);
  const told = sorted.length === 0 ? ["–", "–", "–"] : [percentile(sorted, 0.5), percentile(sorted, 0.99), sorted.at(-1)!].map((ms) => decimals(ms, 2));
  return [decimals(sorted.length / seconds, 1), ...told, `${decimals((sorted.reduce((sum, ms) => sum + ms, 0) / 1000 / seconds) * 100, 1)} %`];
}
