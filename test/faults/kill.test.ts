// kill -9 under load, again and again on one file: what was acknowledged is there exactly once, and what is unknown is settled by its key.
//
// TEST_KILLS=500 makes it long and prints its figures; TEST_SEED=… runs a run again.

import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { checkBooks } from "../support/books.ts";
import { grpcClient } from "./grpc-client.ts";
import { verbs } from "./intentions.ts";
import { reconcile } from "./journal-file.ts";
import { randomFrom, seed } from "./random.ts";
import { cleanUp, newFolder, spawnService, startService, type ServiceProcess } from "./service-process.ts";
import { missing, settle } from "./settle.ts";
import { ToldBook } from "./told.ts";
import { Workload } from "./workload.ts";

const kills = Number(process.env["TEST_KILLS"] ?? 15);
const isLong = kills > 100;

/** How long the load lasts before the kill, at most. The long run has to gather more operations than kills. */
const loadMaxMs = isLong ? 900 : 300;
/** Where the kill comes with an answer, it is one of the first so many. */
const answersMax = 300;
const clientCount = 4;
const inFlightEach = 8;
/** Starts to be killed before they are over: one in so many. */
const killedStartOneIn = 5;
/** Loading modules, opening, recovering the log, listening: a kill may hit any of it. */
const startKilledWithinMs = 600;

afterAll(cleanUp);

test(`${kills} kills lose nothing and double nothing`, { timeout: 600_000 + kills * 10_000 }, async () => {
  const random = randomFrom(seed);
  const databasePath = join(newFolder("kill"), "wallet.db");
  const workload = new Workload(random);
  const told = new ToldBook();
  const readyMs: number[] = [];
  const figures = { acknowledged: 0, unknown: 0, unknownThatHadBeenDecided: 0, killedStarts: 0 };

  const underLoad = async (service: ServiceProcess): Promise<void> => {
    const clients = Array.from({ length: clientCount }, () => grpcClient(service.address));
    // Half of the kills come in the very moment of an answer: a commit that follows its answer would be caught there.
    const killAtAnswer = random.between(1, 2) === 1 ? random.between(1, answersMax) : Infinity;
    const load = workload.run(clients, inFlightEach, (count) => {
      if (count === killAtAnswer) void service.end("SIGKILL");
    });
    await Promise.race([load, sleep(random.between(20, loadMaxMs))]);
    await service.end("SIGKILL");
    await load;
    for (const client of clients) client.close();
  };

  const lookedAt = async (service: ServiceProcess): Promise<string[]> => {
    const client = grpcClient(service.address);
    const { acknowledged, unknown } = workload;
    workload.acknowledged = [];
    workload.unknown = [];
    const lost = await missing(client, acknowledged);
    const settled = await settle(client, unknown);
    client.close();
    told.file([...acknowledged, ...settled.acknowledged]);
    figures.acknowledged += acknowledged.length;
    figures.unknown += unknown.length;
    figures.unknownThatHadBeenDecided += settled.hadBeenDecided;
    return [...lost, ...settled.problems];
  };

  let service = await startService({ databasePath });
  for (let kill = 1; kill <= kills; kill++) {
    await underLoad(service);
    if (random.between(1, killedStartOneIn) === 1) {
      const start = spawnService({ databasePath });
      await sleep(random.between(0, startKilledWithinMs));
      await start.end("SIGKILL");
      figures.killedStarts++;
    }
    service = await startService({ databasePath });
    readyMs.push(service.readyMs);
    expect(await lookedAt(service), `kill ${kill}, TEST_SEED=${seed}`).toEqual([]);
  }
  expect(await service.end("SIGTERM")).toEqual({ exitCode: 0, signal: null });

  const journal = reconcile(databasePath, told.operations);
  const { operations, problems } = checkBooks(databasePath);
  const sortedMs = readyMs.toSorted((a, b) => a - b).map(Math.round);
  const summary = {
    seed,
    kills,
    ...figures,
    applied: told.operations.size,
    granted: told.granted,
    refused: told.refused,
    operations,
    lost: journal.lost.length,
    doubled: journal.doubled.length,
    silences: Object.fromEntries(workload.silences),
    undone: workload.undone.length,
    readyMs: { median: sortedMs[Math.floor(sortedMs.length / 2)], max: sortedMs.at(-1) },
  };
  if (isLong) console.log(JSON.stringify(summary, undefined, 2));
  const { contradictions } = told;
  expect({ ...journal, problems, contradictions }, `TEST_SEED=${seed}`).toEqual({ lost: [], doubled: [], strays: [], problems: [], contradictions: [] });
  // It was a trial only if there was something to lose, and something left open.
  expect(told.operations.size, JSON.stringify(summary)).toBeGreaterThan(kills * 10);
  expect(figures.unknown, JSON.stringify(summary)).toBeGreaterThan(0);
  for (const verb of verbs) expect(told.granted[verb], `${verb}: ${JSON.stringify(summary)}`).toBeGreaterThan(0);
});
