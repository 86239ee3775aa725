// The feed of one partition: every committed operation in commit order, to any number of watchers, each as fast as it reads and none at the cost of another.
//
// The journal's end is read once for all of them and kept in a ring; who is further behind reads the journal, a bounded piece at a time and one
// watcher at a time. A watcher that waits is a promise and nothing else.

import { setImmediate } from "node:timers/promises";
import { journalStart, placeAfter, type JournalPlace } from "../domain/journal.ts";
import type { UserId } from "../domain/wallet.ts";
import type { RecordedOperation, Reads } from "../store/store.ts";
import { firstWithin, OperationRing, type RingBounds } from "./operation-ring.ts";
import { WaitingWatchers, type Waiting, type Wake } from "./waiting-watchers.ts";

/** There are as many watchers as there may be. */
export class TooManyWatchers extends Error {
  override readonly name = "TooManyWatchers";
}

/** The feed has ended because the service is going down. What was seen stays seen; the rest is there for whoever watches on. */
export class FeedClosed extends Error {
  override readonly name = "FeedClosed";
}

/** What bounds the memory and the work of the feed. */
export interface FeedBounds {
  readonly watchersMax: number;
  readonly ring: RingBounds;
  /** Operations that are read, and that one watcher holds, at a time. A few milliseconds of the thread that answers everybody. */
  readonly chunkOperationsMax: number;
  /** Bytes that they may take together, roughly; one operation may be larger. */
  readonly chunkBytesMax: number;
  /** Operations of others after which a watcher of one user learns how far it is, while it catches up. */
  readonly placeEveryOperations: number;
  /** The same while it waits, in milliseconds, if others were active. */
  readonly placeEveryMs: number;
  /** How often the journal is looked at although nobody said that it has grown: another process may have, or a word of it was lost. In milliseconds. */
  readonly pollMs: number;
  /** Watchers that learn within one poll how far they are: many that came at once are spread over some seconds. */
  readonly placesPerPollMax: number;
}

const defaults: Omit<FeedBounds, "watchersMax" | "ring"> = {
  chunkOperationsMax: 256,
  chunkBytesMax: 256 * 1024,
  placeEveryOperations: 10_000,
  placeEveryMs: 30_000,
  pollMs: 1_000,
  placesPerPollMax: 500,
};

/** An operation and the place behind it; without an operation, how far the watcher has come. */
export interface Seen {
  readonly place: JournalPlace;
  readonly operation: RecordedOperation | undefined;
}

/** What to watch, from where and for how long. */
export interface WatchOptions {
  /** Only operations on this user's wallets, as owner or receiver. Undefined: all. */
  readonly userId: UserId | undefined;
  /** Where to begin; a place must be one of the journal. */
  readonly from: "now" | "start" | JournalPlace;
  /** Ends the watch with its reason. */
  readonly signal: AbortSignal;
}

interface Watcher {
  readonly userId: UserId | undefined;
  readonly signal: AbortSignal;
  waiting: Waiting | undefined;
}

