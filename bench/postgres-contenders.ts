// Row 8's contenders: the obvious service, and this one with one partition and with several, as one server and as several on the same ledger.

import type { BatchLoadOrder, BatchLoadReport } from "./batch-load.ts";
import { checkReport, checkSample, type Load } from "./call-contenders.ts";
import { fillObviousTables, fillPostgresLedger } from "./filled-postgres.ts";
import type { LoadReport } from "./load.ts";
import { whole } from "./measured.ts";
import type { Plan } from "./plan.ts";
import type { PostgresServer } from "./postgres-server.ts";
import { placeOf, startContender, startPostgresWallet, type Helper, type Server } from "./processes.ts";
import type { Popularity } from "./wallet-picker.ts";

export const unaryInFlight = 64;
export const batchLength = 1_000;
export const batchesInFlight = 4;

/** A sealed record's hash is that of SHA-256; the obvious service seals nothing. */
const [sealedHashBytes, noHashBytes] = [32, 0];

export const popularities: readonly Popularity[] = ["uniform", "zipf"];

/** The servers of one database that take a share of the load each. */
export interface Deployment {
  readonly name: string;
  /** Of its ledger; the obvious service has none. */
  readonly partitions: number;
  readonly servers: readonly Server[];
  readonly unary: Readonly<Record<Popularity, LoadReport[]>>;
  readonly batched: Readonly<Record<Popularity, BatchLoadReport[]>>;
}

export interface Deployments {
  readonly obvious: Deployment;
  readonly ours: readonly Deployment[];
  stop(): Promise<void>;
}

/** Fills their databases and starts all servers, which stay for the whole row: what does nothing costs nothing. */
export async function startDeployments(postgres: PostgresServer, { wallets, partitionCounts, serverCounts }: Plan & Plan["postgres"], say: (line: string) => void): Promise<Deployments> {
  say(`row 8: filling the obvious service's tables with ${whole(wallets)} wallets`);
  const obviousUrl = await postgres.newDatabase();
  await fillObviousTables(obviousUrl, wallets);
  const obvious = deployment("the obvious service", 0, [await startContender("obvious-postgres", obviousUrl)]);
  const ours: Deployment[] = [];
  for (const partitions of partitionCounts) {
    say(`row 8: filling a ledger of ${partitions} partitions with ${whole(wallets)} wallets`);
    const url = await postgres.newDatabase();
    await fillPostgresLedger(url, wallets, partitions);
    const servers: Server[] = [];
    for (let count = 0; count < Math.max(...serverCounts); count++) servers.push(await startPostgresWallet(url));
    for (const count of serverCounts) ours.push(deployment(`${counted(partitions, "partition")}, ${counted(count, "server")}`, partitions, servers.slice(0, count)));
  }
  const all = new Set([obvious, ...ours].flatMap(({ servers }) => servers));
  return { obvious, ours, stop: async () => void (await Promise.all([...all].map((server) => server.stop()))) };
}

/** One turn of unary calls. Throws where one fails, or where the answer is not that of a new operation. */
export async function runUnary(load: Load, { name, partitions, servers }: Deployment, popularity: Popularity, { wallets, warmUpMs, measureMs }: Plan, databasePid: number): Promise<LoadReport> {
  const report = await load.ask({ protocol: "grpc", servers: servers.map(placeOf), databasePid, method: "AddMoney", wallets, popularity, inFlight: unaryInFlight, warmUpMs, measureMs });
  checkReport(name, report);
  checkSample("grpc", "AddMoney", report.sample, partitions > 0 ? sealedHashBytes : noHashBytes);
  return report;
}

/** One turn of so many batches; the load looks at every result. */
export async function runBatches(load: Helper<BatchLoadOrder, BatchLoadReport>, { servers }: Deployment, popularity: Popularity, wallets: number, batches: number, databasePid: number): Promise<BatchLoadReport> {
  const content = { type: "additions", popularity } as const;
  return load.ask({ servers: servers.map(placeOf), databasePid, wallets, batches, batchLength, inFlight: batchesInFlight, withKeys: true, content });
}

function deployment(name: string, partitions: number, servers: readonly Server[]): Deployment {
  return { name, partitions, servers, unary: { uniform: [], zipf: [] }, batched: { uniform: [], zipf: [] } };
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
