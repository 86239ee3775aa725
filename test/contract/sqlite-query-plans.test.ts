// SQLite's query plans: everything that is looked for is found through a key, never by walking a partition, however the planner guesses.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { KeyIndexes } from "../../src/store/sqlite/keys/key-index.ts";
import { LateRows, lateRowSizes } from "../../src/store/sqlite/newer-wallets/late-rows.ts";
import { keyIndexSizes } from "../../src/store/sqlite/keys/key-index-sizes.ts";
import { prepareLoad } from "../../src/store/sqlite/load.ts";
import { prepareLookups } from "../../src/store/sqlite/lookups.ts";
import { withNewest } from "../../src/store/sqlite/queries.ts";
import { prepareReading } from "../../src/store/sqlite/reading-statements.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { prepareWrite } from "../../src/store/sqlite/write.ts";
import { writtenQueries } from "../../src/store/sqlite/written-queries.ts";

let folder: string;
const plans = new Map<string, string[]>();
const lookupPlans: string[][] = [];
let indexesOfSchema: string[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "wallet-plans-"));
  const path = join(folder, "wallet.db");
  await (await openSqliteStore(path, Date.now)).close();
  const connection = new Database(path);
  indexesOfSchema = connection.prepare<[], string>("select name from sqlite_schema where type = 'index' and sql is not null").pluck().all();
  const prepare = connection.prepare.bind(connection);
  connection.prepare = (sql: string) => {
    const values = [...sql.matchAll(/\?/g)].map(() => null);
    plans.set(sql, (prepare(`explain query plan ${sql}`).all(...values) as { detail: string }[]).map((step) => step.detail));
    return prepare(sql);
  };
  const { queries } = prepareReading(connection, writtenQueries);
  const keyIndexes = new KeyIndexes(connection, keyIndexSizes);
  const lateRows = new LateRows(connection, lateRowSizes);
  prepareLoad(connection, withNewest(queries, lateRows.newerWallets), keyIndexes, 1);
  prepareWrite(connection, keyIndexes, lateRows);
  const others = new Set(plans.keys());
  prepareLookups(connection);
  for (const [sql, plan] of plans) if (!others.has(sql)) lookupPlans.push(plan);
  connection.close();
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("query plans", () => {
  it("no statement scans a table or sorts what it found", () => {
    const steps = [...plans].flatMap(([sql, plan]) => plan.map((step) => `${step} ← ${sql}`));
    expect(steps.length).toBeGreaterThan(10);
    expect(steps.filter((step) => /^SCAN|TEMP B-TREE/.test(step))).toEqual([]);
  });

  it("none is planned anew in every run", () => {
    const ordered = [...plans.keys()].filter((sql) => /order by|limit/i.test(sql));
    expect(ordered.length).toBeGreaterThan(10);
    expect(ordered.filter((sql) => /(?<!\+)\?/.test(sql))).toEqual([]);
  });

  it("only heads, counters and the ends of a table are looked for by the partition alone", () => {
    const byPartitionAlone = [...plans].filter(([, plan]) => plan.some((step) => step.endsWith("(partition=?)"))).map(([sql]) => /(?:from|update) "(\w+)"/.exec(sql)?.[1]);
    expect(new Set(byPartitionAlone)).toEqual(new Set(["ledger_head", "currency_totals", "idempotency_keys", "newer_wallets", "key_runs"]));
  });

  it("a verification looks rows up through every index there is", () => {
    expect(lookupPlans).toEqual([
      ["SEARCH wallets USING COVERING INDEX wallets_by_user (partition=? AND user_id=? AND currency=?)"],
      ["SEARCH holds USING COVERING INDEX active_holds_by_currency (partition=? AND currency=? AND eligible_time_ms=? AND hold_id>?)"],
      ["SEARCH holds USING COVERING INDEX active_holds_by_wallet (partition=? AND wallet_id=? AND eligible_time_ms=? AND hold_id>?)"],
    ]);
    const indexes = lookupPlans.flat().map((step) => /INDEX (\w+)/.exec(step)?.[1]);
    expect(new Set(indexes)).toEqual(new Set(indexesOfSchema));
  });

  it("a key is found in a run by its hash, and a run is read in their order", () => {
    const ofChunks = [...plans].filter(([sql]) => /^select .* from "key_chunks"/.test(sql)).flatMap(([, plan]) => plan);
    expect(new Set(ofChunks)).toEqual(
      new Set([
        "SEARCH key_chunks USING INDEX sqlite_autoindex_key_chunks_1 (partition=? AND run=? AND first_hash<?)",
        "SEARCH key_chunks USING INDEX sqlite_autoindex_key_chunks_1 (partition=? AND run=? AND first_hash>?)",
      ]),
    );
  });

  it.each([
    ["holds", "hold_id"],
    ["journal", "sequence"],
    ["wallets", "wallet_id"],
  ])("a link into %s is followed by a key", (table, id) => {
    const byKey = [...plans].filter(([sql]) => sql.startsWith("select ") && sql.endsWith(` from "${table}" where "partition" = +? and "${id}" = +?`));
    expect(byKey.length).toBeGreaterThan(0);
    for (const [, plan] of byKey) expect(plan).toEqual([`SEARCH ${table} USING PRIMARY KEY (partition=? AND ${id}=?)`]);
  });
});
