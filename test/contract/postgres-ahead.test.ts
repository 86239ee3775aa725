// A batch may be read and decided while the one before it is being committed. It is answered as if it had waited for its turn, whatever becomes of the one before and whoever writes in between.

import { setTimeout as delay } from "node:timers/promises";
import { Client } from "pg";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Answer } from "../../src/domain/answer.ts";
import type { Command, WalletCommand } from "../../src/domain/command.ts";
import { operationIdAt } from "../../src/domain/journal.ts";
import { partitionOf } from "../../src/domain/partitions.ts";
import type { LedgerRules } from "../../src/domain/rules.ts";
import type { UserId } from "../../src/domain/wallet.ts";
import { executorOn } from "../../src/ledger/executor.ts";
import { openPostgresStore } from "../../src/store/postgres/open-postgres.ts";
import { StoreFault, type Store } from "../../src/store/store.ts";
import { randomNumbers } from "../e2e/random-numbers.ts";
import { toCommand, type Asked } from "../support/asked.ts";
import { add, hold, hourMs, init, storyRules, transfer, withdraw } from "../support/given.ts";
import { asOwner, checkPostgresBooks, makeDatabase, rowsOf } from "../support/postgres-place.ts";
import { TcpProxy, type Cut } from "../support/tcp-proxy.ts";

const rounds = Number(process.env["TEST_FAULTS"] ?? 40);

let database: Awaited<ReturnType<typeof makeDatabase>>;
let closing: (() => Promise<unknown>)[];

beforeEach(async () => {
  database = await makeDatabase("migrated");
  closing = [];
});
afterEach(async () => {
  for (const close of closing) await close();
  await database.remove();
});

/** A server of its own, and what was decided there and answered, batch by batch in the order of asking. */
class Server {
  readonly story: string[] = [];
  readonly #store: Store;
  readonly #rules: LedgerRules;
  #asked = 0;

  private constructor(store: Store, rules: LedgerRules) {
    this.#store = store;
    this.#rules = rules;
  }

  static async open(url = database.url, { partitions = 1, rules = storyRules, clock = Date.now } = {}): Promise<Server> {
    const { store } = await openPostgresStore(url, clock, { partitions });
    closing.push(() => store.close());
    return new Server(store, rules);
  }

  ask(...batch: Asked[]): Promise<readonly Answer[]> {
    return this.execute(...batch.map(toCommand));
  }

