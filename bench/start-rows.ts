// Row 10: from the start of the process until it is ready, and the memory that it takes.

import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { decimals, spreadText, whole, type Findings, type Verdict } from "./measured.ts";
import type { Plan } from "./plan.ts";
import { newFolder, startWallet } from "./processes.ts";
import { residentMib } from "./processor-time.ts";
import { spreadOf } from "./statistics.ts";

const startTargetMs = 500;
const idleTargetMb = 120;
const loadedTargetMb = 350;

/** From here on an idle process changes nothing more. */
const settleMs = 1_000;

/** `loadedMib` is the memory of the process that rows 1 and 2 loaded. */
export async function measureStart(plan: Plan, loadedMib: { now: number; peak: number }, say: (line: string) => void): Promise<Findings> {
  say(`row 10: ${plan.starts} starts`);
  const readyMs: number[] = [];
  const idleMib: number[] = [];
  for (let start = 0; start < plan.starts; start++) {
    const wallet = await startWallet(join(newFolder(), "wallet.db"));
    readyMs.push(wallet.readyMs);
    await sleep(settleMs);
    idleMib.push(residentMib(wallet.pid).now);
    await wallet.stop();
  }
  const ready = spreadOf(readyMs);
  const idle = spreadOf(idleMib);
  const verdicts: Verdict[] = [
    {
      row: "10",
      what: "start to ready, empty ledger",
      against: "–",
      target: "≤ 0.5 s",
      figure: `${whole(plan.starts)} starts`,
      ratio: spreadText(ready, (ms) => `${decimals(ms / 1000, 2)} s`),
      isMet: ready.median <= startTargetMs,
    },
    memoryVerdict("resident memory, idle", idle.median, spreadText(idle, (mib) => `${whole(mib)} MiB`), idleTargetMb),
    memoryVerdict("resident memory, after the load of rows 1 and 2", loadedMib.now, `${whole(loadedMib.now)} MiB, at its highest ${whole(loadedMib.peak)} MiB`, loadedTargetMb),
  ];
  return { verdicts, tables: [] };
}

function memoryVerdict(what: string, mib: number, figure: string, targetMb: number): Verdict {
  const mb = (mib * 1024 * 1024) / 1_000_000;
  return { row: "10", what, against: "–", target: `≤ ${targetMb} MB`, figure, ratio: `${whole(mb)} MB`, isMet: mb <= targetMb };
}
