// Several servers on one PostgreSQL ledger under load, and everything that callers and watchers were told: no fault may make it untrue.

import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { WalletService } from "../../../gen/wallet/v1/wallet_service_pb.ts";
import { grpcClient, type GrpcClient } from "../grpc-client.ts";
import type { Intention } from "../intentions.ts";
import { reconcileLines } from "../journal-file.ts";
import { randomFrom, seed } from "../random.ts";
import { startService, type ServiceProcess } from "../service-process.ts";
import { missing, settle } from "../settle.ts";
import { sumOfWallets, verify } from "../sums.ts";
import { ToldBook } from "../told.ts";
import { startWatcher, type Watcher } from "../watcher.ts";
import { Workload, type WorkloadOptions } from "../workload.ts";
import { apartCount, halfOperations, operationLines } from "./journal-tables.ts";
import { SeenPartitions, type PartitionLine } from "../seen-partitions.ts";

const serverCount = 3;
/** Of a new ledger, unless said otherwise. */
const partitionsUsual = 8;
const inFlightEach = 12;
/** Those that were answered last are the ones that a fault could lose; of the others the tables are asked at the end. */
const askedAfterFaults = 150;
/** After an answer that says "later" a caller waits so long, in milliseconds. */
const laterMs = 50;
const strangerCount = 100;
/** How long the servers have to serve again once the faults are over, in milliseconds; nothing is asserted about less. */
const servingTimeoutMs = 300_000;

export interface TrialOptions {
  /** The ledger's database, for who looks past the service. */
  readonly databaseUrl: string;
  /** What each server reaches it by; the same unless said otherwise. */
  readonly serverUrls?: readonly string[];
  readonly partitions?: number;
  readonly flags?: readonly string[];
  readonly workload?: WorkloadOptions;
}

export class Trial {
  readonly told = new ToldBook();
  readonly random = randomFrom(seed);
  readonly workload: Workload;
  readonly figures = { acknowledged: 0, unknown: 0, unknownThatHadBeenDecided: 0, undone: 0 };
  /** Restarted ones take their predecessors' places. */
  readonly servers: ServiceProcess[] = [];
  readonly #options: TrialOptions;
  readonly #watchers: { readonly watcher: Watcher; readonly seen: SeenPartitions }[] = [];
  readonly #serverOf = new WeakMap<GrpcClient, number>();

  private constructor(options: TrialOptions) {
    this.#options = options;
    this.workload = new Workload(this.random, { releasePermille: 5, ...options.workload });
  }

