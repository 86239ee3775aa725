// Who waits for the next operation, by the user whose operations they want: one that concerns nobody else wakes nobody else.

import type { JournalPlace } from "../domain/journal.ts";
import type { UserId } from "../domain/wallet.ts";

/** Why a watcher was woken, and where it goes on. `news`: an operation that it wants came after `at`. `moved`: none did, but the journal has grown up to `at`. */
export interface Wake {
  readonly why: "news" | "moved";
  readonly at: JournalPlace;
}

/** A watcher that waits. Exactly one of `wake` and `fail` is called, once, by whoever takes it out. */
export interface Waiting {
  /** Whose operations; undefined for everybody's. */
  readonly userId: UserId | undefined;
  /** Up to where its reader knows that it has seen everything. */
  readonly toldSequence: bigint;
  /** On a clock that never goes back, in milliseconds. */
  readonly sinceMs: number;
  wake(wake: Wake): void;
  fail(reason: unknown): void;
}

/** All who wait, found by user and by how long they have waited. */
export class WaitingWatchers {
  readonly #byUser = new Map<UserId | undefined, Set<Waiting>>();
  /** Those with a user, in the order in which they began to wait. */
  readonly #ofOneUser = new Set<Waiting>();

  add(waiting: Waiting): void {
    const others = this.#byUser.get(waiting.userId);
    if (others === undefined) this.#byUser.set(waiting.userId, new Set([waiting]));
    else others.add(waiting);
    if (waiting.userId !== undefined) this.#ofOneUser.add(waiting);
  }

  /** Whether it was there. */
  remove(waiting: Waiting): boolean {
    const ofUser = this.#byUser.get(waiting.userId);
    if (ofUser?.delete(waiting) !== true) return false;
    if (ofUser.size === 0) this.#byUser.delete(waiting.userId);
    this.#ofOneUser.delete(waiting);
    return true;
  }

  /** Takes out all who wait for this user's operations; undefined: for everybody's. */
  take(userId: UserId | undefined): readonly Waiting[] {
    const taken = [...(this.#byUser.get(userId) ?? [])];
    for (const waiting of taken) this.remove(waiting);
    return taken;
  }

  /** Takes out those with a user who have waited since `sinceMs` or longer and know less than the journal has; the longest waiting first, at most `max`. */
  takeOvertaken({ sinceMs, sequence, max }: { sinceMs: number; sequence: bigint; max: number }): readonly Waiting[] {
    const taken: Waiting[] = [];
    for (const waiting of this.#ofOneUser) {
      if (waiting.sinceMs > sinceMs || taken.length === max) break;
      if (waiting.toldSequence < sequence) taken.push(waiting);
    }
    for (const waiting of taken) this.remove(waiting);
    return taken;
  }

  takeAll(): readonly Waiting[] {
    return [...this.#byUser.keys()].flatMap((userId) => this.take(userId));
  }
}
