// How a PostgreSQL ledger comes to be, is found again, and is refused; and what is said of its durability.

import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openCopyTarget } from "../../src/copy-ends.ts";
import { executorOn } from "../../src/ledger/executor.ts";
import { StartError } from "../../src/start-error.ts";
import { openPostgresAudit } from "../../src/store/postgres/postgres-audit.ts";
import { openPostgresStore, type OpenedPostgres } from "../../src/store/postgres/open-postgres.ts";
import { toCommand } from "../support/asked.ts";
import { add, init, startMs, storyRules } from "../support/given.ts";
import { asOwner, makeDatabase, rowsOf } from "../support/postgres-place.ts";
import { untouched } from "../support/opened-store.ts";

let database: Awaited<ReturnType<typeof makeDatabase>>;
beforeEach(async () => {
  database = await makeDatabase("empty");
});
afterEach(() => database.remove());

const open = (partitions = 3): Promise<OpenedPostgres> => openPostgresStore(database.url, () => startMs, { partitions });
const run = (sentence: string): Promise<unknown> => asOwner((client) => client.query(sentence), database.url);

/** Opens it and closes it again. */
async function opened(partitions?: number): Promise<OpenedPostgres["durability"]> {
  const { store, durability } = await open(partitions);
  await store.close();
  return durability;
}

test("a new ledger has a head for each of its partitions, and keeps them", async () => {
  await opened(3);
  const before = await rowsOf(database.url);
  expect(before["ledger"]).toEqual([{ id: 1n, partitions: 3n, create_time_ms: BigInt(startMs) }]);
  expect(before["ledger_head"]).toMatchObject([0n, 1n, 2n].map((partition) => ({ partition, sequence: 0n, hash: Buffer.alloc(32), time_ms: BigInt(startMs), key_ordinal: 0n })));
  await opened(5);
  expect(await rowsOf(database.url)).toEqual(before);
});

test("servers that start at once make it once", async () => {
  const all = await Promise.all(Array.from({ length: 6 }, () => open()));
  await Promise.all(all.map(({ store }) => store.close()));
  expect((await rowsOf(database.url))["ledger_head"]).toHaveLength(3);
});

test("a migration that waits for somebody who reads a table lets all others pass meanwhile", async () => {
  await opened();
  await run("alter table journal drop column nonce; delete from kysely_migration where name = '0007-nonce'");
  let migrating: Promise<unknown> | undefined;
  await asOwner(async (reader) => {
    await reader.query("begin");
    await reader.query("select count(*) from journal");
    migrating = opened();
    const waiting = "select from pg_locks where relation = 'journal'::regclass and mode = 'AccessExclusiveLock' and not granted";
    while ((await reader.query(waiting)).rowCount === 0) await delay(10);
    // It waits behind the migration, which waits for the reader, and is to be done before either of them.
    await run("set lock_timeout = '10s'; select count(*) from journal");
    await reader.query("commit");
  }, database.url);
  await migrating;
  await run("select nonce from journal");
});

test("each partition is a journal of its own, with ids of its own", async () => {
  const { store } = await open();
  const answers = await Promise.all(
    [2, 0, 1].map((partition) =>
      store.transact([{ ...untouched, partition }], ({ partitions: [loaded] }) => ({ changes: [], result: loaded!.head.partition })),
    ),
  );
  expect(answers).toEqual([2, 0, 1]);
  await executorOn(store, storyRules).execute([toCommand(init())]);
  await store.close();
  expect((await rowsOf(database.url))["ledger_head"]!.map((row) => row["sequence"])).toEqual([0n, 1n, 0n]);
});

test("a database of another program is refused and left as it is", async () => {
  await run("create table bookings (id int)");
  await expect(open()).rejects.toThrow(StartError);
  await expect(open()).rejects.toThrow(/tables of another program/);
  expect(await asOwner(async (client) => (await client.query("select tablename from pg_tables where schemaname = 'public'")).rows, database.url)).toEqual([{ tablename: "bookings" }]);
});

test("tables that an extension has brought are no other program's", async () => {
  await run("create extension pg_buffercache; create table places (id int); alter extension pg_buffercache add table places");
  await opened();
});

test("a ledger of a newer version is refused", async () => {
  await opened();
  await run("insert into kysely_migration (name, timestamp) values ('9999-later', '2030')");
  await expect(open()).rejects.toThrow(/newer version of the wallet \(it has 9999-later\)/);
  await expect(openPostgresAudit(database.url)).rejects.toThrow(/newer version/);
});

test("a migration that fails leaves nothing", async () => {
  // Nobody but the migration makes indexes.
  await run(`create function refuse() returns event_trigger language plpgsql as 'begin if current_setting(''application_name'') = ''wallet'' then raise exception ''refused''; end if; end';
    create event trigger refuse on ddl_command_end when tag in ('CREATE INDEX') execute function refuse()`);
  await expect(open()).rejects.toThrow(/cannot be opened: P0001: refused/);
  expect(await asOwner(async (client) => (await client.query("select tablename from pg_tables where schemaname = 'public'")).rows, database.url)).toEqual([]);
  await run("drop event trigger refuse");
  await opened();
});

