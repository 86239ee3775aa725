// How often a server looks for a partition's oldest key: while that one is young, never; and what is past its retention is forgotten all the same.

import { afterEach, beforeEach, expect, test } from "vitest";
import { executorOn, type Executor } from "../../src/ledger/executor.ts";
import { openPostgresStore } from "../../src/store/postgres/open-postgres.ts";
import { toCommand } from "../support/asked.ts";
import { add, hourMs, init, startMs, storyRules } from "../support/given.ts";
import { makeDatabase, rowsOf } from "../support/postgres-place.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";

/** Of the message that runs a prepared statement: no portal's name, then the statement's (https://www.postgresql.org/docs/current/protocol-message-formats.html). */
const look = "\0oldest key\0";

let database: Awaited<ReturnType<typeof makeDatabase>>;
let proxy: TcpProxy;
let executor: Executor;
let looks: number;
let nowMs: number;

beforeEach(async () => {
  database = await makeDatabase("migrated");
  proxy = await TcpProxy.before(database.url);
  looks = 0;
  proxy.rewriter = () => {
    // A message may come in two pieces.
    let last = "";
    return (data) => {
      const seen = last + data.toString("latin1");
      looks += seen.split(look).length - 1;
      last = seen.slice(-look.length + 1);
      return data;
    };
  };
  nowMs = startMs;
  const { store } = await openPostgresStore(proxy.through(database.url), () => nowMs, { partitions: 1 });
  executor = executorOn(store, storyRules);
});
afterEach(async () => {
  await executor.close();
  await proxy.close();
  await database.remove();
});

test("the oldest key is looked for once, again when it is past its retention, and forgotten then", async () => {
  const looksOf = async (key: string): Promise<number> => {
    const before = looks;
    await executor.execute([toCommand(add("1", { key }))]);
    return looks - before;
  };
  await executor.execute([toCommand(init())]);
  // Nobody knows whether there are any until one was seen.
  expect(await looksOf("first")).toBe(1);
  expect(await looksOf("second")).toBe(1);
  expect(await looksOf("third")).toBe(0);
  nowMs += hourMs;
  expect(await looksOf("fourth")).toBe(1);
  nowMs++;
  expect(await looksOf("fifth")).toBe(1);
  expect((await rowsOf(database.url))["idempotency_keys"]!.map((row) => row["time_ms"])).toEqual([BigInt(startMs + hourMs), BigInt(startMs + hourMs + 1)]);
  expect(await looksOf("sixth")).toBe(1);
  expect(await looksOf("seventh")).toBe(0);
});
