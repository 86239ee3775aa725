// Row 10: from the start of the process until it is ready, and the memory that it takes.

import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { decimals, spreadText, whole, type Findings, type Verdict } from "./measured.ts";
import type { Plan } from "./plan.ts";
import { newFolder, startWallet } from "./processes.ts";
import { memoryOf, threadTimes, type Memory } from "./processor-time.ts";
import { startParts, startText, type StartParts } from "./start-parts.ts";
import { spreadOf } from "./statistics.ts";

const startTargetMs = 500;
const idleTargetMb = 120;
const loadedTargetMb = 350;

/** From here on an idle process changes nothing more. */
const settleMs = 1_000;

/** `loaded` is the memory of the process that rows 1 and 2 loaded, unless they were left out. */
export async function measureStart(plan: Plan, loaded: Memory | undefined, say: (line: string) => void): Promise<Findings> {
  say(`row 10: ${plan.starts} starts`);
  const readyMs: number[] = [];
  const idleMib: number[] = [];
  const ownMib: number[] = [];
  const parts: StartParts[] = [];
  for (let start = 0; start < plan.starts; start++) {
    const wallet = await startWallet(join(newFolder(), "wallet.db"));
    const threads = threadTimes(wallet.pid);
    readyMs.push(wallet.readyMs);
    await sleep(settleMs);
    const memory = memoryOf(wallet.pid);
    idleMib.push(memory.residentMib);
    ownMib.push(memory.ownMib);
    await wallet.stop();
    parts.push(await startParts(threads));
  }
  const ready = spreadOf(readyMs);
  const idle = spreadOf(idleMib);
  const idleText = `A process that has done nothing yet has ${whole(idle.median)} MiB resident, of which ${whole(spreadOf(ownMib).median)} MiB are its own (heaps, code and stacks of its threads, SQLite's caches) and the rest is mapped from files: Node itself and the shared libraries.`;
  const verdicts: Verdict[] = [
    {
      row: "10",
      what: "start to ready, empty ledger",
      against: "–",
      target: "≤ 0.5 s",
      figure: `${whole(plan.starts)} starts`,
      ratio: spreadText(ready, (ms) => `${decimals(ms / 1000, 2)} s`),
      isMet: ready.median <= startTargetMs,
      binding: startText(parts),
    },
    { ...memoryVerdict("resident memory, idle", idle.median, spreadText(idle, (mib) => `${whole(mib)} MiB`), idleTargetMb), binding: idleText },
  ];
  if (loaded !== undefined) {
    const { residentMib, residentPeakMib } = loaded;
    verdicts.push(memoryVerdict("resident memory, after the load of rows 1 and 2", residentMib, `${whole(residentMib)} MiB, at its highest ${whole(residentPeakMib)} MiB`, loadedTargetMb));
  }
  return { verdicts, tables: [] };
}

function memoryVerdict(what: string, mib: number, figure: string, targetMb: number): Verdict {
  const mb = (mib * 1024 * 1024) / 1_000_000;
  return { row: "10", what, against: "–", target: `≤ ${targetMb} MB`, figure, ratio: `${whole(mb)} MB`, isMet: mb <= targetMb };
}
