// A batch that is read and decided while the one before it is still being written: what it would be if that one is committed as it was decided, and nobody else writes in between.
//
// Nothing is believed of it. It is written only where the batches before were committed with the very changes that were known of them, and the heads, once they are locked, are where it thought: each commit moves
// the heads of its partitions. Otherwise what was decided is thrown away, and it is read and decided anew behind the locks. What is read and what is locked is on one connection, and so in one life of one server:
// of two commits one of which a failover has lost, the heads may be the same.

import type { Touched } from "../../domain/command.ts";
import { denominationKey } from "../../domain/denomination.ts";
import type { Changes, LoadedPartition } from "../../domain/loaded-state.ts";
import { headFromRow } from "../rows.ts";
import type { HeadRow, Loaded } from "./load.ts";
import { movedHead, type KeyAges } from "./write.ts";

/** What a batch has decided about a partition, whether it is committed or not. */
export interface PartitionDecision {
  readonly before: HeadRow;
  readonly after: HeadRow;
  readonly changes: Changes;
}

/** What was decided of each partition that changes, at these heads. */
export function decisionsOf(changes: readonly Changes[], heads: readonly HeadRow[]): PartitionDecision[] {
  return changes.map((each) => {
    const before = heads.find(({ partition }) => Number(partition) === each.head.partition)!;
    return { before, after: { ...before, ...movedHead(each, before.key_ordinal) }, changes: each };
  });
}

/** Whether nothing was written between the one and the other, in one life of the server: a commit leaves the last sequence or the last key's ordinal larger. Hash and time beside them tell most heads of different lives apart. */
export function isSameHead(a: HeadRow, b: HeadRow): boolean {
  return a.sequence === b.sequence && a.key_ordinal === b.key_ordinal && a.time_ms === b.time_ms && Buffer.compare(a.hash, b.hash) === 0;
}

/** Whether such a batch may be read ahead: not where holds are to be found that are due by then. */
export function canBeReadAhead(touched: readonly Touched[]): boolean {
  return touched.every(({ eligibleHolds }) => eligibleHolds === undefined);
}

/** What the batches before have decided. */
export interface DecidedBefore {
  /** Of the partitions that this one touches, by each one's newest batch. */
  readonly decisions: ReadonlyMap<number, PartitionDecision>;
  /** The operations that they make, wherever. */
  readonly made: ReadonlySet<bigint>;
}

/**
 * What there will be once the batches before are committed as they were decided, of what was loaded ahead. Undefined where that does not follow from the two: somebody else
 * has written meanwhile, or this batch is about what only those batches have made.
 */
export function foreseen({ state, heads: read, keyAges }: Loaded, touched: readonly Touched[], { decisions, made }: DecidedBefore): Loaded | undefined {
  const heads: HeadRow[] = [];
  const partitions: LoadedPartition[] = [];
  const ages = new Map<number, KeyAges>();
  for (const [index, loaded] of state.partitions.entries()) {
    const [head, named] = [read[index]!, touched[index]!];
    const { partition } = named;
    const before = decisions.get(partition);
    const isToCome = before !== undefined && !isSameHead(head, before.after);
    if (isToCome && !isSameHead(head, before.before)) return undefined;
    if (named.operationIds.some((operationId) => made.has(operationId))) return undefined;
    const changed = before === undefined ? loaded : withChanges(loaded, named, before.changes);
    if (changed === undefined) return undefined;
    const expected = isToCome ? before.after : head;
    heads.push(expected);
    partitions.push({ ...changed, head: headFromRow(expected) });
    ages.set(partition, { ...keyAges.get(partition)!, lastOrdinal: expected.key_ordinal });
  }
  const nowMs = heads.reduce((last, { time_ms: timeMs }) => Math.max(last, Number(timeMs)), state.nowMs);
  return { state: { ...state, nowMs, partitions }, keyAges: ages, heads };
}

/** The partition with what the changes made of the rows that were read; undefined where some were not there to be read. */
function withChanges(loaded: LoadedPartition, { wallets: named, holdIds, keyHashes }: Touched, changes: Changes): LoadedPartition | undefined {
  const keys = new Set(keyHashes);
  if (changes.keys.some(({ keyHash }) => keys.has(keyHash))) return undefined;
  const wallets = new Map(loaded.wallets.map((wallet) => [wallet.walletId, wallet]));
  const users = new Set(named.map(({ userId }) => userId));
  for (const wallet of changes.wallets) {
    if (wallets.has(wallet.walletId)) wallets.set(wallet.walletId, wallet);
    else if (users.has(wallet.userId)) return undefined;
  }
  const holds = new Map(loaded.holds.map((hold) => [hold.holdId, hold]));
  const asked = new Set(holdIds);
  for (const hold of changes.holds) {
    if (holds.has(hold.holdId)) holds.set(hold.holdId, hold);
    else if (asked.has(hold.holdId)) return undefined;
  }
  const totals = new Map(loaded.currencyTotals.map((each) => [denominationKey(each), each]));
  for (const each of changes.currencyTotals) totals.set(denominationKey(each), each);
  return { ...loaded, wallets: [...wallets.values()], holds: [...holds.values()], currencyTotals: [...totals.values()] };
}
