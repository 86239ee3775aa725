// The loads under which the service is profiled: one for each way in which calls spend their time.

import type { BatchLoadOrder, BatchLoadReport } from "./batch-load.ts";
import { checkReport, checkSample } from "./call-contenders.ts";
import type { LoadOrder, LoadReport } from "./load.ts";
import { whole, type ProfiledLoad } from "./measured.ts";
import type { Plan } from "./plan.ts";
import { placeOf, startHelper, type Server } from "./processes.ts";
import type { Window } from "./profile.ts";

export const unaryInFlight = 64;
const batch = { batchLength: 1_000, inFlight: 4, withKeys: true, content: { type: "additions" } } as const;

export interface LoadToProfile {
  readonly name: string;
  readonly engine: "SQLite" | "PostgreSQL";
  /** Puts the load on a server, after a warm-up, and tells when it lasted. Throws where a call fails. */
  run(plan: Plan, server: Server): Promise<Window>;
}

/** In the order in which they are told. */
export const loadsToProfile: Readonly<Record<ProfiledLoad, LoadToProfile>> = {
  addMoney: unary("SQLite", { protocol: "grpc", method: "AddMoney", inFlight: unaryInFlight }),
  holdMoney: unary("SQLite", { protocol: "grpc", method: "HoldMoney", inFlight: unaryInFlight }),
  json: unary("SQLite", { protocol: "connect over HTTP/1.1", method: "AddMoney", inFlight: unaryInFlight }),
  oneInFlight: unary("SQLite", { protocol: "grpc", method: "AddMoney", inFlight: 1 }),
  batches: batches("SQLite"),
  postgresAddMoney: unary("PostgreSQL", { protocol: "grpc", method: "AddMoney", inFlight: unaryInFlight }),
  postgresBatches: batches("PostgreSQL"),
};

export const profiledLoads = Object.keys(loadsToProfile) as ProfiledLoad[];

/** What their names leave out. */
export const loadsNote = `Calls go over gRPC, or as JSON over Connect and HTTP/1.1; ExecuteBatch has ${whole(batch.batchLength)} operations with keys, ${batch.inFlight} in flight. On PostgreSQL it is one server on one partition.`;

type Calls = Pick<LoadOrder, "protocol" | "method" | "inFlight">;

function unary(engine: LoadToProfile["engine"], calls: Calls): LoadToProfile {
  const name = `${calls.method}${calls.protocol === "grpc" ? "" : " as JSON"}, ${calls.inFlight} in flight`;
  return { name: on(engine, name), engine, run: (plan, server) => runUnary(calls, plan, server) };
}

function batches(engine: LoadToProfile["engine"]): LoadToProfile {
  return { name: on(engine, "ExecuteBatch"), engine, run: runBatches };
}

function on(engine: LoadToProfile["engine"], name: string): string {
  return engine === "SQLite" ? name : `${engine}: ${name}`;
}

async function runUnary(calls: Calls, { wallets, warmUpMs, profileMs }: Plan, server: Server): Promise<Window> {
  const load = startHelper<LoadOrder, LoadReport>("bench/load.ts");
  const run = async (measureMs: number): Promise<void> => {
    const report = await load.ask({ ...calls, servers: [placeOf(server)], wallets, warmUpMs: 0, measureMs });
    checkReport(server.name, report);
    checkSample(calls.protocol, calls.method, report.sample);
  };
  await run(warmUpMs);
  const window = await windowOf(() => run(profileMs));
  load.stop();
  return window;
}

async function runBatches({ wallets, batchesARound }: Plan, server: Server): Promise<Window> {
  const load = startHelper<BatchLoadOrder, BatchLoadReport>("bench/batch-load.ts");
  const order = { servers: [placeOf(server)], wallets, ...batch };
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
