// Citus: the ledger's partitions lie on workers, which are killed under load, as are the coordinator and servers. Runs where TEST_CITUS_PROGRAMS names the folder of a PostgreSQL that has Citus (`pg_config --bindir`).
//
// TEST_NODE_KILLS=50 and TEST_MOVES=50 make it long; TEST_SEED=… draws the same calls again.

import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { ReportService } from "../../../gen/wallet/v1/report_service_pb.ts";
import { WalletService } from "../../../gen/wallet/v1/wallet_service_pb.ts";
import { partitionOf } from "../../../src/domain/partitions.ts";
import type { UserId } from "../../../src/domain/wallet.ts";
import { CitusCluster, citusPrograms, makeCitusDatabase, placeTables } from "../../support/citus-cluster.ts";
import { cleanUpServers } from "../../support/own-postgres.ts";
import { asOwner } from "../../support/postgres-place.ts";
import { grpcClient } from "../grpc-client.ts";
import { cleanUp, startService, type ServiceProcess } from "../service-process.ts";
import { verify } from "../sums.ts";
import { Trial } from "./trial.ts";

const kills = Number(process.env["TEST_NODE_KILLS"] ?? 10);
const moves = Number(process.env["TEST_MOVES"] ?? 6);
/** How long the load lasts before a node goes, at most, and how long it is away, in milliseconds. */
const loadMaxMs = 2_000;
const awayMaxMs = 3_000;
const partitions = 16;
/** Of everybody, while transfers commit. */
const reports = 100;
/** Of additions to every wallet at once, while a worker is gone. */
const rounds = 20;

afterAll(async () => {
  cleanUp();
  await cleanUpServers();
});

/** As docs/operations.md has it made. */
async function clusterWithLedger(): Promise<CitusCluster> {
  const cluster = await CitusCluster.start(citusPrograms!);
  const { url } = cluster.coordinator;
  const maker = await startService({ databaseUrl: url, flags: [`--partitions=${partitions}`] });
  await maker.end("SIGTERM");
  await placeTables(url);
  return cluster;
}

