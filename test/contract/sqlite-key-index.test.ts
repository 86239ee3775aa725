// SQLite's index of keys against a naive one, over random histories: keys come, grow old, are forgotten and come anew; transactions fail, and the process starts again.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Answer } from "../../src/domain/answer.ts";
import { keyHash, type RememberedKey } from "../../src/domain/idempotency.ts";
import type { UserId } from "../../src/domain/wallet.ts";
import { executorOn } from "../../src/ledger/executor.ts";
import { KeyIndexes } from "../../src/store/sqlite/keys/key-index.ts";
import type { KeyIndexSizes } from "../../src/store/sqlite/keys/key-index-sizes.ts";
import { keyLookup } from "../../src/store/sqlite/keys/key-lookup.ts";
import { migrate } from "../../src/store/sqlite/migrate.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { prepareAll } from "../../src/store/sqlite/statement.ts";
import { writtenQueries } from "../../src/store/sqlite/written-queries.ts";
import { keyFromRow } from "../../src/store/rows.ts";
import { toCommand } from "../support/asked.ts";
import { checkBooks } from "../support/books.ts";
import { add, init, startMs, storyRules } from "../support/given.ts";
import { verified } from "../support/verified.ts";

const retentionMs = 1_000;

interface Row {
  readonly ordinal: number;
  readonly key: RememberedKey;
}

/** Keys as a list that is looked through. */
class NaiveKeys {
  rows: readonly Row[] = [];
  lastOrdinal = 0;

  find(hash: string): RememberedKey | undefined {
    return this.rows.findLast(({ key }) => key.keyHash === hash)?.key;
  }

  add(keys: readonly RememberedKey[], beforeMs: number): void {
    const all = [...this.rows, ...keys.map((key) => ({ key, ordinal: ++this.lastOrdinal }))];
    const mayGo = new Set(all.slice(0, 2 * keys.length + 16));
    this.rows = all.filter((row) => !mayGo.has(row) || row.key.timeMs >= beforeMs);
  }
}

let folder: string;
let number = 0;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "wallet-keys-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

class Played {
  readonly path: string;
  readonly naive = new NaiveKeys();
  readonly hashes = new Set<string>();
  readonly #connection: Database.Database;
  readonly #sizes: KeyIndexSizes;
  #indexes: KeyIndexes;
  nowMs = startMs;

  private constructor(path: string, connection: Database.Database, sizes: KeyIndexSizes) {
    this.path = path;
    this.#connection = connection;
    this.#sizes = sizes;
    this.#indexes = new KeyIndexes(connection, sizes);
  }

  static async on(sizes: KeyIndexSizes): Promise<Played> {
    const path = join(folder, `${number++}.db`);
    const connection = new Database(path);
    connection.pragma("journal_mode = WAL");
    connection.pragma("synchronous = OFF");
    await migrate(connection, startMs);
    connection.defaultSafeIntegers(true);
    return new Played(path, connection, sizes);
  }

  /** A batch with these keys, of which those that are still kept are not remembered anew. */
  batch(names: readonly number[], { fails = false }: { fails?: boolean } = {}): void {
    const keys: RememberedKey[] = [];
    this.#connection.exec("begin immediate");
    for (const hash of new Set(names.map((name) => keyHash("alice" as UserId, `${name}`)))) {
      this.hashes.add(hash);
      const known = this.#indexes.of(0).find(hash);
      expect(known).toEqual(this.naive.find(hash));
      if (known !== undefined && known.timeMs > this.nowMs - retentionMs) continue;
      keys.push({ keyHash: hash, fingerprint: hash, timeMs: this.nowMs, outcome: { rejection: { reason: "WALLET_NOT_FOUND", userId: "alice", currency: undefined } } });
    }
    const keyOrdinal = this.#indexes.of(0).add(keys, { keyOrdinal: BigInt(this.naive.lastOrdinal), forgetBeforeMs: this.nowMs - retentionMs });
    this.#connection.prepare("update ledger_head set key_ordinal = ?, time_ms = ?").run(keyOrdinal, BigInt(this.nowMs));
    if (fails) {
      this.#connection.exec("rollback");
      this.#indexes.forget();
      return;
    }
    this.#connection.exec("commit");
    this.naive.add(keys, this.nowMs - retentionMs);
    expect(keyOrdinal).toBe(BigInt(this.naive.lastOrdinal));
  }

  restart(): void {
    this.#indexes = new KeyIndexes(this.#connection, this.#sizes);
  }

