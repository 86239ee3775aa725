// Whatever PostgreSQL knows of the tables, every statement of the engine finds its rows by the index that leads to them. A connection keeps a plan until there are statistics, which takes a
// minute at the least: where the planner takes a partition for a row or two, to walk all of it looks as cheap as a look by its key, and the keys of 1,000 operations once took four seconds.

import { afterAll, beforeAll, expect, test } from "vitest";
import { partitionOf } from "../../src/domain/partitions.ts";
import type { UserId } from "../../src/domain/wallet.ts";
import { executorOn, type Executor } from "../../src/ledger/executor.ts";
import { verifyLedger } from "../../src/store/audit/verification.ts";
import { openWritingConnections, withSession } from "../../src/store/postgres/connection.ts";
import { openPostgresStore } from "../../src/store/postgres/open-postgres.ts";
import { openPostgresAudit } from "../../src/store/postgres/postgres-audit.ts";
import { openPostgresReads } from "../../src/store/postgres/postgres-reads.ts";
import { openSqliteScratch } from "../../src/store/sqlite/sqlite-scratch.ts";
import { cleanUpServers, OwnPostgres } from "../support/own-postgres.ts";
import { startMs, storyRules } from "../support/given.ts";
import { MixedWriter } from "../support/mixed-ledger.ts";

/** Of each table. Between 137 and 292 keys the index by hash had a level more than the one by ordinal, and was thought the dearer one. */
const rowCounts = [0, 20, 100, 150, 200, 250, 290, 400, 1_000, 3_000, 10_000];

const idempotencyRetentionMs = 3_600_000;
let nowMs = startMs;
let database: OwnPostgres;
/** By the names under which they are prepared. */
const statements = new Map<string, string>();

beforeAll(async () => {
  database = await OwnPostgres.start({ autovacuum: "off", log_statement: "all" });
  const { store } = await openPostgresStore(database.url, () => nowMs, { partitions: 1 });
  const executor = executorOn(store, { ...storyRules, idempotencyRetentionMs });
  await write(executor);
  await look();
  await executor.close();
  await verify();
  for (const [, name, text] of database.log().matchAll(/LOG: {2}execute ([^<:]+): ([^]*?)\n(?=\d{4}-)/g)) statements.set(name!, text!);
});
afterAll(cleanUpServers);

/** Operations of every kind, and keys old enough to be forgotten. */
async function write(executor: Executor): Promise<void> {
  const writer = new MixedWriter(executor, { seed: 5, users: 4, passMs: (ms) => void (nowMs += ms) });
  await writer.open();
  for (let batch = 0; batch < 12; batch++) {
    await writer.write(60);
    if (batch === 6) nowMs += 2 * idempotencyRetentionMs;
  }
}

/** Asks each question of the past and the present. */
async function look(): Promise<void> {
  const reads = await openPostgresReads(database.url, () => nowMs);
  const [userId, currency] = ["user-1" as UserId, undefined];
  const [wallet] = await reads.wallets(userId, currency);
  const upTo = (await reads.head(partitionOf(userId, 1))).sequence;
  const page = { max: 10, lookedAtMax: 100, continueAt: undefined };
  await reads.wallets(userId, wallet!.currency);
  await reads.operation(1n);
  await reads.operationsAfter(0, 0n, 10);
  for (const status of ["ACTIVE", undefined] as const) for (const whose of [userId, undefined]) await reads.holds({ ...page, userId: whose, currency, status, eligibleAtMs: undefined });
  await reads.hold(userId, 10n);
  await reads.key(userId, "00".repeat(32));
  for (const whose of [userId, undefined]) await reads.totals({ userId: whose, currency });
  await reads.hasOverdue({ userId, currency });
  await reads.walletAsOf(wallet!, { timeMs: nowMs - 1_000 });
  await reads.walletAsOf(wallet!, { sequence: upTo / 2n });
  await reads.operations({ ...page, wallet: wallet!, kind: undefined, reference: undefined, startTimeMs: undefined, endTimeMs: undefined, notesMaxBytes: 10_000 });
  await reads.period(wallet!, { startTimeMs: startMs, endTimeMs: nowMs });
  await reads.operationsForward(wallet!, { after: 0n, upTo });
  await reads.close();
}

