// The feed of a ledger with several partitions: each partition's operations in its order, each operation once, and to each watcher what concerns it.

import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { journalStart, operationIdAt, placeAfter, type JournalHead, type JournalPlace, type Side } from "../../../src/domain/journal.ts";
import { partitionOf } from "../../../src/domain/partitions.ts";
import type { UserId } from "../../../src/domain/wallet.ts";
import { LedgerFeed, type WatchLedgerOptions } from "../../../src/ledger/ledger-feed.ts";
import { FeedClosed, TooManyWatchers } from "../../../src/ledger/operation-feed.ts";
import { shareOf, type RingBounds } from "../../../src/ledger/operation-ring.ts";
import type { RecordedOperation } from "../../../src/store/store.ts";

/** Partitions 1, 0 and 7 of eight. */
const [alice, bob, carol] = ["alice", "bob", "carol"] as [UserId, UserId, UserId];
const partitionCount = 8;
const partition = (user: UserId): number => partitionOf(user, partitionCount);

/** Journals in memory, with a count of the looks that were taken at them. */
class Journals {
  readonly partitionCount = partitionCount;
  readonly all: RecordedOperation[][] = Array.from({ length: partitionCount }, () => []);
  reads = 0;
  /** Called when a head has been read and before it is answered. */
  afterHead: () => void = () => {};

  #append(at: number, operationId: bigint, about: { payer: UserId; receiver?: UserId; side?: Side }): void {
    const sequence = BigInt(this.all[at]!.length + 1);
    const apart = about.side && { side: about.side };
    const record = { partition: at, sequence, operationId, apart, hash: new Uint8Array(32).fill(Number(sequence)), reference: "", metadata: {} };
    this.all[at]!.push({ record, wallet: { userId: about.payer }, receiver: about.receiver && { userId: about.receiver }, hold: undefined } as unknown as RecordedOperation);
  }

  /** An operation of this user, or from this user to another one. */
  append(payer: UserId, receiver?: UserId): void {
    const [from, to] = [partition(payer), receiver === undefined ? undefined : partition(receiver)];
    const operationId = operationIdAt(from, BigInt(this.all[from]!.length + 1));
    const isApart = to !== undefined && to !== from;
    this.#append(from, operationId, { payer, ...(receiver && { receiver }), ...(isApart && { side: "PAYER" }) });
    if (isApart) this.#append(to, operationId, { payer, receiver: receiver!, side: "RECEIVER" });
  }
  async head(at: number): Promise<JournalHead> {
    const last = this.all[at]!.at(-1);
    this.afterHead();
    return { ...(last === undefined ? journalStart(at) : placeAfter(last.record)), timeMs: 0 };
  }
  async heads(all: readonly number[]): Promise<readonly JournalHead[]> {
    return Promise.all(all.map((at) => this.head(at)));
  }
  async operationsAfter(at: number, sequence: bigint, limit: number): Promise<readonly RecordedOperation[]> {
    this.reads++;
    await turn();
    return this.all[at]!.slice(Number(sequence), Number(sequence) + limit);
  }
}

function given(watchersMax = 10, bounds: { readonly ring?: RingBounds } = {}) {
  const journals = new Journals();
  const feed = new LedgerFeed(journals, { watchersMax, pollMs: 60_000, ...bounds });
  const watch = async (options: Partial<WatchLedgerOptions> = {}) => {
    const leave = new AbortController();
    const seen = feed.watch({ userId: undefined, from: "now", signal: leave.signal, ...options });
    const first = (await seen.next()).value!;
    expect(first.operation).toBeUndefined();
    let places = first.places;
    /** The next operation, as partition and sequence of the record that tells it. */
    const next = async (): Promise<string> => {
      for (;;) {
        const answer = (await seen.next()).value!;
        places = answer.places;
        if (answer.operation === undefined) continue;
        const { record } = answer.operation;
        expect(places).toContainEqual(placeAfter(record));
        return `${record.partition}/${record.sequence}`;
      }
    };
    const take = async (count: number): Promise<string[]> => {
      const taken: string[] = [];
      while (taken.length < count) taken.push(await next());
      return taken;
    };
    return { first, seen, take, leave, places: (): readonly JournalPlace[] => places };
  };
  const commit = (...each: [UserId, UserId?][]): void => {
    for (const about of each) journals.append(...about);
    feed.hint();
  };
  return { journals, feed, watch, commit };
}

const ofPartition = (seen: readonly string[], number: number): string[] => seen.filter((each) => each.startsWith(`${number}/`));

describe("what is kept for watchers", () => {
  test("is shared by the partitions, and each has some", () => {
    expect(shareOf({ operationsMax: 4_096, bytesMax: 8_000_000 }, 8)).toEqual({ operationsMax: 512, bytesMax: 1_000_000 });
    expect(shareOf({ operationsMax: 4_096, bytesMax: 8_000_000 }, 10_000)).toEqual({ operationsMax: 16, bytesMax: 65_536 });
    expect(shareOf({ operationsMax: 3, bytesMax: 5 }, 1)).toEqual({ operationsMax: 3, bytesMax: 5 });
  });

  test.each([
    [30, 0],
    [20, 1],
  ])("%i operations of a partition: of 30 the first is read from the journal %i times", async (operationsEach, times) => {
    const { watch, commit, journals } = given(10, { ring: { operationsMax: partitionCount * operationsEach, bytesMax: 1_000_000 } });
    const { take } = await watch({ userId: alice });
    commit(...Array.from({ length: 30 }, (): [UserId] => [alice]));
    await take(30);
    journals.reads = 0;
    const late = await watch({ userId: alice, from: "start" });
    expect(await late.take(1)).toEqual(["1/1"]);
    expect(journals.reads).toBe(times);
  });
});