  /** Every key that ever was, as the writer and as readers find it. */
  expectAllFound(): void {
    const reader = new Database(this.path, { readonly: true });
    reader.defaultSafeIntegers(true);
    const lookup = keyLookup(prepareAll(reader, writtenQueries.keyRows), prepareAll(reader, writtenQueries.keyRuns));
    for (const hash of this.hashes) {
      const expected = this.naive.find(hash);
      expect(this.#indexes.of(0).find(hash)).toEqual(expected);
      const row = lookup(0n, Buffer.from(hash, "hex"));
      expect(row && keyFromRow(row)).toEqual(expected);
    }
    reader.close();
  }

  async expectSound(): Promise<void> {
    const { mismatches } = await verified(this.path, { idempotencyRetentionMs: retentionMs });
    // A batch without keys moves the ledger's clock by its records, of which there are none here.
    expect(mismatches.filter(({ subject }) => subject !== "head of partition 0: time")).toEqual([]);
    expect(checkBooks(this.path, { idempotencyRetentionMs: retentionMs }).problems).toEqual([]);
  }

  count(query: string): number {
    return Number(this.#connection.prepare(query).pluck().get());
  }

  close(): void {
    this.#connection.close();
  }
}

/** Runs of so few keys cost more for each. */
const small: KeyIndexSizes = { tailMax: 8, fanout: 3, creditPerKey: 40, stepEntries: 4, mergedMax: 10_000, filtersMaxBytes: 1_000_000 };
const sizes = fc.record({
  tailMax: fc.constantFrom(4, 8, 20),
  fanout: fc.constantFrom(2, 3),
  creditPerKey: fc.constantFrom(6, 20, 60),
  stepEntries: fc.constantFrom(1, 5, 40),
  mergedMax: fc.constantFrom(30, 10_000),
  filtersMaxBytes: fc.constantFrom(0, 256, 1_000_000),
});

const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ type: fc.constant("batch" as const), names: fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 25 }) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("failed" as const), names: fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 25 }) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("time" as const), ms: fc.constantFrom(1, 50, 300, 1_100) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("restart" as const) }) },
);

describe("a random history", () => {
  test("finds what a list would find, before and after a restart, and is sound", async () => {
    await fc.assert(
      fc.asyncProperty(sizes, fc.array(step, { minLength: 20, maxLength: 90 }), async (chosen, steps) => {
        const played = await Played.on(chosen);
        for (const each of steps) {
          if (each.type === "time") played.nowMs += each.ms;
          else if (each.type === "restart") played.restart();
          else played.batch(each.names, { fails: each.type === "failed" });
        }
        played.expectAllFound();
        played.restart();
        played.expectAllFound();
        await played.expectSound();
        played.close();
      }),
      { numRuns: 60 },
    );
  });
});

describe("many keys", () => {
  const fill = (played: Played, batches: number, from = 0): void => {
    for (let batch = 0; batch < batches; batch++) played.batch(Array.from({ length: 16 }, (_, index) => from + batch * 16 + index));
  };

  test("are in few runs, and what was merged is cleared away", async () => {
    const played = await Played.on(small);
    fill(played, 200);
    expect(played.count("select count(*) from key_runs where state = 2")).toBeLessThan(25);
    expect(played.count("select max(level) from key_runs")).toBeGreaterThanOrEqual(4);
    expect(played.count("select count(*) from key_runs where state <> 2")).toBeLessThan(8);
    expect(played.count("select sum(length(entries)) / 22 from key_chunks")).toBeLessThan(2 * 200 * 16);
    played.expectAllFound();
    await played.expectSound();
    played.close();
  });

  test("that are all forgotten leave nothing behind but what the next keys clear away", async () => {
    const played = await Played.on(small);
    fill(played, 100);
    played.nowMs += 2 * retentionMs;
    fill(played, 110, 10_000);
    expect(played.naive.rows.length).toBe(110 * 16);
    expect(played.count("select min(first_ordinal) from key_runs where state = 2")).toBeGreaterThan(50 * 16);
    played.nowMs += 2 * retentionMs;
    for (let batch = 0; batch < 300; batch++) played.batch([]);
    expect(played.naive.rows).toEqual([]);
    played.expectAllFound();
    await played.expectSound();
    fill(played, 40, 20_000);
    expect(played.count("select min(last_ordinal) from key_runs where state = 2")).toBeGreaterThan(210 * 16);
    expect(played.count("select count(*) from key_chunks where run not in (select run from key_runs where state <> 3)")).toBe(0);
    await played.expectSound();
    played.close();
  });

  test("that are few at a time and soon forgotten do not gather in memory or in runs", async () => {
    const played = await Played.on({ ...small, tailMax: 64 });
    for (let batch = 0; batch < 400; batch++) {
      played.batch([batch]);
      played.nowMs += retentionMs / 10;
    }
    expect(played.count("select count(*) from key_runs")).toBe(0);
    played.expectAllFound();
    await played.expectSound();
    played.close();
  });
});

test("keys of a transaction that failed are not remembered, and those before it still are, though it had written them as a run", async () => {
  const path = join(folder, "failed.db");
  const executor = executorOn(await openSqliteStore(path, () => startMs, { keySizes: { ...small, tailMax: 4 } }), storyRules);
  const connection = new Database(path);
  try {
    const ask = (...keys: string[]): Promise<readonly Answer[]> => executor.execute(keys.map((key) => toCommand(add("1", { key }))));
    await executor.execute([toCommand(init())]);
    await ask("a", "b", "c");
    // The head moves last.
    connection.exec("create trigger fail_at_last before update on ledger_head begin select raise(abort, 'on purpose'); end");
    await expect(ask("d", "e")).rejects.toThrow("on purpose");
    connection.exec("drop trigger fail_at_last");
    expect(await ask("a", "b", "c", "d", "e")).toMatchObject([true, true, true, false, false].map((replayed) => ({ type: "applied", replayed })));
    expect(connection.prepare("select count(*) from key_runs").pluck().get()).toBe(1);
  } finally {
    connection.close();
    await executor.close();
  }
});
