// Wallets whose rows are behind against a plain list of balances, over random histories: readers that look now and then, transactions that fail, processes that end without a word.

import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { UserId } from "../../src/domain/wallet.ts";
import { executorOn } from "../../src/ledger/executor.ts";
import type { Reads, Store } from "../../src/store/store.ts";
import type { LateRowSizes } from "../../src/store/sqlite/newer-wallets/late-rows.ts";
import { NewerWallets } from "../../src/store/sqlite/newer-wallets/newer-wallets.ts";
import { countStates } from "../../src/store/sqlite/newer-wallets/wallet-state-encoding.ts";
import { openSqliteCopySource } from "../../src/store/sqlite/sqlite-copy-source.ts";
import { openSqliteReads } from "../../src/store/sqlite/sqlite-reads.ts";
import { prepareAll } from "../../src/store/sqlite/statement.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { writtenQueries } from "../../src/store/sqlite/written-queries.ts";
import { randomNumbers } from "../e2e/random-numbers.ts";
import { toCommand, type Asked } from "../support/asked.ts";
import { checkBooks } from "../support/books.ts";
import { add, init, startMs, storyRules } from "../support/given.ts";
import { verified } from "../support/verified.ts";

const users = 60;
const batchMax = 25;
const lateSizes: LateRowSizes = { roundMin: 50, creditPerState: 2, stepMin: 8 };
const nameOf = (user: number): string => `user-${user}`;

let folder: string;
let number = 0;
const opened: { close(): Promise<void> }[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "wallet-newer-"));
});
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
  rmSync(folder, { recursive: true });
});

/** The same store, whose transactions fail behind everything that is written of wallets: no table takes a hold of nothing. */
function failing(store: Store): Store {
  const nothing = { amountMinor: 0n, capturedMinor: 0n, status: "ACTIVE", createTimeMs: 0, eligibleTimeMs: 0, resolveTimeMs: undefined, previousHoldId: 0n } as const;
  return {
    partitionCount: store.partitionCount,
    close: () => store.close(),
    transact: (touched, plan) =>
      store.transact(touched, (state) => {
        const { changes, result } = plan(state);
        return { result, changes: changes.map((each) => ({ ...each, holds: [{ ...nothing, holdId: each.head.sequence, walletId: each.wallets[0]!.walletId }] })) };
      }),
  };
}

/** A ledger in a file, and what its wallets must have. */
class Played {
  readonly path: string;
  store: Store;
  readonly balances: bigint[];

  private constructor(path: string, store: Store, balances: bigint[]) {
    this.path = path;
    this.store = store;
    this.balances = balances;
  }

  static async open(partitions: number): Promise<Played> {
    const path = join(folder, `${number++}.db`);
    const played = new Played(path, await Played.#store(path, partitions), Array<bigint>(users).fill(0n));
    await played.ask(Array.from({ length: users }, (_, user) => init("USD", { user: nameOf(user) })));
    return played;
  }

  static async #store(path: string, partitions = 1): Promise<Store> {
    const store = await openSqliteStore(path, () => startMs, { lateSizes, partitions });
    opened.push(store);
    return store;
  }

  async ask(batch: readonly Asked[], store = this.store): Promise<void> {
    const answers = await executorOn(store, storyRules).execute(batch.map(toCommand));
    expect(answers.filter(({ type }) => type !== "applied")).toEqual([]);
  }

  /** Adds to these users, each as often as it is named. */
  async add(to: readonly number[], store = this.store): Promise<void> {
    await this.ask(to.map((user) => add("0.01", { user: nameOf(user) })), store);
    for (const user of to) this.balances[user]! += 1n;
  }

  /** The file as a process leaves it that is killed. */
  fileOfKilled(): string {
    const path = join(folder, `${number++}.db`);
    for (const end of ["", "-wal"]) if (existsSync(this.path + end)) copyFileSync(this.path + end, path + end);
    return path;
  }

