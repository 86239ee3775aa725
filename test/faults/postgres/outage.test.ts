// A database that answers nobody is waited for once: whoever comes behind those who have waited hears at once, and the first try after it is back succeeds.

import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { executorOn } from "../../../src/ledger/executor.ts";
import { openPostgresStore } from "../../../src/store/postgres/open-postgres.ts";
import { toCommand } from "../../support/asked.ts";
import { add, init, storyRules } from "../../support/given.ts";
import { asOwner, makeDatabase } from "../../support/postgres-place.ts";

const accept = (isOpen: boolean): string => `do $$ begin execute format('alter database %I with allow_connections ${isOpen}', current_setting('ledger.name')); end $$`;

test("one batch after another while the database takes no connections, and again when it does", async () => {
  const database = await makeDatabase("empty");
  const name = new URL(database.url).pathname.slice(1);
  const { store } = await openPostgresStore(database.url, Date.now, { partitions: 8 });
  const executor = executorOn(store, storyRules);
  await executor.execute([toCommand(init())]);
  const open = (isOpen: boolean) =>
    asOwner(async (client) => {
      await client.query("select set_config('ledger.name', $1, false)", [name]);
      await client.query(accept(isOpen));
      await client.query("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", [name]);
    });
  await open(false);
  const refusal = () => executor.execute([toCommand(add("1"))]).catch((error: unknown) => error);
  const waited = await refusal();
  expect(waited).toMatchObject({ name: "StoreFault", kind: "unavailable", message: expect.stringMatching(/not currently accepting connections.*the last of \d+ tries/) as string });
  // Its last pause would have led beyond the time for which the database is waited for.
  await sleep(600);
  for (let batch = 0; batch < 20; batch++) {
    expect(String(await refusal())).toMatch(/^StoreFault: 55000: [^(]*$/);
    await sleep(20);
  }
  await open(true);
  // What has just failed is not tried again in the same moment.
  await sleep(300);
  expect(await executor.execute([toCommand(add("1"))])).toMatchObject([{ type: "applied" }]);
  await executor.close();
  await database.remove();
});
