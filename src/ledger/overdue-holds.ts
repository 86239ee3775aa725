// Automatic release: nothing is answered that counts an overdue hold, and what nobody asks about is swept now and then.

import type { Answer } from "../domain/answer.ts";
import type { HoldFilter, ReleaseHolds } from "../domain/command.ts";
import type { UserId } from "../domain/wallet.ts";
import type { Reads } from "../store/store.ts";

/** How long an overdue hold stays where nobody asks about it, in milliseconds. Looking for one costs a few lookups in an index. */
const sweepIntervalMs = 1_000;

type Submit = (command: ReleaseHolds) => Promise<Answer>;

const everything: HoldFilter = { userId: undefined, currency: undefined };

/** Releases every hold of the filter that is overdue by now, in steps of a bounded size, while they are wanted. */
async function releaseOverdue(reads: Reads, submit: Submit, filter: HoldFilter, isWanted: () => boolean = () => true): Promise<void> {
  while (isWanted() && (await reads.hasOverdue(filter))) await submit({ type: "releaseHolds", ...filter, validateOnly: false });
}

/** Releases what is overdue by now everywhere, and not what falls due meanwhile: with many holds there is always one that just did. */
async function releaseOnceEverywhere(submit: Submit, filter: HoldFilter): Promise<void> {
  for (;;) {
    const released = await submit({ type: "releaseHolds", ...filter, validateOnly: false });
    if (released.type !== "released" || !released.moreRemain) return;
  }
}

/**
 * The same reads, of a ledger in which no overdue hold is active any more: each looks first whether there are any among what it is about, so that a user's answer has
 * none that was overdue at that look. Everybody's is without those that were overdue when it was asked for.
 */
export function withoutOverdue(reads: Reads, submit: Submit): Reads {
  const settled = async <T>(filter: HoldFilter, read: () => Promise<T>): Promise<T> => {
    for (;;) {
      // One after the other: beside the look, the read could still see what another server released before it.
      if (!(await reads.hasOverdue(filter))) return read();
      if (filter.userId === undefined) {
        await releaseOnceEverywhere(submit, filter);
        return read();
      }
      await releaseOverdue(reads, submit, filter);
    }
  };
  const ofUser = (userId: UserId): HoldFilter => ({ userId, currency: undefined });
  return {
    ...reads,
    wallets: (userId, currency) => settled({ userId, currency }, () => reads.wallets(userId, currency)),
    holds: (query) => settled({ userId: query.userId, currency: query.currency }, () => reads.holds(query)),
    totals: (filter) => settled(filter, () => reads.totals(filter)),
    async hold(userId, holdId) {
      const found = await reads.hold(userId, holdId);
      return found && settled(ofUser(found.wallet.userId), () => reads.hold(userId, holdId));
    },
  };
}

/** Sweeps the whole ledger every second until it is stopped. `failed` is told what went wrong; the next sweep tries again. */
export function startSweeping(reads: Reads, submit: Submit, failed: (error: unknown) => void): { stop(): Promise<void> } {
  let sweep: Promise<void> | undefined;
  let isStopped = false;
  const timer = setInterval(() => {
    sweep ??= releaseOverdue(reads, submit, everything, () => !isStopped)
      .catch(failed)
      .finally(() => (sweep = undefined));
  }, sweepIntervalMs);
  return {
    async stop() {
      // What is left is found by the next start; a drain does not wait for a backlog.
      isStopped = true;
      clearInterval(timer);
      await sweep;
    },
  };
}