describe("a watch of everybody", () => {
  test("has every partition's operations in its order, each once, from the start and live", async () => {
    const { watch, commit, journals } = given();
    for (let count = 0; count < 20; count++) for (const user of [alice, bob, carol]) journals.append(user);
    const { take } = await watch({ from: "start" });
    const before = await take(60);
    commit([bob], [carol], [bob]);
    const seen = [...before, ...(await take(3))];
    expect(ofPartition(seen, 1)).toEqual(Array.from({ length: 20 }, (_, index) => `1/${index + 1}`));
    expect(ofPartition(seen, 0)).toEqual(Array.from({ length: 22 }, (_, index) => `0/${index + 1}`));
    expect(ofPartition(seen, 7)).toEqual(Array.from({ length: 21 }, (_, index) => `7/${index + 1}`));
  });

  test("is told an operation between two partitions once, by the payer's record", async () => {
    const { watch, commit } = given();
    const { take } = await watch();
    commit([alice, bob], [bob, carol], [alice], [bob], [carol]);
    expect((await take(5)).toSorted()).toEqual(["0/2", "0/3", "1/1", "1/2", "7/2"]);
  });

  test("begins with a place for each partition, and each answer says all of them", async () => {
    const { watch, commit, journals } = given();
    journals.append(carol);
    const { first, take, places } = await watch();
    expect(first.places.map((each) => [each.partition, each.sequence])).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map((number) => [number, number === 7 ? 1n : 0n]));
    commit([alice], [alice], [bob]);
    await take(3);
    expect(places().map(({ sequence }) => sequence)).toEqual([1n, 2n, 0n, 0n, 0n, 0n, 0n, 1n]);
  });

  test("resumes behind any answer, and nothing is missing or told twice", async () => {
    const { watch, journals } = given();
    for (let count = 0; count < 4; count++) {
      journals.append(alice, bob);
      journals.append(bob);
      journals.append(carol, alice);
    }
    const all = (await (await watch({ from: "start" })).take(12)).toSorted();
    for (let stop = 0; stop <= 12; stop++) {
      const first = await watch({ from: "start" });
      const seen = await first.take(stop);
      first.leave.abort();
      const rest = await watch({ from: first.places() });
      expect([...seen, ...(await rest.take(12 - stop))].toSorted()).toEqual(all);
      rest.leave.abort();
    }
  });

  test("hears at once of what was committed while the heads were being looked at", async () => {
    const { watch, commit, journals } = given();
    const { take } = await watch();
    let looks = 0;
    journals.afterHead = () => {
      // Partition 0 has been looked at by now.
      if (++looks === 2) commit([bob]);
    };
    commit([carol]);
    expect((await take(2)).toSorted()).toEqual(["0/1", "7/1"]);
  });
});

describe("a watch of one user", () => {
  test("is of that user's partition alone, and has what the user receives from others", async () => {
    const { watch, commit, journals } = given();
    const { first, take } = await watch({ userId: bob });
    expect(first.places.map((each) => each.partition)).toEqual([0]);
    journals.reads = 0;
    commit([carol], [alice], [carol, alice]);
    for (let count = 0; count < 20; count++) await turn();
    expect(journals.reads).toBe(0);
    commit([alice, bob], [bob, carol], [bob]);
    expect(await take(3)).toEqual(["0/1", "0/2", "0/3"]);
  });
});

describe("a watch ends", () => {
  test("with the feed, in every partition", async () => {
    const { feed, watch } = given();
    const [all, own] = [await watch(), await watch({ userId: bob })];
    const [next, nextOfOwn] = [all.seen.next(), own.seen.next()];
    feed.close();
    await expect(next).rejects.toThrow(FeedClosed);
    await expect(nextOfOwn).rejects.toThrow(FeedClosed);
    await expect(watch()).rejects.toThrow(FeedClosed);
  });

  test("with its reason", async () => {
    const { seen, leave } = await given().watch();
    const next = seen.next();
    leave.abort(new Error("gone"));
    await expect(next).rejects.toThrow("gone");
  });

  test("and makes room: as many watch as may, whichever partitions they watch", async () => {
    const { watch } = given(2);
    const first = await watch({ userId: alice });
    const second = await watch({ userId: bob });
    await expect(watch({ userId: carol })).rejects.toThrow(TooManyWatchers);
    first.leave.abort();
    const third = await watch();
    await expect(watch()).rejects.toThrow(TooManyWatchers);
    await third.seen.return();
    second.leave.abort();
    await watch();
    await watch({ userId: carol });
  });
});