test("a server that is not there, a database that is not there, and a wrong password are sentences, without the password", async () => {
  const url = new URL(database.url);
  const wrong = [
    [{ port: "1" }, /ECONNREFUSED.*\. Start the server, or correct the host and the port/],
    [{ pathname: "/nowhere" }, /3D000.*\. Create the database first/],
    [{ password: "secret" }, /28P01.*\. Check the user and the password/],
  ] as const;
  for (const [change, sentence] of wrong) {
    const each = Object.assign(new URL(url), change);
    const error = await openPostgresStore(each.href, () => startMs, { partitions: 1 }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(StartError);
    expect((error as Error).message).toMatch(sentence);
    expect((error as Error).message).not.toContain(decodeURIComponent(each.password));
  }
});

describe("a role that may do little", () => {
  let role: string;
  let url: string;
  beforeEach(async () => {
    role = `reader_${new URL(database.url).pathname.slice(1)}`;
    await run(`create role ${role} login password 'x'`);
    url = Object.assign(new URL(database.url), { username: role, password: "x" }).href;
  });
  afterEach(() => run(`drop owned by ${role}; drop role ${role}`));
  const openAsRole = (): Promise<OpenedPostgres> => openPostgresStore(url, () => startMs, { partitions: 1 });

  test("may not make tables, and is told how it may", async () => {
    const sentence = `may not create tables in the schema public of the database: run "grant create on schema public to ${role}"`;
    await expect(openAsRole()).rejects.toThrow(`The role ${role} of WALLET_DATABASE_URL ${sentence}`);
    await expect(openCopyTarget({ kind: "postgres", url })).rejects.toThrow(`The role ${role} of --to ${sentence}`);
  });

  test("may not write in the ledger's tables, and is told how it may", async () => {
    await opened();
    await run(`grant select on all tables in schema public to ${role}`);
    await expect(openAsRole()).rejects.toThrow(
      new RegExp(`^The role ${role} of WALLET_DATABASE_URL may not write in the ledger, since it lacks UPDATE on ledger_head, INSERT on journal, .*: run "grant select, insert, update, delete on all tables in schema public to ${role}"`),
    );
    await run(`grant select, insert, update, delete on all tables in schema public to ${role}`);
    const { store } = await openAsRole();
    const executor = executorOn(store, storyRules);
    expect(await executor.execute([toCommand(init())])).toMatchObject([{ type: "applied" }]);
    // Taken away while it is served, and given back.
    await run(`revoke insert on journal from ${role}`);
    await expect(executor.execute([toCommand(add("1"))])).rejects.toMatchObject({ name: "StoreFault", kind: "unavailable" });
    await run(`grant insert on journal to ${role}`);
    await delay(300);
    expect(await executor.execute([toCommand(add("1"))])).toMatchObject([{ type: "applied" }]);
    await executor.close();
  });

  test("needs no more than what a service does with each table", async () => {
    await opened();
    await run(`grant select on all tables in schema public to ${role}; grant insert on journal, wallets, holds, idempotency_keys, currency_totals, history_marks to ${role};
      grant update on ledger_head, wallets, holds, idempotency_keys, currency_totals to ${role}; grant delete on idempotency_keys to ${role}`);
    const { store } = await openAsRole();
    const executor = executorOn(store, storyRules);
    expect(await executor.execute([toCommand(init()), toCommand(add("1"))])).toMatchObject([{ type: "applied" }, { type: "applied" }]);
    await executor.close();
  });
});

test("a server without TLS, of which the URL asks for it, is a sentence", async () => {
  const url = `${database.url}?sslmode=require`;
  await expect(openPostgresStore(url, () => startMs, { partitions: 1 })).rejects.toThrow(/^The ledger's database cannot be opened: The server does not support SSL connections\. WALLET_DATABASE_URL asks for TLS with sslmode: turn it on at the server, or take sslmode out/);
});

test("a verification opens what is a ledger, and nothing else", async () => {
  await expect(openPostgresAudit(database.url)).rejects.toThrow(/not a ledger yet/);
  await opened();
  const audit = await openPostgresAudit(database.url);
  await audit.snapshot(async (rows) => {
    const { actual, expected } = await rows.schema();
    expect(actual).toEqual(expected);
    expect(await rows.strayTables(3n)).toEqual([]);
    expect(await rows.strayTables(2n)).toEqual(["ledger_head"]);
  });
  await audit.close();
});

test("what makes acknowledged work less than durable is said", async () => {
  expect(await opened()).toEqual({ durable: true, reasons: [] });
  await run(`do $$ begin execute format('alter database %I set synchronous_commit = off', current_database()); end $$`);
  const durability = await opened();
  expect(durability.durable).toBe(false);
  expect(durability.reasons).toMatchObject([expect.stringMatching(/^synchronous_commit is off: /)]);
});
