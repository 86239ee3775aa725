// Citus: the ledger's partitions lie on workers, which are killed under load, as are the coordinator and servers. Runs where TEST_CITUS_PROGRAMS names the folder of a PostgreSQL that has Citus (`pg_config --bindir`).
//
// TEST_NODE_KILLS=50 makes it long; TEST_SEED=… draws the same calls again.

import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { CitusCluster, citusPrograms, placeTables } from "../../support/citus-cluster.ts";
import { cleanUpServers } from "../../support/own-postgres.ts";
import { cleanUp, startService } from "../service-process.ts";
import { Trial } from "./trial.ts";

const kills = Number(process.env["TEST_NODE_KILLS"] ?? 10);
/** How long the load lasts before a node goes, at most, and how long it is away, in milliseconds. */
const loadMaxMs = 2_000;
const awayMaxMs = 3_000;
const partitions = 16;

afterAll(async () => {
  cleanUp();
  await cleanUpServers();
});

test.runIf(citusPrograms !== undefined)(`${kills} nodes and servers killed, under load`, { timeout: 300_000 + kills * 60_000 }, async () => {
  const cluster = await CitusCluster.start(citusPrograms!);
  const { url } = cluster.coordinator;
  const maker = await startService({ databaseUrl: url, flags: [`--partitions=${partitions}`] });
  await maker.end("SIGTERM");
  await placeTables(url);
  const trial = await Trial.start({ databaseUrl: url, partitions, flags: ["--auto-release=true"] });
  const figures = { workers: 0, coordinators: 0, servers: 0 };
  const order = ["workers", "workers", "coordinators", "workers", "servers"] as const;
  for (let number = 0; number < kills; number++) {
    const fate = order[number % order.length]!;
    await trial.round(async () => {
      await sleep(trial.random.between(50, loadMaxMs));
      figures[fate]++;
      if (fate === "servers") {
        const index = trial.random.between(0, trial.servers.length - 1);
        await trial.servers[index]!.end("SIGKILL");
        await trial.restart(index);
        return;
      }
      const node = fate === "coordinators" ? 0 : trial.random.between(1, cluster.workers.length);
      await cluster.kill(node);
      await sleep(trial.random.between(0, awayMaxMs));
      await cluster.startAgain(node);
    });
  }
  await trial.finish(figures);
  const inDoubt = await Promise.all(cluster.nodes.map((node) => node.ask<{ count: string }>("select count(*) as count from pg_prepared_xacts")));
  expect(inDoubt.flat().map(({ count }) => count)).toEqual(["0", "0", "0"]);
});
