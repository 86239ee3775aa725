// Conflicts that PostgreSQL settles by failing one side, 40001 and 40P01, all the time: each batch is tried again and committed once, or its callers are told that nothing was done.
//
// TEST_CONFLICTS=10000 makes it long; TEST_SEED=… draws the same calls again.

import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { asOwner, makeDatabase } from "../../support/postgres-place.ts";
import { countErrors, TcpProxy } from "../../support/tcp-proxy.ts";
import { cleanUp } from "../service-process.ts";
import { serializable } from "./begin-rewriter.ts";
import { Trial } from "./trial.ts";

const conflicts = Number(process.env["TEST_CONFLICTS"] ?? 200);
/** What is unknown is settled after each so many. */
const perRound = Math.max(100, conflicts / 20);
const partitions = 8;
/** How long nobody is in the servers' way but they themselves, in milliseconds, at most. */
const restMaxMs = 40;

afterAll(cleanUp);

test(`${conflicts} serialization failures and deadlocks`, { timeout: 600_000 + conflicts * 500 }, async () => {
  const database = await makeDatabase("empty");
  const figures = { serializationFailures: 0, deadlocks: 0 };
  const proxies = await Promise.all([0, 1, 2].map(() => TcpProxy.before(database.url)));
  for (const [server, proxy] of proxies.entries()) {
    // One stays at READ COMMITTED, where a wait for a lock may end in a deadlock and in nothing else.
    if (server > 0) proxy.rewriter = serializable;
    proxy.whenSaid = (data) => {
      figures.serializationFailures += countErrors(data, "40001");
      figures.deadlocks += countErrors(data, "40P01");
    };
  }
  const count = (): number => figures.serializationFailures + figures.deadlocks;
  // A server that waits looks for a deadlock before the other session, below, does. Each looks once, so that the later one has to look too.
  await asOwner((client) => client.query(`do $$ begin execute format('alter database %I set deadlock_timeout = 20', current_database()); end $$`), database.url);
  const trial = await Trial.start({ databaseUrl: database.url, serverUrls: proxies.map((proxy) => proxy.through(database.url)) });
  await asOwner(async (client) => {
    await client.query("set deadlock_timeout = 60");
    // Heads in the order in which no server takes them, each waited for and written as it was: whoever began before and waits for one fails at SERIALIZABLE.
    const writeBackwards = async (): Promise<void> => {
      const partitionsDown = Array.from({ length: partitions }, (_, index) => partitions - 1 - index);
      await client.query("begin");
      try {
        for (const partition of partitionsDown) await client.query("update ledger_head set sequence = sequence where partition = $1", [partition]);
      } catch (error) {
        // Now and then it is the victim itself.
        expect(error).toMatchObject({ code: "40P01" });
      }
      // After an error it rolls back.
      await client.query("commit");
    };
    while (count() < conflicts) {
      const until = Math.min(conflicts, count() + perRound);
      await trial.round(async () => {
        while (count() < until) {
          await writeBackwards();
          await sleep(trial.random.between(0, restMaxMs));
        }
      });
    }
  }, database.url);
  const statistics = await asOwner((client) => client.query<{ rollbacks: string; deadlocks: string }>("select xact_rollback as rollbacks, deadlocks from pg_stat_database where datname = current_database()"), database.url);
  await trial.finish({ ...figures, byTheServersCount: statistics.rows[0] });
  expect(figures.serializationFailures).toBeGreaterThan(0);
  expect(figures.deadlocks).toBeGreaterThan(0);
  for (const proxy of proxies) await proxy.close();
  await database.remove();
});