/** The operations of one partition for all who watch it in this process. */
export class OperationFeed {
  readonly #reads: Pick<Reads, "head" | "operationsAfter">;
  readonly #partition: number;
  readonly #bounds: FeedBounds;
  readonly #ring: OperationRing;
  readonly #watchers = new Set<Watcher>();
  readonly #waiting = new WaitingWatchers();
  /** Up to where the journal was read; undefined while nobody watches. Who waits has everything up to here. */
  #tail: JournalPlace | undefined;
  #reading: Promise<void> | undefined;
  #isHinted = false;
  #lastTurn: Promise<void> = Promise.resolve();
  #poll: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(reads: Pick<Reads, "head" | "operationsAfter">, partition: number, bounds: Pick<FeedBounds, "watchersMax" | "ring"> & Partial<FeedBounds>) {
    this.#reads = reads;
    this.#partition = partition;
    this.#bounds = { ...defaults, ...bounds };
    this.#ring = new OperationRing(this.#bounds.ring);
  }

  /** How many watch. */
  get watcherCount(): number {
    return this.#watchers.size;
  }

  /** Operations that are kept in memory for all watchers. */
  get keptOperations(): number {
    return this.#ring.length;
  }

  /** Whether somebody watches who has not been given everything up to this place. */
  isBehind({ sequence }: Pick<JournalPlace, "sequence">): boolean {
    return this.#tail !== undefined && this.#tail.sequence < sequence;
  }

  /** The journal may have grown. Costs nothing while nobody watches. */
  hint(): void {
    if (this.#tail === undefined || this.#isClosed) return;
    this.#isHinted = true;
    // Who waits is told where reading fails.
    this.#readOn().catch(() => {});
  }

  /** Ends every watch with FeedClosed, and every further one. */
  close(): void {
    this.#isClosed = true;
    clearInterval(this.#poll);
    const reason = new FeedClosed("the service is going down");
    for (const waiting of this.#waiting.takeAll()) waiting.fail(reason);
  }

  /**
   * Every operation after `from` in commit order, without end. First comes the place where the watch begins, at once: whatever is committed after
   * that is seen. Throws TooManyWatchers, FeedClosed, StoreFault, or the signal's reason.
   */
  async *watch({ userId, from, signal }: WatchOptions): AsyncGenerator<Seen, void, undefined> {
    const watcher: Watcher = { userId, signal, waiting: undefined };
    const leave = (): void => this.#dismiss(watcher);
    this.#admit(watcher);
    // A reader that has vanished may never ask for more, so that this function never gets to its end.
    signal.addEventListener("abort", leave, { once: true });
    try {
      let at = await this.#begin(watcher, from);
      yield { place: at, operation: undefined };
      for (;;) {
        const { operations, end } = await this.#next(watcher, at);
        for (const operation of operations) {
          this.#assertOn(signal);
          yield { place: placeAfter(operation.record), operation };
        }
        at = end;
        if (operations.length === 0) yield { place: at, operation: undefined };
      }
    } finally {
      signal.removeEventListener("abort", leave);
      this.#dismiss(watcher);
    }
  }

  #admit(watcher: Watcher): void {
    this.#assertOn(watcher.signal);
    if (this.#watchers.size >= this.#bounds.watchersMax) throw new TooManyWatchers(`${this.#watchers.size} watch`);
    this.#watchers.add(watcher);
    if (this.#watchers.size > 1) return;
    this.#poll = setInterval(() => {
      this.hint();
      this.#tellPlaces();
    }, this.#bounds.pollMs).unref();
  }

  #dismiss(watcher: Watcher): void {
    if (!this.#watchers.delete(watcher)) return;
    if (watcher.waiting !== undefined && this.#waiting.remove(watcher.waiting)) watcher.waiting.fail(watcher.signal.reason);
    if (this.#watchers.size > 0) return;
    clearInterval(this.#poll);
    this.#tail = undefined;
    this.#ring.clear();
  }

  #assertOn(signal: AbortSignal): void {
    signal.throwIfAborted();
    if (this.#isClosed) throw new FeedClosed("the service is going down");
  }

  async #begin(watcher: Watcher, from: WatchOptions["from"]): Promise<JournalPlace> {
    const head = placeAfter(await this.#reads.head(this.#partition));
    // Who has left meanwhile leaves no tail behind: with nobody there nothing would move it on.
    this.#assertOn(watcher.signal);
    this.#tail ??= head;
    return from === "now" ? head : from === "start" ? journalStart(this.#partition) : from;
  }

  /** What the watcher wants of the journal after `from`, up to `end`; nothing where it is only to know how far it is. Waits where there is nothing. */
  async #next(watcher: Watcher, from: JournalPlace): Promise<{ operations: readonly RecordedOperation[]; end: JournalPlace }> {
    let at = from;
    for (;;) {
      this.#assertOn(watcher.signal);
      const tail = this.#tail!;
      if (at.sequence === tail.sequence) {
        const wake = await this.#wait(watcher, from);
        at = wake.at;
        if (wake.why === "moved") return { operations: [], end: at };
      } else if (at.sequence > tail.sequence) {
        // It began at an end that the feed has not reached yet.
        await this.#readOn();
      } else {
        const chunk = this.#ring.after(at.sequence, this.#bounds.chunkOperationsMax) ?? (await this.#inTurn(watcher, at));
        // A journal that begins elsewhere than at 0 has a place before its first record.
        const last = chunk.at(-1);
        at = last === undefined ? tail : placeAfter(last.record);
        const operations = watcher.userId === undefined ? chunk : chunk.filter((operation) => concerns(operation, watcher.userId!));
        if (operations.length > 0 || at.sequence - from.sequence >= this.#bounds.placeEveryOperations) return { operations, end: at };
      }
    }
  }

  #wait(watcher: Watcher, told: JournalPlace): Promise<Wake> {
    return new Promise((resolve, reject) => {
      watcher.waiting = { userId: watcher.userId, toldSequence: told.sequence, sinceMs: performance.now(), wake: resolve, fail: reject };
      this.#waiting.add(watcher.waiting);
    });
  }

  /** Reads the journal for one watcher that is behind. One at a time, and others' work in between: catching up must not slow down who moves money. */
  async #inTurn(watcher: Watcher, at: JournalPlace): Promise<readonly RecordedOperation[]> {
    const before = this.#lastTurn;
    const turn = Promise.withResolvers<void>();
    this.#lastTurn = turn.promise;
    try {
      await before;
      await setImmediate();
      this.#assertOn(watcher.signal);
      return (await this.#readAfter(at)).operations;
    } finally {
      turn.resolve();
    }
  }

  async #readAfter(at: JournalPlace): Promise<{ operations: readonly RecordedOperation[]; isEnd: boolean }> {
    const { chunkOperationsMax, chunkBytesMax } = this.#bounds;
    const read = await this.#reads.operationsAfter(at.partition, at.sequence, chunkOperationsMax);
    const operations = firstWithin(read, chunkBytesMax);
    return { operations, isEnd: operations.length < chunkOperationsMax && operations.length === read.length };
  }

  /** Reads to the journal's end as it is when nobody hints at more. One reading at a time. */
  #readOn(): Promise<void> {
    this.#reading ??= this.#readToEnd();
    return this.#reading;
  }

  async #readToEnd(): Promise<void> {
    try {
      for (;;) {
        // Those whose operations these are get their answers first.
        await setImmediate();
        const tail = this.#tail;
        if (tail === undefined || this.#isClosed) return;
        this.#isHinted = false;
        const { operations, isEnd } = await this.#readAfter(tail);
        // Everybody may have left meanwhile, and somebody come anew.
        if (this.#tail !== tail) continue;
        if (operations.length > 0) this.#append(tail, operations);
        if (isEnd && !this.#isHinted) return;
      }
    } catch (error) {
      for (const waiting of this.#waiting.takeAll()) waiting.fail(error);
      throw error;
    } finally {
      this.#reading = undefined;
    }
  }

  #append(tail: JournalPlace, operations: readonly RecordedOperation[]): void {
    this.#ring.append(operations);
    this.#tail = placeAfter(operations.at(-1)!.record);
    const wake: Wake = { why: "news", at: tail };
    for (const waiting of this.#waiting.take(undefined)) waiting.wake(wake);
    for (const { wallet, receiver } of operations) {
      for (const waiting of this.#waiting.take(wallet.userId)) waiting.wake(wake);
      if (receiver !== undefined) for (const waiting of this.#waiting.take(receiver.userId)) waiting.wake(wake);
    }
  }

  #tellPlaces(): void {
    const at = this.#tail;
    if (at === undefined) return;
    const { placeEveryMs, placesPerPollMax: max } = this.#bounds;
    const overtaken = this.#waiting.takeOvertaken({ sinceMs: performance.now() - placeEveryMs, sequence: at.sequence, max });
    for (const waiting of overtaken) waiting.wake({ why: "moved", at });
  }
}

function concerns({ wallet, receiver }: RecordedOperation, userId: UserId): boolean {
  return wallet.userId === userId || receiver?.userId === userId;
}