  /** Starts the servers at once on the ledger, which one of them makes, and a watcher of each from the ledger's start. */
  static async start(options: TrialOptions): Promise<Trial> {
    const trial = new Trial(options);
    trial.servers.push(...(await Promise.all(Array.from({ length: serverCount }, (_, index) => startService(trial.#startOptions(index))))));
    for (const { address } of trial.servers) trial.#watch(address);
    return trial;
  }

  /** How many calls have been decided so far, as their callers know. */
  get answers(): number {
    return this.figures.acknowledged + this.workload.acknowledged.length;
  }

  /** Starts a server anew in place of one that has ended, on its address. */
  async restart(index: number): Promise<void> {
    this.servers[index] = await startService({ ...this.#startOptions(index), listen: this.servers[index]!.address });
  }

  /** Load on every server while the faults happen. Then what is unknown is settled through other servers, and the last answers are asked for. */
  async round(faults: () => Promise<unknown>): Promise<void> {
    const load = this.#load();
    try {
      await faults();
    } finally {
      await load.stop();
    }
    await this.untilServing();
    expect(await this.#look(), `TEST_SEED=${seed}`).toEqual([]);
  }

  /** Waits until every server decides again, in every partition. */
  async untilServing(): Promise<void> {
    for (const { address } of this.servers) {
      const client = grpcClient(address);
      const deadlineMs = performance.now() + servingTimeoutMs;
      // Nobody's: what is refused for that has gone all the way. So many that there is hardly a partition that none of them is of.
      const strangers = Array.from({ length: strangerCount }, (_, index) => `nobody-${index}`);
      const reasonOf = async (userId: string): Promise<string> => {
        const outcome = await client.call(WalletService.method.addMoney, { userId, amount: "1" });
        return outcome.type === "refused" ? outcome.reason : outcome.type;
      };
      for (;;) {
        const reasons = new Set(await Promise.all(strangers.map(reasonOf)));
        reasons.delete("WALLET_NOT_FOUND");
        if (reasons.size === 0) break;
        if (performance.now() > deadlineMs) throw new Error(`a server still answers ${[...reasons].join(", ")}`);
        await sleep(laterMs);
      }
      client.close();
    }
  }

  /** Ends the trial: nothing is lost, nothing done twice, nothing there that nobody was told, and the books are right by the service's account and by ours. The database may have moved. */
  async finish(faults: Readonly<Record<string, unknown>>, databaseUrl = this.#options.databaseUrl): Promise<void> {
    const { lines, differences } = await this.#endWatchers(databaseUrl);
    const { address } = this.servers[0]!;
    const client = grpcClient(address);
    const inWallets = await sumOfWallets(client, this.workload.wishes.userIds());
    client.close();
    const verified = await verify(address);
    const ends = await Promise.all(this.servers.map((server) => server.end("SIGTERM")));
    const { lost, doubled, strays } = reconcileLines(lines, this.told.operations);
    const apart = await apartCount(databaseUrl);
    const summary = {
      seed,
      ...faults,
      ...this.figures,
      ...this.told.ways,
      applied: this.told.operations.size,
      refused: this.told.refusals,
      operationsInJournal: lines.length,
      betweenPartitions: apart,
      lost: lost.length,
      doubled: doubled.length,
      watchers: this.#watchers.map(({ seen, watcher }) => ({ seen: seen.length, connections: watcher.connections })),
    };
    console.log(JSON.stringify(summary));
    expect({ lost, doubled, strays, halves: await halfOperations(databaseUrl), contradictions: this.told.contradictions }, `TEST_SEED=${seed}`).toEqual({ lost: [], doubled: [], strays: [], halves: [], contradictions: [] });
    expect({ ok: verified?.ok, mismatches: verified?.mismatches }, `TEST_SEED=${seed}`).toEqual({ ok: true, mismatches: [] });
    expect(Object.fromEntries(inWallets)).toEqual(Object.fromEntries(this.told.cameIn));
    expect(differences, `TEST_SEED=${seed}`).toEqual(differences.map(() => undefined));
    expect(ends).toEqual(ends.map(() => ({ exitCode: 0, signal: null })));
    // It was a trial only if there was something to lose.
    expect(this.told.operations.size).toBeGreaterThan(100);
    expect(apart).toBeGreaterThan(0);
  }

  #startOptions(index: number) {
    const { databaseUrl, serverUrls, partitions = partitionsUsual, flags = [] } = this.#options;
    return { databaseUrl: serverUrls?.[index] ?? databaseUrl, flags: [`--partitions=${partitions}`, "--network-threads=1", ...flags] };
  }

  #watch(address: string): void {
    const seen = new SeenPartitions();
    const watcher = startWatcher({
      address,
      onOperation: ({ partition, sequence, operationId, hash, reference }) => seen.see({ partition, sequence, operationId, hash: Buffer.from(hash).toString("hex"), reference }),
    });
    this.#watchers.push({ watcher, seen });
  }

  #client(index: number): GrpcClient {
    const client = grpcClient(this.servers[index]!.address);
    const patient: GrpcClient = {
      ...client,
      async call(method, request) {
        const outcome = await client.call(method, request);
        if (outcome.type === "refused" && ["STORE_UNAVAILABLE", "OUTCOME_UNKNOWN", "OVERLOADED"].includes(outcome.reason)) await sleep(laterMs);
        return outcome;
      },
    };
    this.#serverOf.set(patient, index);
    return patient;
  }

  #load(): { stop(): Promise<void> } {
    const load = { isOver: false };
    const one = async (index: number): Promise<void> => {
      while (!load.isOver) {
        // Where the server has gone away its callers come back when it does.
        if (this.servers[index]!.isOver()) await sleep(laterMs);
        else {
          const client = this.#client(index);
          await this.workload.run([client], inFlightEach);
          client.close();
        }
      }
    };
    const all = Promise.all(this.servers.map((_, index) => one(index)));
    return {
      stop: async () => {
        load.isOver = true;
        this.workload.stop();
        await all;
      },
    };
  }

  async #look(): Promise<string[]> {
    const { workload, told, figures } = this;
    const { acknowledged, unknown } = workload;
    const undone = workload.undone.map(({ intention }) => intention);
    Object.assign(workload, { acknowledged: [], unknown: [], undone: [] });
    figures.acknowledged += acknowledged.length;
    figures.unknown += unknown.length;
    figures.undone += undone.length;
    told.file(acknowledged);
    const clients = this.servers.map((_, index) => this.#client(index));
    const problems = await missing(this.random.pick(clients), acknowledged.slice(-askedAfterFaults));
    for (const [sentTo, intentions] of Map.groupBy([...unknown, ...undone], (intention) => this.#sentTo(intention))) {
      const settled = await settle(clients[(sentTo + 1) % clients.length]!, intentions);
      figures.unknownThatHadBeenDecided += settled.hadBeenDecided;
      told.file(settled.acknowledged);
      problems.push(...settled.problems);
    }
    for (const client of clients) client.close();
    return problems;
  }

  #sentTo(intention: Intention): number {
    return this.#serverOf.get(this.workload.sentThrough.get(intention)!)!;
  }

  /** Waits for all that is to be seen; answers the journal, and how each watcher's account differs from it. Where a hold falls due meanwhile and is released, it is waited for again. */
  async #endWatchers(databaseUrl: string): Promise<{ readonly lines: readonly PartitionLine[]; readonly differences: readonly (string | undefined)[] }> {
    const deadlineMs = performance.now() + servingTimeoutMs;
    for (;;) {
      const lines = await operationLines(databaseUrl);
      const journal = new SeenPartitions();
      for (const line of lines) journal.see(line);
      while (this.#watchers.some(({ seen }) => seen.length < journal.length) && performance.now() < deadlineMs) await sleep(20);
      // Whatever comes twice would come now.
      await sleep(300);
      const differences = this.#watchers.map(({ seen }) => seen.difference(journal));
      const hasGrown = (await operationLines(databaseUrl)).length > lines.length;
      if (hasGrown && performance.now() < deadlineMs) continue;
      for (const { watcher } of this.#watchers) await watcher.stop();
      return { lines, differences };
    }
  }
}
