// Several servers on one ledger: each may be killed, asked to stop or paused under load, watchers on one see what the others commit, and overdue holds are released once, whoever releases them.
//
// TEST_SERVER_KILLS=200 makes it long; TEST_SEED=… draws the same calls again.

import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { WalletService } from "../../../gen/wallet/v1/wallet_service_pb.ts";
import { asOwner, makeDatabase } from "../../support/postgres-place.ts";
import { grpcClient } from "../grpc-client.ts";
import { cleanUp, startService, type ServiceProcess } from "../service-process.ts";
import { startWatcher } from "../watcher.ts";
import { Trial } from "./trial.ts";

const kills = Number(process.env["TEST_SERVER_KILLS"] ?? 4);
/** How long the load lasts before a server goes, at most. */
const loadMaxMs = 1_500;
/** How long a server stands still, at most: longer than the database lets it be silent in the middle of a transaction. */
const pauseMaxMs = 7_000;
/** Ends a wait for what never comes. With notices it takes some hundredths of a second, without them a poll of one. */
const seenMaxMs = 60_000;

afterAll(cleanUp);

test(`${kills} servers killed, asked to stop, or paused, under load`, { timeout: 600_000 + kills * 20_000 }, async () => {
  const database = await makeDatabase("empty");
  const trial = await Trial.start({ databaseUrl: database.url, flags: ["--auto-release=true"] });
  const figures = { killed: 0, stopped: 0, paused: 0 };
  const fates = {
    killed: (server: ServiceProcess) => server.end("SIGKILL"),
    stopped: async (server: ServiceProcess) => expect(await server.end("SIGTERM")).toEqual({ exitCode: 0, signal: null }),
    // What it was about to say and to do comes when the others have gone on without it.
    paused: (server: ServiceProcess) => server.pause(trial.random.between(100, pauseMaxMs)),
  };
  const order = ["killed", "stopped", "paused", "killed"] as const;
  for (let number = 0; number < kills; number++) {
    const fate = order[number % order.length]!;
    await trial.round(async () => {
      const index = trial.random.between(0, trial.servers.length - 1);
      await sleep(trial.random.between(50, loadMaxMs));
      await fates[fate](trial.servers[index]!);
      figures[fate]++;
      await sleep(trial.random.between(0, 300));
      if (fate !== "paused") await trial.restart(index);
    });
  }
  await trial.finish(figures);
  await database.remove();
});

/** Servers beside each other on a ledger of their own. */
async function serversOn(databaseUrl: string, flags: readonly string[] = []): Promise<ServiceProcess[]> {
  return Promise.all([0, 1, 2].map(() => startService({ databaseUrl, flags: ["--partitions=8", ...flags] })));
}

test("a watcher on one server sees what others commit, also while no server can tell another", async () => {
  const database = await makeDatabase("empty");
  const servers = await serversOn(database.url);
  const clients = servers.map(({ address }) => grpcClient(address));
  const seenAt = new Map<string, number>();
  const watcher = startWatcher({ address: servers[0]!.address, onOperation: ({ reference }) => void seenAt.set(reference, performance.now()) });
  await watcher.isWatching;
  await clients[1]!.call(WalletService.method.initWallet, { userId: "ann", currency: "USD", reference: "opened" });
  const slowest = async (name: string): Promise<number> => {
    let slowestMs = 0;
    for (let number = 0; number < 5; number++) {
      const reference = `${name}-${number}`;
      await clients[1 + (number % 2)]!.call(WalletService.method.addMoney, { userId: "ann", amount: "1", reference });
      const answeredMs = performance.now();
      while (!seenAt.has(reference)) {
        if (performance.now() - answeredMs > seenMaxMs) throw new Error(`${reference} is not seen`);
        await sleep(1);
      }
      slowestMs = Math.max(slowestMs, seenAt.get(reference)! - answeredMs);
    }
    return Math.round(slowestMs);
  };
  const told = await slowest("told");
  const silence = { isOver: false };
  const silencing = asOwner(async (client) => {
    while (!silence.isOver) {
      await client.query("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'wallet notices'");
      await sleep(5);
    }
  }, database.url);
  await sleep(50);
  const polled = await slowest("polled");
  silence.isOver = true;
  await silencing;
  console.log(`seen on another server within ${told} ms, without notices within ${polled} ms`);
  await watcher.stop();
  for (const client of clients) client.close();
  for (const server of servers) expect(await server.end("SIGTERM")).toEqual({ exitCode: 0, signal: null });
  await database.remove();
});

test("three servers release each overdue hold once", async () => {
  const database = await makeDatabase("empty");
  const servers = await serversOn(database.url, ["--auto-release=true"]);
  const clients = servers.map(({ address }) => grpcClient(address));
  const users = Array.from({ length: 16 }, (_, index) => `user-${index}`);
  const holdsEach = 12;
  await Promise.all(
    users.map(async (userId, index) => {
      const client = clients[index % clients.length]!;
      await client.call(WalletService.method.initWallet, { userId, currency: "USD" });
      await client.call(WalletService.method.addMoney, { userId, amount: "100" });
      for (let hold = 0; hold < holdsEach; hold++) {
        const answer = await clients[(index + hold) % clients.length]!.call(WalletService.method.holdMoney, { userId, amount: "1", holdPeriod: { seconds: 1n } });
        expect(answer.type).toBe("answered");
      }
    }),
  );
  // Whoever asks is in the sweeps' way, and no answer counts what is overdue.
  let left = users.length;
  while (left > 0) {
    const wallets = await Promise.all(users.map((userId, index) => clients[index % clients.length]!.call(WalletService.method.getWallet, { userId })));
    left = wallets.filter((answer) => answer.type !== "answered" || answer.response.wallet!.balance!.held !== "0.00").length;
    await sleep(20);
  }
  const { rows } = await asOwner(
    (client) => client.query<{ holds: string; released: string }>("select count(*) filter (where kind = 3) as holds, count(*) filter (where kind = 4) as released, count(distinct hold_id) filter (where kind = 4) as once from journal"),
    database.url,
  );
  const all = String(users.length * holdsEach);
  expect(rows).toEqual([{ holds: all, released: all, once: all }]);
  for (const server of servers) {
    expect(await server.end("SIGTERM")).toEqual({ exitCode: 0, signal: null });
    expect(server.stderr()).not.toMatch(/"level":"(error|fatal)"/);
  }
  for (const client of clients) client.close();
  await database.remove();
});