  async killed(): Promise<Played> {
    const path = this.fileOfKilled();
    return new Played(path, await Played.#store(path), this.balances);
  }

  async reopen(): Promise<void> {
    await this.store.close();
    this.store = await Played.#store(this.path);
  }

  reads(): Reads {
    const reads = openSqliteReads(this.path, () => startMs, writtenQueries);
    opened.push(reads);
    return reads;
  }

  async expectBalance(reads: Reads, user: number): Promise<void> {
    expect(await reads.wallets(nameOf(user) as UserId, undefined)).toMatchObject([{ availableMinor: this.balances[user] }]);
  }

  async expectSound(): Promise<void> {
    const reads = this.reads();
    for (let user = 0; user < users; user++) await this.expectBalance(reads, user);
    expect(checkBooks(this.path).problems).toEqual([]);
    expect((await verified(this.path, storyRules)).mismatches).toEqual([]);
  }

  query<Row>(sql: string): Row[] {
    const connection = new Database(this.path, { readonly: true });
    try {
      return connection.prepare<[], Row>(sql).all();
    } finally {
      connection.close();
    }
  }

  /** States in the table, those included that are not their wallets' newest. */
  lateStates(): number {
    return this.query<{ states: Buffer }>("select states from newer_wallets").reduce((sum, { states }) => sum + countStates(states), 0);
  }

  /** The sum that the rows by themselves say. */
  rowsSum(): number {
    return this.query<{ sum: number }>("select sum(available_minor) as sum from wallets")[0]!.sum;
  }
}

describe.each([1, 3])("%d partitions", (partitions) => {
  test.each([1, 2, 3, 4])("a random history, %d", async (seed) => {
    const random = randomNumbers(seed);
    let played = await Played.open(partitions);
    let readers = Array.from({ length: 3 }, () => played.reads());
    let lateMost = 0;
    for (let step = 0; step < 200; step++) {
      // Now and then only a few are busy, again and again.
      const among = step % 100 < 25 ? 4 : users;
      const to = Array.from({ length: 1 + random(batchMax) }, () => random(among));
      const dice = random(100);
      if (dice < 6) await expect(played.add(to, failing(played.store))).rejects.toMatchObject({ code: "SQLITE_CONSTRAINT_CHECK" });
      else await played.add(to);
      lateMost = Math.max(lateMost, played.lateStates());
      // The first one looks all the time, the last one hardly ever.
      for (const [index, reads] of readers.entries()) if (random(1 + 15 * index) === 0) await played.expectBalance(reads, random(users));
      if (dice >= 97) {
        played = await played.killed();
        readers = readers.map(() => played.reads());
      } else if (dice === 96) {
        await played.reopen();
      }
    }
    await played.expectSound();
    expect(lateMost).toBeGreaterThan(lateSizes.roundMin);
    expect(lateMost).toBeLessThan(2 * lateSizes.roundMin + 4 * partitions * (batchMax + lateSizes.stepMin));
  });

  test("rows that are behind learn of everything when the ledger is closed, and of nothing before there is enough", async () => {
    const played = await Played.open(partitions);
    await played.add([1, 2, 3, 2, 1]);
    expect(played.lateStates()).toBe(3);
    expect(played.rowsSum()).toBe(0);
    await played.expectSound();
    await played.store.close();
    expect(played.lateStates()).toBe(0);
    expect(played.rowsSum()).toBe(5);
    await played.expectSound();
  });

  test("also of more than one transaction brings into the rows", async () => {
    const path = join(folder, "many.db");
    const store = await openSqliteStore(path, () => startMs, { partitions, finishMaxMs: 600_000 });
    opened.push(store);
    const executor = executorOn(store, storyRules);
    const many = Array.from({ length: 9_000 }, (_, user) => nameOf(user));
    await executor.execute(many.map((user) => toCommand(init("USD", { user }))));
    await executor.execute(many.map((user) => toCommand(add("0.01", { user }))));
    await store.close();
    const connection = new Database(path, { readonly: true });
    expect(connection.prepare("select sum(available_minor), (select count(*) from newer_wallets) from wallets").raw().get()).toEqual([many.length, 0]);
    connection.close();
  });

  test("a reader that looked long ago does not take what it remembers for newer than the row", async () => {
    const played = await Played.open(partitions);
    const reads = played.reads();
    await played.add([7]);
    await played.expectBalance(reads, 7);
    await played.add([7]);
    // Until the rows have learnt of both, and the table has forgotten them.
    for (let step = 0; step < 40; step++) await played.add(Array.from({ length: batchMax }, (_, user) => 10 + user));
    expect(played.query(`select 1 from newer_wallets where sequence <= ${users + 2}`)).toEqual([]);
    await played.expectBalance(reads, 7);
  });

  test("rounds that failures break off again and again do not let states gather without end", async () => {
    const played = await Played.open(partitions);
    const random = randomNumbers(9);
    for (let step = 0; step < 100; step++) {
      const to = Array.from({ length: batchMax }, () => random(users));
      await played.add(to);
      await expect(played.add(to, failing(played.store))).rejects.toMatchObject({ code: "SQLITE_CONSTRAINT_CHECK" });
      expect(played.lateStates()).toBeLessThan(3 * lateSizes.roundMin + 4 * partitions * batchMax);
    }
    await played.expectSound();
  });

  test("a copy of a ledger whose process was killed takes over what wallets are", async () => {
    const played = await Played.open(partitions);
    for (let step = 0; step < 10; step++) await played.add([1, 2, 3]);
    const source = openSqliteCopySource(played.fileOfKilled());
    opened.push(source);
    const copied = new Map<string, bigint>();
    for (let partition = 0n; partition < partitions; partition++) {
      for (const row of await source.rowsAfter("wallets", { partition, after: undefined, limit: 1_000n })) copied.set(row.user_id, row.available_minor);
    }
    expect(copied).toEqual(new Map(played.balances.map((balance, user) => [nameOf(user), balance])));
  });

  test("a reader that looks all the time remembers hardly more than the table has", async () => {
    const played = await Played.open(partitions);
    const connection = new Database(played.path, { readonly: true });
    connection.defaultSafeIntegers(true);
    const newer = new NewerWallets(prepareAll(connection, writtenQueries.stateRows));
    // Of a single partition every second batch leaves something: 5,000 states in all.
    for (let step = 0; step < 400; step++) {
      await played.add(Array.from({ length: batchMax }, (_, user) => (step + user) % users));
      newer.beginSnapshot();
      for (let partition = 0n; partition < partitions; partition++) expect(newer.of(partition).count).toBeLessThan(2_500);
    }
    connection.close();
    await played.expectSound();
  });

  test("a ledger with states that cannot be read is not served, and its operator is told", async () => {
    const played = await Played.open(partitions);
    await played.add([1, 2, 3]);
    const path = played.fileOfKilled();
    const connection = new Database(path);
    connection.exec("update newer_wallets set states = x'00'");
    connection.close();
    await expect(openSqliteStore(path, () => startMs)).rejects.toThrow(new RegExp(`^The ledger ${path} cannot be opened: newer_wallets \\d/\\d+ is damaged`));
  });
});
