// SQLite's query plans: everything that is looked for is found through a key, never by walking a partition, however the planner guesses.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { prepareHistory } from "../../src/store/sqlite/history.ts";
import { prepareHoldLists } from "../../src/store/sqlite/hold-lists.ts";
import { prepareLoad } from "../../src/store/sqlite/load.ts";
import { prepareQueries } from "../../src/store/sqlite/queries.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { prepareWrite } from "../../src/store/sqlite/write.ts";

let folder: string;
const plans = new Map<string, string[]>();

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "wallet-plans-"));
  const path = join(folder, "wallet.db");
  await (await openSqliteStore(path, Date.now)).close();
  const connection = new Database(path);
  const prepare = connection.prepare.bind(connection);
  connection.prepare = (sql: string) => {
    const values = [...sql.matchAll(/\?/g)].map(() => null);
    plans.set(sql, (prepare(`explain query plan ${sql}`).all(...values) as { detail: string }[]).map((step) => step.detail));
    return prepare(sql);
  };
  const queries = prepareQueries(connection);
  prepareLoad(connection, queries);
  prepareWrite(connection);
  prepareHistory(connection, queries, 0n);
  prepareHoldLists(connection, queries, 0n);
  connection.close();
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("query plans", () => {
  it("no statement scans a table or sorts what it found", () => {
    const steps = [...plans].flatMap(([sql, plan]) => plan.map((step) => `${step} ← ${sql}`));
    expect(steps.length).toBeGreaterThan(10);
    expect(steps.filter((step) => /^SCAN|TEMP B-TREE/.test(step))).toEqual([]);
  });

  it("only heads, counters and the ends of a table are looked for by the partition alone", () => {
    const byPartitionAlone = [...plans].filter(([, plan]) => plan.some((step) => step.endsWith("(partition=?)"))).map(([sql]) => /(?:from|update) "(\w+)"/.exec(sql)?.[1]);
    expect(new Set(byPartitionAlone)).toEqual(new Set(["ledger_head", "currency_totals", "idempotency_keys"]));
  });
});
