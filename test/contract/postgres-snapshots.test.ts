// Snapshots of all partitions, begun as on several machines, with every head kept for a moment: that works on one machine, too.

import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { openReadingConnections, type Connections } from "../../src/store/postgres/connection.ts";
import { openPostgresStore } from "../../src/store/postgres/open-postgres.ts";
import { queries } from "../../src/store/postgres/queries.ts";
import { SnapshotsOfAll } from "../../src/store/postgres/snapshots-of-all.ts";
import { asOwner, makeDatabase } from "../support/postgres-place.ts";

const partitions = 4;
/** Those of a pool that reads. */
const connectionCount = 8;

let database: Awaited<ReturnType<typeof makeDatabase>>;
let connections: Connections;
let snapshots: SnapshotsOfAll;

beforeAll(async () => {
  database = await makeDatabase("migrated");
  const { store } = await openPostgresStore(database.url, Date.now, { partitions });
  await store.close();
});
afterAll(() => database.remove());
beforeEach(() => {
  connections = openReadingConnections(database.url);
  snapshots = new SnapshotsOfAll(connections, partitions);
});
afterEach(() => connections.close());

const sequencesIn = (all: SnapshotsOfAll): Promise<bigint[]> =>
  all.read((session) => Promise.all(Array.from({ length: partitions }, async (_, partition) => (await session.get(queries.head, { partition: BigInt(partition) }))!.sequence)));

/** Changes the first head and then the last one, on its own. */
const write = (): Promise<unknown> =>
  asOwner(async (client) => {
    await client.query("begin; set local lock_timeout = '1s'");
    for (const partition of [0, partitions - 1]) await client.query("update ledger_head set sequence = sequence + 1 where partition = $1", [partition]);
    await client.query("commit");
  }, database.url);

test("a snapshot waits for who is in the middle of a commit, and keeps nobody once it has begun", async () => {
  const committed = Promise.withResolvers<void>();
  const before = await sequencesIn(snapshots);
  const writing = asOwner(async (client) => {
    await client.query("begin");
    await client.query("update ledger_head set sequence = sequence + 1 where partition = 0");
    committed.resolve();
    await sleep(200);
    await client.query("update ledger_head set sequence = sequence + 1 where partition = $1", [partitions - 1]);
    await client.query("commit");
  }, database.url);
  await committed.promise;
  const seen = await snapshots.read(async (session) => {
    await write();
    return (await session.get(queries.head, { partition: 0n }))!.sequence;
  });
  await writing;
  expect(seen).toBe(before[0]! + 1n);
});

test("more readers than connections get through, and leave none behind", async () => {
  await Promise.all(Array.from({ length: 3 * connectionCount }, () => sequencesIn(snapshots)));
  expect({ all: connections.pool.totalCount, idle: connections.pool.idleCount, waiting: connections.pool.waitingCount }).toEqual({ all: connections.pool.totalCount, idle: connections.pool.totalCount, waiting: 0 });
});

test("while it has no connection to read on, writers are not kept", async () => {
  const taken = await Promise.all(Array.from({ length: connectionCount }, () => connections.take()));
  const read = sequencesIn(snapshots);
  // All but one of the two that it needs.
  taken.pop()!.release({ isBroken: false });
  await write();
  await expect(read).rejects.toThrow(/timeout/);
  for (const session of taken) session.release({ isBroken: false });
  expect(await sequencesIn(snapshots)).toHaveLength(partitions);
});

test("what fails one fails those who wait behind it at once, and the next one begins anew", async () => {
  const taken = await Promise.all(Array.from({ length: connectionCount }, () => connections.take()));
  const failed = await Promise.allSettled(Array.from({ length: 4 }, () => sequencesIn(snapshots)));
  // Of all of them it is the first one's, which waited for a connection until there was none.
  const causes = new Set(failed.map((each) => (each.status === "rejected" ? (each.reason as Error).cause : "not rejected")));
  expect(causes.size).toBe(1);
  expect(String([...causes][0])).toMatch(/timeout/);
  for (const session of taken) session.release({ isBroken: false });
  expect(await sequencesIn(snapshots)).toHaveLength(partitions);
});

test("a ledger on one machine has one snapshot for all, and nobody is kept", async () => {
  const found = await SnapshotsOfAll.of(connections);
  await found.read(async (session) => {
    await write();
    const { rows } = await session.send("select pid::text from pg_locks where relation = 'ledger_head'::regclass and mode = 'RowShareLock' and database = (select oid from pg_database where datname = current_database())");
    expect(rows).toEqual([]);
  });
});
