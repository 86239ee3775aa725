// PostgreSQL's faults are the store's to bear: backends that are terminated, connections that are cut around COMMIT, conflicts, servers beside each other. Nothing is lost and nothing done twice.

import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Answer } from "../../src/domain/answer.ts";
import { partitionOf } from "../../src/domain/partitions.ts";
import type { UserId } from "../../src/domain/wallet.ts";
import { executorOn, type Executor } from "../../src/ledger/executor.ts";
import { withoutOverdue } from "../../src/ledger/overdue-holds.ts";
import { openPostgresStore, type PostgresOptions } from "../../src/store/postgres/open-postgres.ts";
import { openPostgresReads } from "../../src/store/postgres/postgres-reads.ts";
import { StoreFault, type Reads } from "../../src/store/store.ts";
import { randomNumbers } from "../e2e/random-numbers.ts";
import { toCommand, type Asked } from "../support/asked.ts";
import { add, init, storyRules } from "../support/given.ts";
import { asOwner, checkPostgresBooks, makeDatabase, rowsOf } from "../support/postgres-place.ts";
import { TcpProxy, type Cut } from "../support/tcp-proxy.ts";

/** Cuts, terminations and conflicts of each kind; a long run has thousands. */
const rounds = Number(process.env["TEST_FAULTS"] ?? 40);

let database: Awaited<ReturnType<typeof makeDatabase>>;
let closing: (() => Promise<unknown>)[];
/** How often a store has looked at the clock: once for each try. */
let tries: number;

beforeEach(async () => {
  database = await makeDatabase("migrated");
  closing = [];
  tries = 0;
});
afterEach(async () => {
  for (const close of closing) await close();
  await database.remove();
});

async function open(url = database.url, { nowMs = Date.now, ...options }: Partial<PostgresOptions> & { readonly nowMs?: () => number } = {}): Promise<Executor> {
  const clock = (): number => ((tries += 1), nowMs());
  const { store } = await openPostgresStore(url, clock, { partitions: 1, ...options });
  const executor = executorOn(store, storyRules);
  closing.push(() => executor.close());
  return executor;
}

const ask = (executor: Executor, ...batch: Asked[]): Promise<readonly Answer[]> => executor.execute(batch.map(toCommand));

/** Terminates the backends that serve the ledger; answers how many there were. */
async function terminate(where = "true"): Promise<number> {
  const sentence = `select count(pg_terminate_backend(pid)) filter (where ${where}) as count from pg_stat_activity where datname = current_database() and application_name = 'wallet' and pid <> pg_backend_pid() and (${where})`;
  return asOwner(async (client) => Number((await client.query<{ count: string }>(sentence)).rows[0]!.count), database.url);
}

/** Every addition that was acknowledged is there once, whether or not others are; and the books are right. */
async function expectEachOnce(references: readonly string[]): Promise<void> {
  const found = (await rowsOf(database.url))["journal"]!.flatMap((row) => (row["reference"] === null ? [] : [row["reference"] as string]));
  expect(new Set(found).size).toBe(found.length);
  expect(references.filter((reference) => !found.includes(reference))).toEqual([]);
  expect((await checkPostgresBooks(database.url)).problems).toEqual([]);
}

