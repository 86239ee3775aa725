// The feed, over a journal made of thin air: order, wakes, bounds, tokens for those whom nothing concerns, and ends.

import { setImmediate as turn, setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { placeAfter, type JournalHead } from "../../../src/domain/journal.ts";
import type { UserId } from "../../../src/domain/wallet.ts";
import { FeedClosed, OperationFeed, TooManyWatchers, type FeedBounds, type WatchOptions } from "../../../src/ledger/operation-feed.ts";
import { firstWithin, OperationRing } from "../../../src/ledger/operation-ring.ts";
import { StoreFault, type RecordedOperation } from "../../../src/store/store.ts";

const ann = "ann" as UserId;
const bob = "bob" as UserId;

function operation(sequence: number, { owner = ann, receiver, note = "" }: { owner?: UserId; receiver?: UserId | undefined; note?: string } = {}): RecordedOperation {
  const hash = new Uint8Array(32).fill(sequence % 256);
  const record = { partition: 0, sequence: BigInt(sequence), operationId: BigInt(sequence), hash, reference: note, metadata: {} };
  const wallet = (userId: UserId) => ({ userId });
  return { record, wallet: wallet(owner), receiver: receiver && wallet(receiver), hold: undefined } as unknown as RecordedOperation;
}

/** A journal in memory, with a count of the looks that were taken at it. */
class Journal {
  readonly operations: RecordedOperation[] = [];
  reads = 0;
  fault: Error | undefined;
  /** Reads take until it opens. */
  gate: Promise<void> = Promise.resolve();

  append(...about: Parameters<typeof operation>[1][]): void {
    for (const each of about) this.operations.push(operation(this.operations.length + 1, each));
  }
  async head(): Promise<JournalHead> {
    const last = this.operations.at(-1);
    return { ...(last === undefined ? { partition: 0, sequence: 0n, hash: new Uint8Array(32) } : placeAfter(last.record)), timeMs: 0 };
  }
  async operationsAfter(_: number, sequence: bigint, limit: number): Promise<readonly RecordedOperation[]> {
    this.reads++;
    if (this.fault !== undefined) throw this.fault;
    // What is committed from here on is not in it.
    const snapshot = this.operations.slice(Number(sequence), Number(sequence) + limit);
    await this.gate;
    await turn();
    return snapshot;
  }
}

function given(bounds: Partial<FeedBounds> = {}) {
  const journal = new Journal();
  const feed = new OperationFeed(journal, 0, { watchersMax: 10, pollMs: 60_000, ring: { operationsMax: 4_096, bytesMax: 8 * 1024 * 1024 }, ...bounds });
  const watch = async (options: Partial<WatchOptions> = {}) => {
    const leave = new AbortController();
    const seen = feed.watch({ userId: undefined, from: "now", signal: leave.signal, ...options });
    const first = (await seen.next()).value!;
    expect(first.operation).toBeUndefined();
    const next = async (): Promise<string> => {
      const { place, operation: each } = (await seen.next()).value!;
      if (each !== undefined) expect(placeAfter(each.record)).toEqual(place);
      return each === undefined ? `at ${place.sequence}` : `${each.record.sequence}`;
    };
    const take = async (count: number): Promise<string[]> => {
      const taken: string[] = [];
      while (taken.length < count) taken.push(await next());
      return taken;
    };
    return { first, seen, next, take, leave };
  };
  const commit = (...about: Parameters<typeof operation>[1][]): void => {
    journal.append(...about);
    feed.hint();
  };
  return { journal, feed, watch, commit };
}

const numbers = (from: number, to: number): string[] => Array.from({ length: to - from + 1 }, (_, index) => `${from + index}`);
const many = (count: number, about: Parameters<typeof operation>[1] = {}) => Array.from({ length: count }, () => about);

describe("everybody's operations", () => {
  test("come in order, whether their commits were waited for or not", async () => {
    const { watch, commit } = given();
    const { take } = await watch();
    for (let round = 0; round < 20; round++) {
      commit(...many(round % 4));
      if (round % 3 === 0) await turn();
    }
    expect(await take(30)).toEqual(numbers(1, 30));
  });

  test("are read once for all who wait", async () => {
    const { journal, watch, commit } = given();
    const watches = await Promise.all(Array.from({ length: 10 }, () => watch()));
    commit({}, {}, {});
    for (const { take } of watches) expect(await take(3)).toEqual(["1", "2", "3"]);
    expect(journal.reads).toBe(1);
  });

  test("are found without a hint, at the next poll", async () => {
    const { journal, watch } = given({ pollMs: 5 });
    const { take } = await watch();
    journal.append({}, {});
    expect(await take(2)).toEqual(["1", "2"]);
  });

  test("come whole to one who is behind, from the journal and then from the ring, while more is committed", async () => {
    const { feed, watch, commit } = given({ ring: { operationsMax: 20, bytesMax: 1e9 }, chunkOperationsMax: 7 });
    const quick = await watch();
    const slow = await watch({ from: "start" });
    const quickSeen: string[] = [];
    const slowSeen: string[] = [];
    for (let round = 0; round < 40; round++) {
      commit(...many(5));
      quickSeen.push(...(await quick.take(5)));
      slowSeen.push(...(await slow.take(2)));
      expect(feed.keptOperations).toBeLessThanOrEqual(20);
    }
    slowSeen.push(...(await slow.take(120)));
    expect(quickSeen).toEqual(numbers(1, 200));
    expect(slowSeen).toEqual(numbers(1, 200));
  });

  test("begin where one was before, and at an end that the feed has not read yet", async () => {
    const { journal, watch, commit } = given();
    const early = await watch();
    journal.append({}, {}, {});
    const late = await watch();
    expect(late.first.place.sequence).toBe(3n);
    const between = await watch({ from: placeAfter(journal.operations[1]!.record) });
    commit({});
    expect([await late.take(1), await between.take(2), await early.take(4)]).toEqual([["4"], ["3", "4"], numbers(1, 4)]);
  });
});

describe("a read of the journal that is under way", () => {
  const gated = async () => {
    const world = given();
    const first = await world.watch();
    const next = first.next();
    next.catch(() => {});
    const gate = Promise.withResolvers<void>();
    world.journal.gate = gate.promise;
    world.commit({}, {});
    await sleep(5);
    return { ...world, first, next, open: gate.resolve };
  };

  test("is followed by another one where something was committed meanwhile", async () => {
    const { commit, first, next, open } = await gated();
    commit({});
    open();
    expect([await next, ...(await first.take(2))]).toEqual(["1", "2", "3"]);
  });

  test("tells nothing to those who came after everybody had left", async () => {
    const { watch, commit, first, open } = await gated();
    commit({});
    first.leave.abort(new Error("left"));
    const late = await watch();
    const next = late.next();
    open();
    await sleep(5);
    commit({});
    expect(await next).toBe("4");
  });
});

describe("one user's operations", () => {
  test("are those of which the user is owner or receiver, in all stretches of the journal", async () => {
    const { watch, commit } = given({ chunkOperationsMax: 3, ring: { operationsMax: 5, bytesMax: 1e9 } });
    const about = [{ owner: bob }, {}, { receiver: bob }, { owner: bob, receiver: ann }, ...many(9), { owner: bob }];
    const live = await watch({ userId: bob });
    commit(...about);
    const late = await watch({ userId: bob, from: "start" });
    expect(await live.take(4)).toEqual(["1", "3", "4", "14"]);
    expect(await late.take(4)).toEqual(["1", "3", "4", "14"]);
  });

  test("are all that wakes their watcher", async () => {
    const { watch, commit } = given();
    const all = await watch();
    const waits = await watch({ userId: bob });
    let isWoken = false;
    const woken = waits.next().then((next) => ((isWoken = true), next));
    commit(...many(600));
    await all.take(600);
    expect(isWoken).toBe(false);
    commit({ receiver: bob });
    expect(await woken).toBe("601");
    const again = waits.next();
    await turn();
    commit({ owner: bob });
    expect(await again).toBe("602");
  });

  test("may be rare: their watcher is told how far it is, while it catches up and while it waits", async () => {
    const { watch, commit } = given({ placeEveryOperations: 100, chunkOperationsMax: 50, placeEveryMs: 20, pollMs: 5, ring: { operationsMax: 10, bytesMax: 1e9 } });
    const all = await watch();
    commit(...many(250));
    await all.take(250);
    const { take } = await watch({ userId: bob, from: "start" });
    expect(await take(3)).toEqual(["at 100", "at 200", "at 250"]);
    commit({}, {});
    expect(await take(1)).toEqual(["at 252"]);
    commit({ owner: bob });
    expect(await take(1)).toEqual(["253"]);
  });

  test("and where nobody was active, nothing is told", async () => {
    const { watch } = given({ placeEveryMs: 1, pollMs: 2 });
    const { seen } = await watch({ userId: bob });
    const next = seen.next();
    expect(await Promise.race([next.then(() => "told"), sleep(50).then(() => "silent")])).toBe("silent");
  });
});

describe("a watch ends", () => {
  test("with its signal, and then it counts no longer, even where nobody asks it for more", async () => {
    const { feed, watch, commit } = given({ watchersMax: 2 });
    const waiting = await watch();
    const abandoned = await watch();
    commit({});
    await abandoned.next();
    const next = waiting.seen.next();
    waiting.leave.abort(new Error("left"));
    await expect(next).rejects.toThrow("left");
    expect(feed.watcherCount).toBe(1);
    abandoned.leave.abort(new Error("vanished"));
    expect([feed.watcherCount, feed.keptOperations]).toEqual([0, 0]);
    await watch();
  });

  test("before it begins where there are too many", async () => {
    const { watch } = given({ watchersMax: 1 });
    await watch();
    await expect(watch()).rejects.toThrow(TooManyWatchers);
  });

  test("when the feed closes: those who wait, those who do not, and those who come", async () => {
    const { feed, watch, commit } = given();
    const waiting = await watch();
    const busy = await watch({ from: "start" });
    commit({}, {});
    await busy.next();
    await waiting.take(2);
    const next = waiting.seen.next();
    feed.close();
    for (const end of [next, busy.seen.next(), watch()]) await expect(end).rejects.toThrow(FeedClosed);
    expect(feed.watcherCount).toBe(0);
  });

  test("when the journal cannot be read", async () => {
    const { journal, watch, commit } = given();
    const [all, one] = [await watch(), await watch({ userId: bob })];
    const ends = [all.seen.next(), one.seen.next()];
    journal.fault = new StoreFault("unavailable", "disk");
    commit({});
    for (const end of ends) await expect(end).rejects.toThrow(StoreFault);
    journal.fault = undefined;
    expect(await (await watch({ from: "start" })).take(1)).toEqual(["1"]);
  });
});

describe("bounds", () => {
  test("the ring keeps the newest, by number and by size", () => {
    const ring = new OperationRing({ operationsMax: 5, bytesMax: 20_000 });
    ring.append(Array.from({ length: 8 }, (_, index) => operation(index + 1)));
    expect([ring.length, ring.after(2n, 10), ring.after(8n, 10)]).toEqual([5, undefined, undefined]);
    expect(ring.after(3n, 2)?.map(({ record }) => record.sequence)).toEqual([4n, 5n]);
    ring.append([operation(9, { note: "x".repeat(8_000) })]);
    expect([ring.length, ring.after(6n, 10)?.length]).toEqual([4, 3]);
    ring.append([operation(10, { note: "x".repeat(20_000) })]);
    expect([ring.length, ring.after(9n, 10)]).toEqual([0, undefined]);
    ring.append([operation(11)]);
    expect([ring.after(9n, 10), ring.after(10n, 10)?.length]).toEqual([undefined, 1]);
  });

  test("a chunk is small, or one operation", () => {
    const large = [1, 2, 3].map((sequence) => operation(sequence, { note: "x".repeat(5_000) }));
    expect([firstWithin(large, 22_500).length, firstWithin(large, 1).length, firstWithin(large, 1e9).length, firstWithin([], 1).length]).toEqual([2, 1, 3, 0]);
  });

  test("who is behind reads in turn with the others, never two at once", async () => {
    const { journal, watch } = given({ chunkOperationsMax: 10 });
    journal.append(...many(100));
    let under = 0;
    let most = 0;
    const read = journal.operationsAfter.bind(journal);
    journal.operationsAfter = async (...args) => {
      most = Math.max(most, ++under);
      return read(...args).finally(() => under--);
    };
    const watches = await Promise.all(Array.from({ length: 5 }, () => watch({ from: "start" })));
    for (const taken of await Promise.all(watches.map(({ take }) => take(100)))) expect(taken).toEqual(numbers(1, 100));
    expect(most).toBe(1);
  });
});
