// Money is neither made nor lost: 64 clients do all there is to do with 10 hot and 10,000 cold wallets, while the service is killed again and again,
// and three watchers see every operation exactly once, in order. Then everything that section 6 of the contract says is checked. In a file, and in PostgreSQL.
//
// `npm run conservation` does 1,000,000 operations; TEST_OPERATIONS=… any other number; TEST_SEED=… draws the same calls again.

import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, test } from "vitest";
import { conservedLedgers } from "./conserved-ledgers.ts";
import { grpcClient } from "./grpc-client.ts";
import { verbs } from "./intentions.ts";
import { reconcileLines } from "./journal-file.ts";
import { peakResidentBytes } from "./process-figures.ts";
import { randomFrom, seed } from "./random.ts";
import { killAndResume } from "./restless.ts";
import { SeenPartitions } from "./seen-partitions.ts";
import { cleanUp, startService, type ServiceProcess } from "./service-process.ts";
import { missing, settle } from "./settle.ts";
import { sumOfWallets, verify } from "./sums.ts";
import { ToldBook } from "./told.ts";
import { startWatcher, type WatcherOptions } from "./watcher.ts";
import { Workload } from "./workload.ts";

/** How many operations must have been applied when it is over; where it is not said, as many as the ledger's short run has. */
const operationsAsked = process.env["TEST_OPERATIONS"] === undefined ? undefined : Number(process.env["TEST_OPERATIONS"]);
const isLong = operationsAsked !== undefined && operationsAsked >= 200_000;

const clientCount = 64;
const inFlightEach = 4;
const hot = 10;
const kills = isLong ? 20 : 2;
/** About half of the operations come in batches: so many calls of 1,000 are one, of up to so many operations. */
const batchPermille = 25;
const batchLengthMax = 80;
/** Those that were answered last before a kill are the ones that a kill could lose; of the others the file itself is asked at the end. */
const askedAfterKill = 150;
/** The slow watcher sees at most so many operations a second or so: fewer than the load makes. */
const slowMs = 20;
const slowEach = isLong ? 30 : 15;

const MiB = 1024 * 1024;

afterAll(cleanUp);