describe("a connection that is cut around COMMIT", () => {
  let proxy: TcpProxy;

  /** Two servers whose clocks stand still at the same time; the first may be cut off. */
  const openStopped = async (partitions: number): Promise<[Executor, Executor]> => {
    const timeMs = Date.now();
    const options = { partitions, nowMs: () => timeMs };
    return [await open(proxy.through(database.url), options), await open(database.url, options)];
  };

  beforeEach(async () => {
    proxy = await TcpProxy.before(database.url);
  });
  afterEach(() => proxy.close());

  test.each<Cut>(["before", "after", "answered"])("%s: the batch is committed once, and answered", async (cut) => {
    const executor = await open(proxy.through(database.url));
    await ask(executor, init());
    const references: string[] = [];
    for (let round = 0; round < rounds; round++) {
      proxy.cutNextCommit(cut);
      references.push(`${cut} ${round}`);
      const [answer] = await ask(executor, add("1", { reference: references.at(-1)! }));
      expect(answer).toMatchObject({ type: "applied", replayed: false, record: { sequence: BigInt(round + 2) } });
    }
    expect(proxy.cuts).toBe(rounds);
    await expectEachOnce(references);
  });

  test("a batch of nothing but rejections is settled by its last key", async () => {
    const executor = await open(proxy.through(database.url));
    await ask(executor, init());
    for (const cut of ["before", "after", "answered"] as const) {
      proxy.cutNextCommit(cut);
      expect(await ask(executor, { type: "withdraw", user: "alice", amount: "5", key: cut })).toMatchObject([{ type: "rejected", replayed: false }]);
    }
    expect((await rowsOf(database.url))["idempotency_keys"]).toHaveLength(3);
    await expectEachOnce([]);
  });

  test("its place in the journal may be another server's by then", async () => {
    const [cut, other] = [await open(proxy.through(database.url)), await open()];
    await ask(cut, init());
    const random = randomNumbers(7);
    const over = new AbortController();
    const others: string[] = [];
    const writing = (async () => {
      while (!over.signal.aborted) {
        others.push(`other ${others.length}`);
        await ask(other, add("1", { reference: others.at(-1)! }));
      }
    })();
    const references: string[] = [];
    for (let round = 0; round < rounds; round++) {
      proxy.cutNextCommit((["before", "after", "answered"] as const)[random(3)]!);
      references.push(`cut ${round}`);
      expect(await ask(cut, add("1", { reference: references.at(-1)! }))).toMatchObject([{ type: "applied" }]);
    }
    over.abort();
    await writing;
    await expectEachOnce([...references, ...others]);
  });

  test("another server may have written the very same in one of its partitions by then: it is committed only where all of it is", async () => {
    const users = ["alice", "bob", "carol", "dave"].toSorted((a, b) => partitionOf(a as UserId, 8) - partitionOf(b as UserId, 8));
    const [payer, elsewhere] = [users[0]!, users.at(-1)!];
    expect(partitionOf(payer as UserId, 8)).toBeLessThan(partitionOf(elsewhere as UserId, 8));
    const [cut, other] = await openStopped(8);
    await ask(other, init("USD", { user: payer }), init("USD", { user: elsewhere }));
    let others: Promise<unknown> | undefined;
    proxy.whenCommit = () => {
      proxy.whenCommit = () => undefined;
      // It waits for the head, and is first when the one that was cut is over.
      others = ask(other, add("1", { user: payer }));
      return "before";
    };
    // Nothing tells the two apart in the payer's partition, which is locked first: the same record at the same time.
    const answers = await ask(cut, add("1", { user: payer }), add("2", { user: elsewhere, reference: "elsewhere" }));
    await others;
    expect(answers).toMatchObject([{ type: "applied" }, { type: "applied" }]);
    expect(proxy.cuts).toBe(1);
    const journal = (await rowsOf(database.url))["journal"]!;
    expect(journal.filter(({ reference }) => reference === "elsewhere")).toHaveLength(1);
    // Opened twice, and three additions.
    expect(journal).toHaveLength(5);
  });

  test("another server may have written the very same and nothing else: both are told of an operation of their own", async () => {
    const [cut, other] = await openStopped(1);
    await ask(other, init());
    let others: Promise<unknown> | undefined;
    proxy.whenCommit = () => {
      proxy.whenCommit = () => undefined;
      // It waits for the head, and is first when the one that was cut is over.
      others = ask(other, add("1"));
      return "before";
    };
    const answers = [await ask(cut, add("1")), await others];
    expect(answers).toMatchObject([[{ type: "applied" }], [{ type: "applied" }]]);
    expect(proxy.cuts).toBe(1);
    expect((await rowsOf(database.url))["journal"]).toHaveLength(3);
  });

  test("another server may have refused the same in one of its partitions by then: every rejection is remembered", async () => {
    const users = ["alice", "bob", "carol", "dave"].toSorted((a, b) => partitionOf(a as UserId, 8) - partitionOf(b as UserId, 8));
    const [first, last] = [users[0]!, users.at(-1)!];
    const [cut, other] = await openStopped(8);
    await ask(other, init("USD", { user: first }), init("USD", { user: last }));
    let others: Promise<unknown> | undefined;
    proxy.whenCommit = () => {
      proxy.whenCommit = () => undefined;
      others = ask(other, { type: "withdraw", user: first, amount: "5", key: "k" });
      return "before";
    };
    const answers = await ask(cut, { type: "withdraw", user: first, amount: "5", key: "k" }, { type: "withdraw", user: last, amount: "5", key: "k" });
    await others;
    expect(answers).toMatchObject([{ type: "rejected" }, { type: "rejected" }]);
    expect((await rowsOf(database.url))["idempotency_keys"]).toHaveLength(2);
  });

  test("nothing passes any more on the connections that there are: one that is new tells what became of it", async () => {
    // A connection that lay idle would be waited for until it is too late.
    const executor = await open(proxy.through(database.url), { partitions: 8, answerMaxMs: 3_500 });
    await Promise.all(["alice", "bob", "carol"].map((user) => ask(executor, init("USD", { user }))));
    expect(proxy.connections).toBeGreaterThan(1);
    proxy.whenCommit = () => {
      proxy.whenCommit = () => undefined;
      proxy.freeze();
      return undefined;
    };
    expect(await ask(executor, add("1", { reference: "frozen" }))).toMatchObject([{ type: "applied", replayed: false }]);
    await expectEachOnce(["frozen"]);
  });

  test("where nobody can be asked any more, the outcome is unknown", async () => {
    const executor = await open(proxy.through(database.url));
    await ask(executor, init());
    proxy.cutNextCommit("answered");
    const asked = ask(executor, add("1", { reference: "unknown" }));
    while (proxy.cuts === 0) await delay(1);
    await proxy.close();
    await expect(asked).rejects.toMatchObject({ name: "StoreFault", kind: "unknown" });
    proxy = await TcpProxy.before(database.url);
    await expectEachOnce([]);
  });
});

