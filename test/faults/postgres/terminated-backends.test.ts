// Backends of three servers are terminated all the time, while they write and while they commit: what was acknowledged is there exactly once.
//
// TEST_TERMINATIONS=2000 makes it long; TEST_SEED=… draws the same calls again.

import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { asOwner, makeDatabase } from "../../support/postgres-place.ts";
import { cleanUp } from "../service-process.ts";
import { Trial } from "./trial.ts";

const terminations = Number(process.env["TEST_TERMINATIONS"] ?? 100);
/** What is unknown is settled after each so many. */
const perRound = 50;

afterAll(cleanUp);

/** What is left until COMMIT takes longer in some transactions, and the flush of the log in all: more of them are found in the middle of it. */
const lingering = `
  create function linger() returns trigger language plpgsql as 'begin if random() < 0.2 then perform pg_sleep(0.003); end if; return null; end';
  create constraint trigger linger after update on ledger_head deferrable initially deferred for each row execute function linger()`;

/** One that writes, or one in COMMIT; nobody where there is none. */
const terminateOne = (inCommit: boolean): string => `
  select query, pg_terminate_backend(pid) as done from pg_stat_activity
  where datname = current_database() and application_name = 'wallet' and backend_xid is not null ${inCommit ? "and query = 'COMMIT'" : ""}
  order by random() limit 1`;

/** So many calls are answered, at least, from one termination to the next, or nothing that could be lost would come about where few calls are one transaction over all partitions. */
const answersBetween = 4;

test(`${terminations} terminated backends`, { timeout: 600_000 + terminations * 1_000 }, async () => {
  const database = await makeDatabase("empty");
  const trial = await Trial.start({ databaseUrl: database.url });
  const figures = { terminated: 0, inCommit: 0 };
  await asOwner(async (client) => {
    await client.query(lingering);
    const terminate = async (): Promise<void> => {
      // Every other one in the middle of COMMIT.
      const [victim] = (await client.query<{ query: string; done: boolean }>(terminateOne(figures.terminated % 2 === 1))).rows;
      if (victim?.done !== true) return sleep(1);
      figures.terminated++;
      if (victim.query === "COMMIT") figures.inCommit++;
      const enough = trial.answers + answersBetween;
      await sleep(trial.random.between(0, 20));
      while (trial.answers < enough) await sleep(1);
    };
    while (figures.terminated < terminations) {
      const until = Math.min(terminations, figures.terminated + perRound);
      await trial.round(async () => {
        while (figures.terminated < until) await terminate();
      });
    }
    // The books are compared with a new ledger's, which does not linger.
    await client.query("drop trigger linger on ledger_head; drop function linger");
  }, database.url);
  await trial.finish(figures);
  expect(figures.inCommit).toBeGreaterThan(0);
  await database.remove();
});