  async execute(...commands: Command[]): Promise<readonly Answer[]> {
    const number = ++this.#asked;
    const told: Store = {
      partitionCount: this.#store.partitionCount,
      transact: (touched, plan) => this.#store.transact(touched, (state) => (this.story.push(`${number} is decided`), plan(state))),
      close: async () => {},
    };
    const answers = await executorOn(told, this.#rules).execute(commands);
    this.story.push(`${number} is answered`);
    return answers;
  }

  /** Both, the second behind the first. Their story begins. */
  askBoth(first: readonly Asked[], second: readonly Asked[]): Promise<[readonly Answer[], readonly Answer[]]> {
    this.story.length = 0;
    this.#asked = 0;
    return Promise.all([this.ask(...first), this.ask(...second)]);
  }

  /** The same, with the commit of the first kept until the second is decided: as long as it is given to be foreseen, in milliseconds. */
  async askBothKept(keeper: Keeper, first: readonly Asked[], second: readonly Asked[], givenMs: number): Promise<[readonly Answer[], readonly Answer[]]> {
    await keeper.keep();
    const asked = this.askBoth(first, second);
    await until(() => this.story.includes("2 is decided"), givenMs);
    await keeper.letGo();
    return asked;
  }
}

/** A statement may take 4 s. */
const longMs = 3_000;
/** Where nothing is to be foreseen. Too short on a slow machine shows less, and fails nobody. */
const shortMs = 200;

const foreseen = ["1 is decided", "2 is decided", "1 is answered", "2 is answered"];
const inItsTurn = ["1 is decided", "1 is answered", "2 is decided", "2 is answered"];
const decidedAnew = ["1 is decided", "2 is decided", "1 is answered", "2 is decided", "2 is answered"];

/** From here on every COMMIT waits while somebody keeps it from being done. */
async function keepCommits(): Promise<Keeper> {
  const client = new Client(database.url);
  await client.connect();
  closing.push(() => client.end());
  await client.query(`create function wait_for_keeper() returns trigger language plpgsql as 'begin perform pg_advisory_xact_lock_shared(7); return null; end';
    create constraint trigger wait_for_keeper after update on ledger_head deferrable initially deferred for each row execute function wait_for_keeper()`);
  const waiting = async (what: string): Promise<number> =>
    Number((await client.query<{ count: string }>(`select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and ${what}`)).rows[0]!.count);
  return {
    keep: async () => void (await client.query("select pg_advisory_lock(7)")),
    letGo: async () => void (await client.query("select pg_advisory_unlock(7)")),
    async whenSomebodyWaitsForAHead() {
      await until(async () => (await waiting("wait_event <> 'advisory'")) > 0, longMs);
    },
    async terminateCommit() {
      await until(async () => (await waiting("wait_event = 'advisory'")) > 0, longMs);
      await client.query("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and wait_event = 'advisory'");
    },
  };
}

/** Who keeps commits. */
interface Keeper {
  keep(): Promise<void>;
  letGo(): Promise<void>;
  whenSomebodyWaitsForAHead(): Promise<void>;
  /** Terminates the backend whose COMMIT is being kept. */
  terminateCommit(): Promise<void>;
}

/** Looks now and then, for so many milliseconds at most. */
async function until(isSo: () => boolean | Promise<boolean>, maxMs: number): Promise<void> {
  for (const endMs = performance.now() + maxMs; !(await isSo()) && performance.now() < endMs; ) await delay(5);
}

async function expectSoundBooks(operations: number): Promise<void> {
  expect(await checkPostgresBooks(database.url)).toMatchObject({ operations, problems: [] });
}

/** Terminates the backends that write, so many milliseconds from now. */
async function terminateSome(inMs: number): Promise<void> {
  await delay(inMs);
  await asOwner((client) => client.query("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'wallet' and pid <> pg_backend_pid()"), database.url);
}

describe("a batch behind another one", () => {
  let server: Server;
  let keeper: Keeper;
  beforeEach(async () => {
    server = await Server.open();
    await server.ask(init(), add("10"), hold("4", { key: "held" }), init("USD", { user: "bob" }), add("7", { user: "bob", key: "salary" }));
    keeper = await keepCommits();
  });
  /** How many operations there are by then. */
  const operationsBefore = 5;

  test.each<[what: string, first: Asked, second: Asked, answer: unknown]>([
    ["spends what came in", add("1"), withdraw("7"), { type: "applied", record: { after: { availableMinor: 0n } } }],
    ["is refused what went out", withdraw("6"), withdraw("1"), { type: "rejected", rejection: { reason: "INSUFFICIENT_FUNDS" } }],
    ["receives what another one is paid", add("1", { user: "bob" }), transfer("6", "bob"), { type: "applied", record: { receiver: { after: { availableMinor: 1_400n } } } }],
    ["counts on", hold("1"), hold("2"), { type: "applied", record: { sequence: 7n, after: { heldMinor: 700n, version: 5n } } }],
    ["captures of what is captured of", { type: "capture", user: "alice", holdId: 3n, amount: "1", final: false }, { type: "capture", user: "alice", holdId: 3n, amount: "1", final: false }, { type: "applied", record: { hold: { capturedMinor: 200n } } }],
    ["finds ended what is ended", { type: "reverse", user: "alice", holdId: 3n }, { type: "reverse", user: "alice", holdId: 3n }, { type: "rejected", rejection: { reason: "HOLD_NOT_ACTIVE" } }],
    ["replays what was done before both", { type: "reverse", user: "alice", holdId: 3n }, hold("4", { key: "held" }), { type: "applied", replayed: true, record: { sequence: 3n } }],
    ["is refused a key of another request", add("1"), add("8", { user: "bob", key: "salary" }), { type: "rejected", rejection: { reason: "IDEMPOTENCY_KEY_REUSED" } }],
  ])("is foreseen: it %s", async (_, first, second, answer) => {
    expect((await server.askBothKept(keeper, [first], [second], longMs))[1]).toMatchObject([answer]);
    expect(server.story).toEqual(foreseen);
    const { operations, problems } = await checkPostgresBooks(database.url);
    expect(problems).toEqual([]);
    expect(operations).toBeGreaterThan(operationsBefore);
  });

  test.each<[what: string, first: Asked, second: Asked, answer: unknown]>([
    ["asks with the same key", add("1", { key: "k" }), add("1", { key: "k" }), { type: "applied", replayed: true, record: { sequence: 6n } }],
    ["uses a wallet that is being opened", init("EUR"), add("1", { currency: "EUR" }), { type: "applied", wallet: { currency: "EUR" }, record: { after: { availableMinor: 100n } } }],
    ["leaves the currency out where a second wallet is being opened", init("EUR"), add("1", { currency: undefined }), { type: "rejected", rejection: { reason: "CURRENCY_REQUIRED" } }],
    ["ends a hold that is being placed", hold("1"), { type: "reverse", user: "alice", holdId: operationIdAt(0, 6n) }, { type: "applied", record: { hold: { holdId: operationIdAt(0, 6n), status: "REVERSED" } } }],
    ["names an operation that is being done", add("1"), add("2", { related: operationIdAt(0, 6n) }), { type: "applied", record: { relatedOperationId: operationIdAt(0, 6n) } }],
  ])("waits for its turn where it %s", async (_, first, second, answer) => {
    expect((await server.askBothKept(keeper, [first], [second], shortMs))[1]).toMatchObject([answer]);
    expect(server.story).toEqual(inItsTurn);
    expect((await checkPostgresBooks(database.url)).problems).toEqual([]);
  });

  test("waits for its turn where due holds are released by themselves: some may be of the one before", async () => {
    const releasing = await Server.open(database.url, { rules: { ...storyRules, autoRelease: true } });
    await releasing.ask(add("1"));
    const [, second] = await releasing.askBothKept(keeper, [hold("7", { periodMs: 0 })], [withdraw("7")], shortMs);
    expect(second).toMatchObject([{ type: "applied", record: { after: { availableMinor: 0n, heldMinor: 400n } } }]);
    expect(releasing.story).toEqual(inItsTurn);
    expect((await checkPostgresBooks(database.url)).problems).toEqual([]);
  });

  test("is decided anew where the one before is not committed as it was decided", async () => {
    await keeper.keep();
    const asked = server.askBoth([add("1", { reference: "first" })], [withdraw("11", { reference: "second" })]);
    await until(() => server.story.includes("2 is decided"), longMs);
    await keeper.terminateCommit();
    await keeper.letGo();
    // What was decided of the first was at another time.
    const [first, second] = await asked;
    expect([first, second]).toMatchObject([[{ type: "applied", record: { sequence: 6n } }], [{ type: "rejected" }]]);
    expect(server.story).toEqual(["1 is decided", "2 is decided", "1 is decided", "1 is answered", "2 is decided", "2 is answered"]);
    await expectSoundBooks(operationsBefore + 1);
  });

  test("is decided anew where the connection that it was read on has ended meanwhile", async () => {
    await keeper.keep();
    const asked = server.askBoth([add("1")], [withdraw("7")]);
    await until(() => server.story.includes("2 is decided"), longMs);
    await asOwner((client) => client.query("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'wallet' and state = 'idle'"), database.url);
    await keeper.letGo();
    expect(await asked).toMatchObject([[{ type: "applied" }], [{ type: "applied" }]]);
    expect(server.story).toEqual(decidedAnew);
    await expectSoundBooks(operationsBefore + 2);
  });

  test("is decided anew where another server has written in between, and the next one waits for its turn until this server is alone again", async () => {
    const other = await Server.open();
    let times = 0;
    do {
      expect(++times).toBeLessThan(20);
      // So that this server was the last one there.
      await server.ask(add("1"));
      await server.ask(add("1"));
      await keeper.keep();
      const asked = server.askBoth([add("1")], [withdraw("1")]);
      await until(() => server.story.includes("2 is decided"), longMs);
      const others = other.ask(withdraw("1"));
      await keeper.whenSomebodyWaitsForAHead();
      await keeper.letGo();
      await expect(Promise.all([asked, others])).resolves.toMatchObject([[[{ type: "applied" }], [{ type: "applied" }]], [{ type: "applied" }]]);
      // Who waits for a head is not always the first to have it.
    } while (server.story.join() === foreseen.join());
    expect(server.story).toEqual(decidedAnew);
    await server.askBothKept(keeper, [add("1")], [add("1")], shortMs);
    expect(server.story).toEqual(inItsTurn);
    await server.askBothKept(keeper, [add("1")], [add("1")], longMs);
    expect(server.story).toEqual(foreseen);
    await expectSoundBooks(operationsBefore + 5 * times + 4);
  });

  test("fails with the one before where that could not have the head, and waits for no limit of its own", async () => {
    await asOwner(async (holder) => {
      await holder.query("begin");
      await holder.query("select from ledger_head for update");
      const outcomes = await Promise.allSettled([server.ask(add("1")), server.ask(add("1"))]);
      expect(outcomes).toMatchObject([
        { status: "rejected", reason: { kind: "unavailable", partitions: [0], message: expect.stringContaining("55P03") as string } },
        { status: "rejected", reason: { kind: "unavailable", partitions: [0], message: "the batch before it waited in vain for a partition that this one needs too" } },
      ]);
      await holder.query("rollback");
    }, database.url);
    expect(await server.ask(add("1"))).toMatchObject([{ type: "applied" }]);
    await expectSoundBooks(operationsBefore + 1);
  });

  test("that cannot be decided ahead is decided in its turn, and throws there", async () => {
    const { store } = await openPostgresStore(database.url, Date.now, { partitions: 1 });
    closing.push(() => store.close());
    const touched = [{ partition: 0, wallets: [], holdIds: [], operationIds: [], keyHashes: [], eligibleHolds: undefined }];
    await store.transact(touched, () => ({ changes: [], result: 1 }));
    const first = store.transact(touched, () => ({ changes: [], result: 2 }));
    let times = 0;
    const second = store.transact(touched, () => {
      times++;
      throw new Error("a defect");
    });
    await expect(second).rejects.toThrow("a defect");
    expect([await first, times]).toEqual([2, 2]);
  });
});

test("heads that are the same say nothing of keys: where the one before was not committed, another server may have remembered as many", { timeout: 120_000 }, async () => {
  // Of two partitions bob has number 0 and alice number 1, whose time is ahead of the clock from here on, so that it says nothing either.
  expect([partitionOf("bob" as UserId, 2), partitionOf("alice" as UserId, 2)]).toEqual([0, 1]);
  const ofBob = { user: "bob" };
  const fast = await Server.open(database.url, { partitions: 2, clock: () => Date.now() + hourMs });
  await fast.ask(init(), add("10"), init("USD", ofBob), add("10", ofBob));
  const [server, other] = [await Server.open(database.url, { partitions: 2 }), await Server.open(database.url, { partitions: 2 })];
  for (const each of [other, server, server]) await each.ask(add("1"), add("1", ofBob));
  const keeper = await keepCommits();
  await asOwner(async (holder) => {
    let times = 0;
    let second: unknown;
    let third: Promise<readonly Answer[]>;
    let batch: Promise<readonly Answer[]>;
    let firstAnswered: string;
    do {
      expect(++times).toBeLessThan(20);
      const key = (name: string) => ({ ...ofBob, key: `${name}${times}` });
      await keeper.keep();
      server.story.length = 0;
      const first = server.ask(add("1"), add("1", ofBob));
      const seconds = server.ask(withdraw("999", key("a")), withdraw("999", key("b")), add("1")).catch((error: unknown) => error);
      await until(() => server.story.length === 2, longMs);
      await holder.query("begin");
      const holding = holder.query("select from ledger_head where partition = 1 for update");
      await keeper.whenSomebodyWaitsForAHead();
      await keeper.letGo();
      await Promise.all([first, holding]);
      // The second has bob's head, and waits for alice's in vain. Behind it the third is decided; then another server is first, and refuses the third's request with another one.
      third = server.ask(add("5", key("k")));
      await until(() => server.story.filter((line) => line.endsWith("decided")).length === 3, shortMs);
      const items = [add("5", key("k")), withdraw("999", key("x"))];
      batch = other.execute({ type: "executeBatch", atomic: true, items: items.map((each) => toCommand(each) as WalletCommand) });
      second = await seconds;
      firstAnswered = await Promise.race([batch.then(() => "batch"), third.then(() => "third")]);
      await Promise.all([batch, third]);
      await holder.query("rollback");
      // Who waits for a head is not always the first to have it.
    } while (!(second instanceof StoreFault) || firstAnswered === "third");
    expect(second.partitions).toEqual([1]);
    expect(await batch).toMatchObject([{ type: "rejected", rejection: { reason: "BATCH_ABORTED" } }]);
    expect(await third).toMatchObject([{ type: "rejected", rejection: { reason: "BATCH_ABORTED" }, replayed: true }]);
  }, database.url);
  expect((await checkPostgresBooks(database.url)).problems).toEqual([]);
});

test("with transfers between eight partitions, another server, connections that are cut around COMMIT and backends that are terminated, each batch is done once", { timeout: 60_000 + 200 * rounds }, async () => {
  const proxy = await TcpProxy.before(database.url);
  closing.push(() => proxy.close());
  const [server, other] = [await Server.open(proxy.through(database.url), { partitions: 8 }), await Server.open(database.url, { partitions: 8 })];
  const users = ["alice", "bob", "carol", "dave", "erin", "frank"];
  await server.ask(...users.flatMap((user) => [init("USD", { user }), add("1000", { user })]));
  const random = randomNumbers(11);
  const references: string[] = [];
  const batch = (by: string): Asked[] =>
    Array.from({ length: 1 + random(3) }, () => {
      references.push(`${by} ${references.length}`);
      const [user, to] = [users[random(6)]!, users[random(6)]!];
      const named = { user, reference: references.at(-1)!, key: references.at(-1)! };
      return user === to ? add("1", named) : transfer("1", to, named);
    });
  let foreseenTimes = 0;
  for (let round = 0; round < rounds; round++) {
    if (round % 4 === 0) proxy.cutNextCommit((["before", "after", "answered"] as const satisfies Cut[])[random(3)]!);
    server.story.length = 0;
    const asked = Array.from({ length: 4 }, () => server.ask(...batch("cut")));
    if (round % 8 === 7) asked.push(other.ask(...batch("other")));
    if (round % 4 === 2) await terminateSome(random(12));
    const answers = await Promise.all(asked);
    expect(answers.flat().every((answer) => answer.type === "applied" && !answer.replayed)).toBe(true);
    // Decided before anybody was answered, beside the first: some 50 times in 40 rounds. Batches on other partitions and repeated tries alone make some 5.
    const firstAnswer = server.story.findIndex((line) => line.endsWith("answered"));
    foreseenTimes += Math.max(0, server.story.slice(0, firstAnswer).length - 1);
  }
  expect(proxy.cuts).toBe(Math.ceil(rounds / 4));
  expect(foreseenTimes).toBeGreaterThan(rounds / 4);
  const found = (await rowsOf(database.url))["journal"]!.filter(({ side, reference }) => reference !== null && side !== 2n).map(({ reference }) => reference as string);
  expect(found.toSorted()).toEqual(references.toSorted());
  expect((await checkPostgresBooks(database.url)).problems).toEqual([]);
});