describe("a backend that is terminated", () => {
  test("while nothing is asked of it is replaced", async () => {
    const executor = await open();
    const reads = await openPostgresReads(database.url, Date.now);
    closing.push(() => reads.close());
    await ask(executor, init());
    for (let round = 0; round < 5; round++) {
      expect(await reads.head(0)).toMatchObject({ sequence: BigInt(round + 1) });
      expect(await terminate()).toBeGreaterThan(0);
      await delay(20);
      expect(await ask(executor, add("1"))).toMatchObject([{ type: "applied" }]);
    }
    await expectEachOnce([]);
  });

  test("while it waits for the head: the batch is begun again", async () => {
    const executor = await open();
    await ask(executor, init());
    await asOwner(async (holder) => {
      await holder.query("begin");
      await holder.query("select from ledger_head for update");
      const asked = ask(executor, add("1", { reference: "waited" }));
      while ((await terminate("wait_event_type = 'Lock'")) === 0) await delay(5);
      await holder.query("commit");
      expect(await asked).toMatchObject([{ type: "applied" }]);
    }, database.url);
    await expectEachOnce(["waited"]);
  });

  test("in the middle of COMMIT: it is looked up whether it happened", async () => {
    // What is left until COMMIT takes long there.
    await asOwner(
      (client) =>
        client.query(`create function linger() returns trigger language plpgsql as 'begin perform pg_sleep(0.2); return null; end';
          create constraint trigger linger after update on ledger_head deferrable initially deferred for each row execute function linger()`),
      database.url,
    );
    const executor = await open();
    await ask(executor, init());
    const asked = ask(executor, add("1", { reference: "lingered" }));
    while ((await terminate("query = 'COMMIT' and state = 'active'")) === 0) await delay(5);
    expect(await asked).toMatchObject([{ type: "applied" }]);
    await expectEachOnce(["lingered"]);
  });

  test("again and again, at any moment: what is acknowledged is there once", async () => {
    const executor = await open();
    await ask(executor, init());
    const over = new AbortController();
    const terminating = (async () => {
      while (!over.signal.aborted) {
        await terminate();
        await delay(Math.random() * 30);
      }
    })();
    const references: string[] = [];
    for (let round = 0; round < rounds; round++) {
      const reference = `terminated ${round}`;
      try {
        await ask(executor, add("1", { reference }));
        references.push(reference);
      } catch (error) {
        expect(error).toBeInstanceOf(StoreFault);
      }
    }
    over.abort();
    await terminating;
    expect(references.length).toBeGreaterThan(rounds / 2);
    await expectEachOnce(references);
  });
});