async function verify(): Promise<void> {
  const audit = await openPostgresAudit(database.url);
  const scratch = openSqliteScratch();
  expect((await verifyLedger(audit, scratch, { idempotencyRetentionMs, afterStep: async () => {} })).mismatches).toEqual([]);
  scratch.close();
  await audit.close();
}

/** Gives each table that many rows in the place of those that it has, without telling the planner. */
async function fill(rows: number): Promise<void> {
  const copies: Readonly<Record<string, string>> = {
    wallets: "wallet_id = n, user_id = 'user ' || n",
    holds: "hold_id = n, wallet_id = n % 50, eligible_time_ms = n, status = n % 2 + 1",
    journal: "sequence = n, operation_id = n",
    history_marks: "wallet_id = n % 50, sequence = n",
    idempotency_keys: "ordinal = n, key_hash = sha256(n::text::bytea)",
  };
  for (const [table, changed] of Object.entries(copies)) {
    // The row as JSON with some of its values replaced: whatever other columns the table has.
    const replaced = changed.replaceAll(/(\w+) = ([^,]+(?:\([^)]*\))?)(?:, |$)/g, "'$1', $2, ").replace(/, $/, "");
    await database.ask(`create table if not exists one_of_${table} as select * from ${table} limit 1`);
    await database.ask(`truncate ${table}`);
    await database.ask(`insert into ${table} select made.* from one_of_${table} as one, generate_series(1, ${rows}) as n, jsonb_populate_record(null::${table}, to_jsonb(one) || jsonb_build_object(${replaced})) as made`);
  }
}

interface PlanNode {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly "Index Name"?: string;
  readonly "Index Cond"?: string;
  readonly Filter?: string;
  readonly Plans?: readonly PlanNode[];
}

/** Scans of a whole table, or of a partition without being told where: but for its first rows in the index's order. */
function walks(node: PlanNode, parent?: PlanNode): string[] {
  const { "Node Type": type, "Relation Name": table, "Index Name": index, "Index Cond": condition, Filter: filter } = node;
  const isLimited = parent?.["Node Type"] === "Limit" && filter === undefined;
  const isWalk = type.endsWith("Scan") && table !== undefined && !smallTables.has(table) && (condition === undefined || (/^\(partition = [^()]*\)$/.test(condition) && !isLimited));
  return [...(isWalk ? [`${type} of ${table} by ${index}: ${condition}, filter ${filter}`] : []), ...(node.Plans ?? []).flatMap((child) => walks(child, node))];
}

/** A row or a few a partition. */
const smallTables = new Set(["ledger", "ledger_head", "currency_totals", "moved_operations"]);

test("the history has led to every statement that finds rows", () => {
  const names = [...statements.keys()];
  expect(names.length).toBeGreaterThan(30);
});

test.each(rowCounts)("%i rows a table, and no statistics: no statement walks a partition", async (rows) => {
  await fill(rows);
  expect(await walksOfAll()).toEqual([]);
});

// Autovacuum makes none of fewer than 50.
test.each([50, 200, 10_000])("statistics of %i rows, of which there are 10,000 now: no statement walks a partition", async (rows) => {
  await fill(rows);
  await database.ask("analyze");
  await fill(10_000);
  expect(await walksOfAll()).toEqual([]);
});

async function walksOfAll(): Promise<string[]> {
  const found: string[] = [];
  const connections = openWritingConnections(database.url);
  await withSession(connections, async (session) => {
    // What a connection keeps from the sixth time on.
    await session.send("set plan_cache_mode = force_generic_plan");
    for (const [name, text] of statements) {
      const parameters = Math.max(0, ...[...text.matchAll(/\$(\d+)/g)].map(([, number]) => Number(number)));
      await session.send(`prepare "${name}" as ${text}`);
      const { rows } = await session.send(`explain (format json) execute "${name}"${parameters > 0 ? `(${Array<string>(parameters).fill("null").join(", ")})` : ""}`);
      const [{ Plan: plan }] = JSON.parse((rows[0] as { "QUERY PLAN": string })["QUERY PLAN"]) as [{ Plan: PlanNode }];
      found.push(...walks(plan).map((walk) => `${name}: ${walk}`));
    }
  });
  await connections.close();
  return found;
}
