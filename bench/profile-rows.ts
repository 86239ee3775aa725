// Where a call's time goes: the service under Node's profiler, once with unary calls and once with batches.

import type { BatchLoadOrder } from "./batch-load.ts";
import type { BatchReport } from "./batch-report.ts";
import { filledLedger } from "./filled-ledger.ts";
import type { LoadOrder, LoadReport } from "./load.ts";
import { percent, whole, type Findings, type ProfiledLoad } from "./measured.ts";
import type { Plan } from "./plan.ts";
import { newFolder, startHelper, startProfiledWallet, type Server } from "./processes.ts";
import { areas, readProfiles, type ThreadProfile, type Window } from "./profile.ts";

export const unaryInFlight = 64;
const batch = { batchLength: 1_000, inFlight: 4, withKeys: true, content: { type: "additions" } } as const;

/** Of a thread's areas so many are named where a row is missed. */
const areasNamed = 4;

type Profiles = Readonly<Record<ProfiledLoad, readonly ThreadProfile[]>>;

export async function measureProfile(plan: Plan, say: (line: string) => void): Promise<Findings> {
  say("profile: unary calls");
  const unary = await profiled(plan, (server) => unaryLoad(plan, server));
  say("profile: batches");
  const batches = await profiled(plan, (server) => batchLoad(plan, server));
  const profiles: Profiles = { unary, batches };
  const columns = [...unary.map(({ thread }) => `AddMoney: ${thread}`), ...batches.map(({ thread }) => `ExecuteBatch: ${thread}`)];
  const threads = [...unary, ...batches];
  return {
    verdicts: [],
    tables: [
      {
        title: "Where the time goes",
        columns: ["area", ...columns],
        rows: areas.map((area) => [area, ...threads.map(({ shares }) => percent(shares.get(area)!))]),
        notes: [
          `Shares of each thread's time by the clock, waits for the disk included, as Node's profiler sampled it every millisecond: durable AddMoney over gRPC with ${unaryInFlight} in flight, and ExecuteBatch of ${whole(batch.batchLength)} with keys, ${batch.inFlight} in flight. ` +
            "A function of Node's own counts for whoever called it. The profiler itself slows the service down a little; no other figure on this page was taken under it.",
        ],
      },
    ],
    profiles: { unary: summary(profiles.unary), batches: summary(profiles.batches) },
  };
}

async function profiled(plan: Plan, load: (server: Server) => Promise<Window>): Promise<ThreadProfile[]> {
  const folder = newFolder();
  const server = await startProfiledWallet(await filledLedger(plan.wallets), folder);
  const window = await load(server);
  await server.stop();
  return readProfiles(folder, window);
}

/** AddMoney, after a warm-up. */
export async function unaryLoad({ wallets, warmUpMs, profileMs }: Plan, { port, pid }: Server): Promise<Window> {
  const load = startHelper<LoadOrder, LoadReport>("bench/load.ts");
  const order = { protocol: "grpc", servers: [{ port, pid }], method: "AddMoney", wallets, inFlight: unaryInFlight, warmUpMs: 0 } as const;
  await load.ask({ ...order, measureMs: warmUpMs });
  const window = await windowOf(() => load.ask({ ...order, measureMs: profileMs }));
  load.stop();
  return window;
}

async function batchLoad({ wallets, batchesARound }: Plan, { port, pid }: Server): Promise<Window> {
  const load = startHelper<BatchLoadOrder, BatchReport>("bench/batch-load.ts");
  const order = { servers: [{ port, pid }], wallets, ...batch };
  await load.ask({ ...order, batches: Math.ceil(batchesARound / 5) });
  const window = await windowOf(() => load.ask({ ...order, batches: batchesARound }));
  load.stop();
  return window;
}

async function windowOf(work: () => Promise<unknown>): Promise<Window> {
  const fromUs = nowUs();
  await work();
  return { fromUs, untilUs: nowUs() };
}

export function nowUs(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

/** The largest areas of each thread, in words. */
function summary(threads: readonly ThreadProfile[]): string {
  return threads
    .map(({ thread, shares }) => {
      const largest = [...shares].toSorted(([, a], [, b]) => b - a).slice(0, areasNamed);
      return `${thread}: ${largest.map(([area, share]) => `${area} ${percent(share)}`).join(", ")}`;
    })
    .join("; ");
}
