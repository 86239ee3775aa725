// Connections of three servers to the database are cut around COMMIT, before the database has it, when it has it, or when it has answered, and at random: each batch is committed once.
//
// TEST_CUTS=1000 makes it long; TEST_SEED=… draws the same calls again.

import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { makeDatabase } from "../../support/postgres-place.ts";
import { TcpProxy, type Cut } from "../../support/tcp-proxy.ts";
import { cleanUp } from "../service-process.ts";
import { Trial } from "./trial.ts";

const cuts = Number(process.env["TEST_CUTS"] ?? 100);
/** What is unknown is settled after each so many. */
const perRound = 50;
/** One COMMIT in so many is cut. */
const commitOneIn = 4;
const kinds = ["before", "after", "answered"] as const satisfies readonly Cut[];

afterAll(cleanUp);

test(`${cuts} connections cut around COMMIT, and others at random`, { timeout: 600_000 + cuts * 1_000 }, async () => {
  const database = await makeDatabase("empty");
  const proxies = await Promise.all([0, 1, 2].map(() => TcpProxy.before(database.url)));
  const trial = await Trial.start({ databaseUrl: database.url, serverUrls: proxies.map((proxy) => proxy.through(database.url)) });
  const figures = { before: 0, after: 0, answered: 0, atRandom: 0 };
  const cutCount = (): number => proxies.reduce((sum, proxy) => sum + proxy.cuts, 0);
  while (cutCount() < cuts) {
    const until = Math.min(cuts, cutCount() + perRound);
    for (const proxy of proxies) {
      proxy.whenCommit = () => {
        if (cutCount() >= until || trial.random.between(1, commitOneIn) > 1) return undefined;
        const kind = trial.random.pick(kinds);
        figures[kind]++;
        return kind;
      };
    }
    await trial.round(async () => {
      while (cutCount() < until) {
        await sleep(trial.random.between(10, 100));
        const proxy = trial.random.pick(proxies);
        if (proxy.connections === 0) continue;
        proxy.cutOne(trial.random.between(0, proxy.connections - 1));
        figures.atRandom++;
      }
    });
  }
  await trial.finish(figures);
  for (const kind of kinds) expect(figures[kind], kind).toBeGreaterThan(0);
  for (const proxy of proxies) await proxy.close();
  await database.remove();
});