describe.each(conservedLedgers)("$name", ({ shortRun, make }) => {
  const operationsMin = operationsAsked ?? shortRun.operations;
  const cold = isLong ? 10_000 : shortRun.cold;

  test(`${operationsMin} operations by ${clientCount} clients, and ${kills} kills`, { timeout: 600_000 + operationsMin * 10 }, async () => {
    const startMs = performance.now();
    const random = randomFrom(seed);
    const ledger = await make();
    const workload = new Workload(random, { hot, hotPercent: 50, releasePermille: 5, batchPermille, batchLengthMax });
    const told = new ToldBook();
    const figures = { unknown: 0, unknownThatHadBeenDecided: 0, undone: 0, peakRssMiB: 0 };
    const start = (options: { listen?: string; sweeps: boolean }): Promise<ServiceProcess> =>
      startService({ ...ledger.place, listen: options.listen ?? "127.0.0.1:0", flags: [...ledger.flags, `--auto-release=${options.sweeps}`] });

    let service = await start({ sweeps: true });
    const { address } = service;
    const plain = watching({ address });
    const restless = watching({ address });
    const slow = watching({ address, slowMs, slowEach, protocol: "Connect" });
    const watchers = { plain, restless, slow };
    const restlessness = killAndResume(restless.watcher, random);

    /** Files what is acknowledged as it comes, so that a million answers need no memory, and keeps the last of them. */
    let recent: typeof workload.acknowledged = [];
    const file = (): void => {
      told.file(workload.acknowledged);
      recent = [...recent, ...workload.acknowledged].slice(-askedAfterKill);
      workload.acknowledged = [];
    };
    const end = async (signal: "SIGKILL" | "SIGTERM"): Promise<unknown> => {
      if (existsSync("/proc/self/status")) figures.peakRssMiB = Math.max(figures.peakRssMiB, Math.round(peakResidentBytes(service.pid) / MiB));
      return service.end(signal);
    };
    const loadUntil = async (count: number): Promise<void> => {
      const clients = Array.from({ length: clientCount }, () => grpcClient(address));
      const fileEach = 256;
      const loaded = workload.run(clients, inFlightEach, (answers) => {
        if (answers % fileEach === 0) file();
        if (told.operations.size >= count) workload.stop();
      });
      await loaded;
      for (const client of clients) client.close();
      file();
    };
    /** Nothing that was acknowledged is missing, and what is unknown becomes known. */
    const lookedAt = async (): Promise<string[]> => {
      const client = grpcClient(address);
      const lost = await missing(client, recent);
      const open = [...workload.unknown, ...workload.undone.map(({ intention }) => intention)];
      figures.unknown += workload.unknown.length;
      figures.undone += workload.undone.length;
      workload.unknown = [];
      workload.undone = [];
      const settled = await settle(client, open);
      figures.unknownThatHadBeenDecided += settled.hadBeenDecided;
      client.close();
      told.file(settled.acknowledged);
      return [...lost, ...settled.problems];
    };

    const opener = grpcClient(address);
    for (const intention of workload.wishes.openings(hot + cold, { perBatch: 1_000, amount: "1000" })) await workload.send(opener, intention);
    opener.close();
    file();
    for (let kill = 1; kill <= kills; kill++) {
      const untilKill = Math.round((operationsMin * kill) / (kills + 1));
      // Somewhere in the load that follows, at no moment of anybody's choice.
      const load = loadUntil(Number.POSITIVE_INFINITY);
      while (told.operations.size < untilKill && !service.isOver()) await sleep(random.between(1, 50));
      await end("SIGKILL");
      await load;
      service = await start({ listen: address, sweeps: true });
      expect(await lookedAt(), `kill ${kill}, TEST_SEED=${seed}`).toEqual([]);
    }
    await loadUntil(operationsMin);
    const loadedSeconds = (performance.now() - startMs) / 1_000;
    expect(await lookedAt(), `TEST_SEED=${seed}`).toEqual([]);
    expect(await end("SIGTERM")).toEqual({ exitCode: 0, signal: null });

    // From here on nothing sweeps: what is there stays as it is, and everybody can look at the same.
    service = await start({ listen: address, sweeps: false });
    const journal = new SeenPartitions();
    for (const line of await ledger.lines()) journal.see(line);
    while (Object.values(watchers).some(({ seen }) => seen.length < journal.length)) await sleep(20);
    await restlessness.stop();
    // Whatever comes twice would come now.
    await sleep(300);
    for (const { watcher } of Object.values(watchers)) await watcher.stop();
    const client = grpcClient(address);
    const inWallets = await sumOfWallets(client, workload.wishes.userIds());
    client.close();
    const verified = await verify(address);
    expect(await end("SIGTERM")).toEqual({ exitCode: 0, signal: null });

    const { contradictions } = told;
    const { problems } = await ledger.checkBooks();
    const applied = told.operations.size;
    const summary = {
      seed,
      applied,
      rejected: told.refusals,
      ...figures,
      ...told.ways,
      kills,
      operationsInJournal: journal.length,
      granted: told.granted,
      refused: told.refused,
      cameIn: Object.fromEntries([...told.cameIn].map(([currency, units]) => [currency, String(units)])),
      watcherKills: restlessness.kills(),
      watchers: Object.fromEntries(Object.entries(watchers).map(([name, { seen, watcher }]) => [name, { seen: seen.length, connections: watcher.connections }])),
      verified: verified === undefined ? "not served" : verified.ok,
      seconds: Math.round((performance.now() - startMs) / 1_000),
      loadedSeconds: Math.round(loadedSeconds),
      operationsPerSecond: Math.round((applied + told.refusals) / loadedSeconds),
    };
    console.log(JSON.stringify(summary, undefined, 2));

    expect({ ...reconcileLines(await ledger.lines(), told.operations), contradictions, problems }, `TEST_SEED=${seed}`).toEqual({ lost: [], doubled: [], strays: [], contradictions: [], problems: [] });
    expect(Object.fromEntries(inWallets)).toEqual(Object.fromEntries(told.cameIn));
    for (const [name, { seen }] of Object.entries(watchers)) expect(seen.difference(journal), `${name}, TEST_SEED=${seed}`).toBeUndefined();
    if (verified !== undefined) expect({ ok: verified.ok, mismatches: verified.mismatches }).toEqual({ ok: true, mismatches: [] });
    // It was a trial only if all of it took part.
    expect(applied).toBeGreaterThanOrEqual(operationsMin);
    // Some hundred calls are batches, so that their share varies by chance; neither way may be a trifle.
    expect(told.ways.unary, JSON.stringify(told.ways)).toBeGreaterThan(told.ways.inBatches / 4);
    expect(told.ways.inBatches, JSON.stringify(told.ways)).toBeGreaterThan(told.ways.unary / 4);
    for (const verb of verbs) expect(told.granted[verb], verb).toBeGreaterThan(0);
    expect(journal.length, "the sweep released nothing").toBeGreaterThan(applied);
    expect(figures.unknown).toBeGreaterThan(0);
    expect(restlessness.kills()).toBeGreaterThan(0);
    await ledger.remove();
  });
});

/** A watcher from the start of the ledger, and what it has seen. */
function watching(options: WatcherOptions) {
  const seen = new SeenPartitions();
  const watcher = startWatcher({
    ...options,
    onOperation: ({ partition, sequence, operationId, hash, reference }) => seen.see({ partition, sequence, operationId, hash: Buffer.from(hash).toString("hex"), reference }),
  });
  return { seen, watcher };
}