test.runIf(citusPrograms !== undefined)(`${kills} nodes and servers killed, under load`, { timeout: 600_000 + kills * 60_000 }, async () => {
  const cluster = await clusterWithLedger();
  const { url } = cluster.coordinator;
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

test.runIf(citusPrograms !== undefined)(`${moves} moves of partitions from worker to worker, under load`, { timeout: 600_000 + moves * 60_000 }, async () => {
  const cluster = await clusterWithLedger();
  const { url } = cluster.coordinator;
  const trial = await Trial.start({ databaseUrl: url, partitions });
  for (let number = 0; number < moves; number++) {
    await trial.round(async () => {
      await sleep(trial.random.between(50, loadMaxMs));
      await cluster.movePartitions(trial.random.between(0, partitions - 1));
    });
  }
  await trial.finish({ moves });
});

test.runIf(citusPrograms !== undefined)("reports of everybody and verifications see no transfer half", async () => {
  const cluster = await CitusCluster.start(citusPrograms!);
  const database = await makeCitusDatabase(cluster.coordinator.url, "reported");
  const servers = await Promise.all([0, 1].map(() => startService({ databaseUrl: database.url, flags: [`--partitions=${partitions}`] })));
  const clients = servers.map(({ address }) => grpcClient(address));
  const users = Array.from({ length: 64 }, (_, index) => `user-${index}`);
  await Promise.all(
    users.map(async (userId) => {
      await clients[0]!.call(WalletService.method.initWallet, { userId, currency: "USD" });
      await clients[0]!.call(WalletService.method.addMoney, { userId, amount: "1000" });
    }),
  );
  const load = { isOver: false, transfers: 0 };
  const transferring = users.map(async (userId, index) => {
    while (!load.isOver) {
      const toUserId = users[(index + 1 + (load.transfers % 7)) % users.length]!;
      const outcome = await clients[index % clients.length]!.call(WalletService.method.transferMoney, { userId, toUserId, amount: "0.01" });
      if (outcome.type === "answered") load.transfers++;
    }
  });
  const torn: string[] = [];
  const verifications: Awaited<ReturnType<typeof verify>>[] = [];
  try {
    for (let report = 0; report < reports; report++) {
      const outcome = await clients[report % clients.length]!.call(ReportService.method.getWalletOperationReport, { currency: "USD" });
      if (outcome.type !== "answered") throw new Error(outcome.type);
      const { transfersOut, transfersIn } = outcome.response;
      // Each is of one cent.
      if (transfersOut!.count !== transfersIn!.count) torn.push(`${transfersOut!.count} out, ${transfersIn!.count} in`);
    }
    for (const { address } of servers) verifications.push(await verify(address));
  } finally {
    load.isOver = true;
    await Promise.all(transferring);
  }
  console.log(JSON.stringify({ reports, torn: torn.length, transfers: load.transfers }));
  expect(torn).toEqual([]);
  expect(verifications.map((result) => ({ ok: result?.ok, mismatches: result?.mismatches }))).toEqual(verifications.map(() => ({ ok: true, mismatches: [] })));
  expect(load.transfers).toBeGreaterThan(100);
  for (const client of clients) client.close();
  for (const server of servers) expect(await server.end("SIGTERM")).toEqual({ exitCode: 0, signal: null });
});

test.runIf(citusPrograms !== undefined)("a worker that is gone takes its own partitions with it and no others; servers start, and say what is not durable", async () => {
  const cluster = await CitusCluster.start(citusPrograms!);
  const database = await makeCitusDatabase(cluster.coordinator.url, "halved");
  const start = (): Promise<ServiceProcess> => startService({ databaseUrl: database.url, flags: [`--partitions=${partitions}`] });
  const server = await start();
  const client = grpcClient(server.address);
  const users = Array.from({ length: 32 }, (_, index) => `user-${index}`);
  for (const userId of users) expect((await client.call(WalletService.method.initWallet, { userId, currency: "USD" })).type).toBe("answered");
  const placed = await cluster.coordinator.ask<{ partition: number }>(
    "select p as partition from generate_series(0, $1::int - 1) p join citus_shards on shardid = get_shard_id_for_distribution_column('ledger_head', p) where nodeport = $2",
    [partitions, cluster.workers[0]!.port],
    "halved",
  );
  const lost = new Set(placed.map(({ partition }) => partition));
  const isLost = (userId: string): boolean => lost.has(partitionOf(userId as UserId, partitions));
  expect(new Set(users.map(isLost))).toEqual(new Set([false, true]));

  await cluster.kill(1);
  // All of them at once, again and again, so that each batch is of both kinds.
  const reasons = { lost: new Map<string, number>(), kept: new Map<string, number>() };
  for (let round = 0; round < rounds; round++) {
    await Promise.all(
      users.map(async (userId) => {
        const outcome = await client.call(WalletService.method.addMoney, { userId, amount: "1" });
        const reason = outcome.type === "refused" ? outcome.reason : outcome.type;
        const counts = isLost(userId) ? reasons.lost : reasons.kept;
        counts.set(reason, (counts.get(reason) ?? 0) + 1);
      }),
    );
  }
  console.log(JSON.stringify({ lost: Object.fromEntries(reasons.lost), kept: Object.fromEntries(reasons.kept) }));
  expect([...reasons.kept.keys()]).toEqual(["answered"]);
  expect([...reasons.lost.keys()]).toEqual(["STORE_UNAVAILABLE"]);

  const second = await start();
  expect(await (await fetch(`http://${second.address}/readyz`)).json()).toEqual({ ready: true, durable: false });
  await cluster.startAgain(1);
  const third = await start();
  expect(await (await fetch(`http://${third.address}/readyz`)).json()).toEqual({ ready: true, durable: true });
  for (const userId of users) expect((await client.call(WalletService.method.addMoney, { userId, amount: "1" })).type).toBe("answered");
  client.close();
  for (const each of [server, second, third]) expect(await each.end("SIGTERM")).toEqual({ exitCode: 0, signal: null });
});

test.runIf(citusPrograms !== undefined)("a head that is held on a worker keeps nobody else waiting", { timeout: 600_000 }, async () => {
  const cluster = await clusterWithLedger();
  const { url } = cluster.coordinator;
  const server = await startService({ databaseUrl: url, flags: [`--partitions=${partitions}`] });
  const client = grpcClient(server.address);
  const users = Array.from({ length: 32 }, (_, index) => `user-${index}`);
  for (const userId of users) expect((await client.call(WalletService.method.initWallet, { userId, currency: "USD" })).type).toBe("answered");
  const held = partitionOf(users[0] as UserId, partitions);
  const isHeld = (userId: string): boolean => partitionOf(userId as UserId, partitions) === held;
  const addToEach = () => Promise.all(users.map(async (userId) => [userId, await client.call(WalletService.method.addMoney, { userId, amount: "1" })] as const));

  await asOwner(async (holder) => {
    await holder.query("begin");
    await holder.query("select * from ledger_head where partition = $1 for update", [held]);
    for (let round = 0; round < 3; round++) {
      for (const [userId, outcome] of await addToEach()) expect([userId, outcome]).toMatchObject([userId, isHeld(userId) ? { type: "refused", reason: "STORE_UNAVAILABLE" } : { type: "answered" }]);
    }
    await holder.query("rollback");
  }, url);
  for (const [, outcome] of await addToEach()) expect(outcome.type).toBe("answered");
  client.close();
  expect(await server.end("SIGTERM")).toEqual({ exitCode: 0, signal: null });
});
