// The feed of a whole ledger: a user's operations come from the one partition that has all of them, everybody's from all partitions together.

import type { JournalPlace } from "../domain/journal.ts";
import { partitionOf } from "../domain/partitions.ts";
import type { UserId } from "../domain/wallet.ts";
import type { RecordedOperation, Reads } from "../store/store.ts";
import { merged } from "./merged.ts";
import { shareOf, type RingBounds } from "./operation-ring.ts";
import { OperationFeed, TooManyWatchers, type FeedBounds, type Seen } from "./operation-feed.ts";

type FeedReads = Pick<Reads, "partitionCount" | "head" | "heads" | "operationsAfter">;

/** What to watch, from where and for how long. */
export interface WatchLedgerOptions {
  /** Only operations on this user's wallets, as owner or receiver. Undefined: all. */
  readonly userId: UserId | undefined;
  /** Where to begin; places must be of the journals of the partitions that are watched, in their order. */
  readonly from: "now" | "start" | readonly JournalPlace[];
  /** Ends the watch with its reason. */
  readonly signal: AbortSignal;
}

/** An operation and the places behind it, one for each partition that is watched; without an operation, how far the watcher has come. */
export interface SeenInLedger {
  readonly places: readonly JournalPlace[];
  readonly operation: RecordedOperation | undefined;
}

/** What the rings of all partitions have together. Half a second at full load: who reads without pause stays within. */
const ledgerRing: RingBounds = { operationsMax: 4_096, bytesMax: 8 * 1024 * 1024 };

/** The operations of one ledger for all who watch it in this process. */
export class LedgerFeed {
  readonly #reads: FeedReads;
  readonly #feeds: readonly OperationFeed[];
  readonly #watchersMax: number;
  /** Each until it has ended. */
  readonly #watches = new Set<AbortController>();
  #isHinted = false;
  #isLooking = false;

  constructor(reads: FeedReads, bounds: Pick<FeedBounds, "watchersMax"> & Partial<FeedBounds>) {
    this.#reads = reads;
    this.#watchersMax = bounds.watchersMax;
    const bounded = { ...bounds, ring: shareOf(bounds.ring ?? ledgerRing, reads.partitionCount) };
    this.#feeds = Array.from({ length: reads.partitionCount }, (_, partition) => new OperationFeed(reads, partition, bounded));
  }

  /** The journals may have grown. Costs nothing while nobody watches. */
  hint(): void {
    if (this.#feeds.length === 1) return this.#feeds[0]!.hint();
    if (this.#watches.size === 0) return;
    this.#isHinted = true;
    // Who waits is told where reading fails, by the next poll at the latest.
    if (!this.#isLooking) this.#look().catch(() => {});
  }

  /** Ends every watch with FeedClosed, and every further one. */
  close(): void {
    for (const feed of this.#feeds) feed.close();
  }

  /** The partitions of a watch with this filter, in the order of its places. */
  partitionsOf(userId: UserId | undefined): readonly number[] {
    return userId === undefined ? this.#feeds.map((_, partition) => partition) : [partitionOf(userId, this.#feeds.length)];
  }

  /**
   * Every operation after `from`, once, in each partition's commit order, without end. First come the places where the watch begins: whatever is committed after that is seen.
   * Throws TooManyWatchers, FeedClosed, StoreFault, or the signal's reason.
   */
  async *watch({ userId, from, signal }: WatchLedgerOptions): AsyncGenerator<SeenInLedger, void, undefined> {
    // Each partition would admit as many as may watch all of them.
    if (this.#watches.size >= this.#watchersMax) throw new TooManyWatchers(`${this.#watches.size} watch`);
    const ended = new AbortController();
    this.#watches.add(ended);
    const untilEnded = AbortSignal.any([signal, ended.signal]);
    const watches = this.partitionsOf(userId).map((partition, index) =>
      this.#feeds[partition]!.watch({ userId, from: typeof from === "string" ? from : from[index]!, signal: untilEnded }),
    );
    const leave = (): void => {
      this.#watches.delete(ended);
      ended.abort();
    };
    // A reader that has vanished may never ask for more, so that this function never gets to its end.
    signal.addEventListener("abort", leave, { once: true });
    try {
      // The first thing that each tells is where it begins.
      const places: JournalPlace[] = [];
      for (const watch of watches) places.push((await watch.next()).value!.place);
      yield { places: [...places], operation: undefined };
      const seen = watches.length === 1 ? numbered(watches[0]!) : merged(watches);
      for await (const { index, value } of seen) {
        places[index] = value.place;
        // The operation is told by the payer's record.
        if (userId === undefined && value.operation?.record.apart?.side === "RECEIVER") continue;
        yield { places: [...places], operation: value.operation };
      }
    } finally {
      signal.removeEventListener("abort", leave);
      leave();
      for (const watch of watches) void watch.return(undefined).catch(() => {});
    }
  }

  /** One look at the heads says which partitions have something new; what is hinted at meanwhile takes another. */
  async #look(): Promise<void> {
    this.#isLooking = true;
    try {
      while (this.#isHinted) {
        this.#isHinted = false;
        const watched = [...this.#feeds.keys()].filter((partition) => this.#feeds[partition]!.watcherCount > 0);
        const heads = await this.#reads.heads(watched);
        for (const [index, partition] of watched.entries()) if (this.#feeds[partition]!.isBehind(heads[index]!)) this.#feeds[partition]!.hint();
      }
    } finally {
      this.#isLooking = false;
    }
  }
}

async function* numbered(watch: AsyncIterable<Seen>): AsyncGenerator<{ readonly index: number; readonly value: Seen }> {
  for await (const value of watch) yield { index: 0, value };
}