describe("servers beside each other", () => {
  const settings = { default_transaction_isolation: "serializable" };

  test.each<[string, Partial<PostgresOptions>]>([
    ["as they are", {}],
    ["where they must conflict, at SERIALIZABLE", { settings }],
  ])("%s: every batch is committed once", async (_, options) => {
    const executors = await Promise.all([open(database.url, options), open(database.url, options)]);
    await ask(executors[0], init());
    const references: string[] = [];
    await Promise.all(
      executors.map(async (executor, server) => {
        // Until there were conflicts, where there must be.
        const goesOn = (): boolean => options.settings !== undefined && tries <= references.length + 10;
        for (let round = 0; round < rounds || (goesOn() && round < 20 * rounds); round++) {
          const reference = `server ${server}, ${round}`;
          references.push(reference);
          expect(await ask(executor, add("1", { reference }), add("1"))).toMatchObject([{ type: "applied" }, { type: "applied" }]);
        }
      }),
    );
    await expectEachOnce(references);
    if (options.settings !== undefined) expect(tries).toBeGreaterThan(references.length + 10);
  });

  test("a newer version may migrate a table meanwhile: what was prepared for it is prepared anew", async () => {
    const executor = await open();
    await ask(executor, init(), add("1", { key: "k" }));
    await asOwner((owner) => owner.query("alter table journal add column newer bigint; alter table wallets add column newer bigint"), database.url);
    // The key leads to its record.
    expect(await ask(executor, add("1", { key: "k" }))).toMatchObject([{ type: "applied", replayed: true }]);
    expect(await ask(executor, add("1"))).toMatchObject([{ type: "applied" }]);
  });

  test("a head that is held for too long makes the store unavailable, and nothing is done", async () => {
    const executor = await open(database.url, { settings: { lock_timeout: "200" } });
    await ask(executor, init());
    await asOwner(async (holder) => {
      await holder.query("begin");
      await holder.query("select from ledger_head for update");
      await expect(ask(executor, add("1", { reference: "never" }))).rejects.toMatchObject({ name: "StoreFault", kind: "unavailable", message: expect.stringMatching(/^55P03: /) as string });
    }, database.url);
    expect(await ask(executor, add("1"))).toMatchObject([{ record: { sequence: 2n } }]);
  });

  test("a head that is held while everybody's holds are released: those of the partitions before it are answered, and that more remain", async () => {
    let nowMs = Date.now();
    const executor = await open(database.url, { partitions: 2, nowMs: () => nowMs, settings: { lock_timeout: "200" } });
    const users = ["first", "second"].map((name, partition) => Array.from({ length: 100 }, (_, index) => `${name}-${index}`).find((user) => partitionOf(user as UserId, 2) === partition)!);
    for (const user of users) await ask(executor, init("USD", { user }), add("5", { user }), { type: "hold", user, currency: "USD", amount: "1", periodMs: 1 });
    nowMs += 10;
    await asOwner(async (holder) => {
      const isHeld = async (partition: number): Promise<void> => void (await holder.query("begin"), await holder.query("select from ledger_head where partition = $1 for update", [partition]));
      await isHeld(0);
      await expect(ask(executor, { type: "release" })).rejects.toMatchObject({ name: "StoreFault", kind: "unavailable" });
      await holder.query("rollback");
      await isHeld(1);
      expect(await ask(executor, { type: "release" })).toMatchObject([{ type: "released", count: 1, moreRemain: true }]);
    }, database.url);
    expect(await ask(executor, { type: "release" })).toMatchObject([{ type: "released", count: 1, moreRemain: false }]);
  });
});

test("where overdue holds are released automatically, no answer counts one that another server has released before the look", async () => {
  let nowMs = Date.now();
  const executor = await open(database.url, { nowMs: () => nowMs });
  const reads = await openPostgresReads(database.url, () => nowMs);
  closing.push(() => reads.close());
  await ask(executor, init(), add("5"), { type: "hold", user: "alice", currency: "USD", amount: "1", periodMs: 1 });
  nowMs += 10;
  const another = async (): Promise<void> => void (await ask(executor, { type: "release" }));
  const looking: Reads = {
    ...reads,
    async hasOverdue(filter) {
      await another();
      return reads.hasOverdue(filter);
    },
  };
  const settled = withoutOverdue(looking, () => Promise.reject(new Error("nothing is left to release")));
  expect(await settled.wallets("alice" as UserId, undefined)).toMatchObject([{ heldMinor: 0n }]);
});
