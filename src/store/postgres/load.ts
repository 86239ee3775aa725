// Loads what a batch touches: inside its transaction, locking the partitions first, or ahead of it, without a lock.

import type { Selectable } from "kysely";
import type { Touched } from "../../domain/command.ts";
import type { Hold } from "../../domain/hold.ts";
import type { RememberedKey } from "../../domain/idempotency.ts";
import { birthplaceOf, partsHere, type JournalHead, type JournalRecord } from "../../domain/journal.ts";
import type { CurrencyTotals, EligibleHolds, LoadedPartition, LoadedState } from "../../domain/loaded-state.ts";
import type { CurrencyCode, UserId, Wallet } from "../../domain/wallet.ts";
import { currencyTotalsFromRow, headFromRow, holdFromRow, keyFromRow, recordFromRow, walletFromRow } from "../rows.ts";
import type { LedgerHeadTable } from "../tables.ts";
import { eligibleHolds } from "./eligible-holds.ts";
import type { MovedOperations } from "./moved-operations.ts";
import type { OldestKey, OldestKeys } from "./oldest-keys.ts";
import { queries } from "./queries.ts";
import type { Session } from "./session.ts";
import type { KeyAges } from "./write.ts";

/** What was loaded for the plan, and what only the writing of each partition needs. */
export interface Loaded {
  readonly state: LoadedState;
  /** Of the partitions, in their order. */
  readonly heads: readonly HeadRow[];
  readonly keyAges: ReadonlyMap<number, KeyAges>;
}

export interface LoadedFrom {
  /** Of the ledger. */
  readonly partitionCount: number;
  readonly machineTimeMs: number;
  readonly movedOperations: MovedOperations;
  /** What was seen of the partitions' keys before. */
  readonly oldestKeys: OldestKeys;
}

export type HeadRow = Selectable<LedgerHeadTable>;

/** Asks for the locks on the partitions' heads, in ascending order, so two writers never wait on each other. Answers what is heard of each. */
export function lockHeads(session: Session, touched: readonly Touched[]): readonly Promise<HeadRow | undefined>[] {
  return touched.map(({ partition }) => session.get(queries.lockHead, { partition: BigInt(partition) }));
}

/** Asks where the partitions' heads are, without a lock: others may be moving them. Answers what is heard of each. */
export function askForHeads(session: Session, touched: readonly Touched[]): readonly Promise<HeadRow | undefined>[] {
  return touched.map(({ partition }) => session.get(queries.head, { partition: BigInt(partition) }));
}

/**
 * Loads, in the ledger, behind what was asked of the heads on this session (`lockHeads`, `askForHeads`). Everything that a batch nearly always needs goes out behind that at once. Behind locks each statement begins when they
 * are granted, and sees all that was committed before; behind a mere question it sees what was committed at those heads or later. What only keys and holds lead to is asked for afterwards, if they lead to anything.
 */
export async function load(session: Session, touched: readonly Touched[], asked: readonly Promise<HeadRow | undefined>[], { partitionCount, machineTimeMs, movedOperations, oldestKeys }: LoadedFrom): Promise<Loaded> {
  const existing = existingOperations(session, touched.flatMap(({ operationIds }) => operationIds), movedOperations);
  const parts = touched.map((each) => {
    const seen = oldestKeys.seen(each.partition);
    return new LoadingPartition(session, each, existing, { seen, isDue: oldestKeys.isDue(each.partition, machineTimeMs) });
  });
  const [answers] = await Promise.all([Promise.all(asked), ...parts.map((part) => part.begin())]);
  const heads = answers.map((head, index) => {
    if (head === undefined) throw new Error(`partition ${touched[index]!.partition} has no journal`);
    return head;
  });
  const keyAges = new Map(touched.map(({ partition }, index): [number, KeyAges] => [partition, { lastOrdinal: heads[index]!.key_ordinal, oldest: parts[index]!.oldestKey }]));
  const nowMs = heads.reduce((last, { time_ms: timeMs }) => Math.max(last, Number(timeMs)), machineTimeMs);
  const partitions = await Promise.all(parts.map((part, index) => part.finish(headFromRow(heads[index]!), nowMs)));
  return { state: { partitionCount, nowMs, partitions }, heads, keyAges };
}

/** One partition as it is being loaded. */
class LoadingPartition {
  readonly #session: Session;
  readonly #partition: bigint;
  readonly #touched: Touched;
  /** Those of the batch's named operations that there are. */
  readonly #existing: Promise<ReadonlySet<bigint>>;
  readonly #rows: Gathering;
  readonly #isOldestKeyDue: boolean;
  /** The oldest of the partition's keys, or one before it, once `begin` is done; undefined where there is none. */
  oldestKey: OldestKey | undefined;
  #currencyTotals: readonly CurrencyTotals[] = [];
  #keys: readonly RememberedKey[] = [];
  #operationIds: readonly bigint[] = [];

  constructor(session: Session, touched: Touched, existing: Promise<ReadonlySet<bigint>>, oldestKey: { readonly seen: OldestKey | undefined; readonly isDue: boolean }) {
    this.#session = session;
    this.#partition = BigInt(touched.partition);
    this.oldestKey = oldestKey.seen;
    this.#isOldestKeyDue = oldestKey.isDue;
    this.#touched = touched;
    this.#existing = existing;
    this.#rows = new Gathering(session, this.#partition);
  }

  /** Asks for everything that is named. */
  async begin(): Promise<void> {
    const [session, partition, rows] = [this.#session, this.#partition, this.#rows];
    const { keyHashes, wallets, holdIds, operationIds } = this.#touched;
    const [currencyTotals, , keys, existing] = await Promise.all([
      session.all(queries.currencyTotals, { partition }),
      this.#isOldestKeyDue ? this.#findOldestKey() : undefined,
      rows.keys(keyHashes),
      this.#existing,
      rows.walletsOf(wallets),
      rows.find({ holdIds }),
    ]);
    this.#currencyTotals = currencyTotals.map(currencyTotalsFromRow);
    this.#keys = keys;
    this.#operationIds = operationIds.filter((operationId) => existing.has(operationId));
  }

  async #findOldestKey(): Promise<void> {
    const row = await this.#session.get(queries.oldestKey, { partition: this.#partition, from: this.oldestKey?.ordinal ?? 0n });
    this.oldestKey = row && { ordinal: row.ordinal, timeMs: row.time_ms };
  }

  /** Asks for what that leads to. */
  async finish(head: JournalHead, nowMs: number): Promise<LoadedPartition> {
    const rows = this.#rows;
    await rows.find({ sequences: this.#keys.flatMap(({ outcome }) => ("sequence" in outcome ? [outcome.sequence] : [])) });
    await rows.findWhatIsReferredTo();

    let eligible: EligibleHolds = { holdIds: [], moreRemain: false };
    if (this.#touched.eligibleHolds !== undefined) {
      eligible = await eligibleHolds(this.#session, this.#partition, { filter: this.#touched.eligibleHolds, nowMs, touchedWalletIds: [...rows.wallets.keys()] });
      await rows.find({ holdIds: eligible.holdIds });
      await rows.findWhatIsReferredTo();
    }
    return {
      head,
      wallets: [...rows.wallets.values()],
      holds: [...rows.holds.values()],
      records: [...rows.records.values()],
      operationIds: this.#operationIds,
      keys: this.#keys,
      currencyTotals: this.#currencyTotals,
      eligible,
    };
  }
}

/** Those of the operations that there are, wherever they are: one statement a partition. */
async function existingOperations(session: Session, operationIds: readonly bigint[], movedOperations: MovedOperations): Promise<ReadonlySet<bigint>> {
  const byPartition = Map.groupBy(new Set(operationIds), (operationId) => birthplaceOf(operationId).partition);
  const found = await Promise.all(
    [...byPartition].map(([partition, ids]) => session.all(queries.operationIds, { partition: BigInt(partition), sequences: ids.map((id) => birthplaceOf(id).sequence) })),
  );
  const existing = new Set(found.flat().map((row) => row.operation_id));
  const others = [...new Set(operationIds)].filter((operationId) => !existing.has(operationId));
  for (const row of await movedOperations.find(session, others)) existing.add(row.operation_id);
  return existing;
}

/** Rows of one partition as they are found, each once. */
class Gathering {
  readonly wallets = new Map<bigint, Wallet>();
  readonly holds = new Map<bigint, Hold>();
  readonly records = new Map<bigint, JournalRecord>();
  readonly #session: Session;
  readonly #partition: bigint;

  constructor(session: Session, partition: bigint) {
    this.#session = session;
    this.#partition = partition;
  }

  async keys(keyHashes: readonly string[]): Promise<RememberedKey[]> {
    if (keyHashes.length === 0) return [];
    const hashes = [...new Set(keyHashes)];
    const rows = await this.#session.all(queries.keys, { partition: this.#partition, keyHashes: hashes.map((hash) => Buffer.from(hash, "hex")) });
    const found = new Map<string, RememberedKey>();
    keepInOrder(found, hashes, rows.map(keyFromRow), ({ keyHash }) => keyHash);
    return [...found.values()];
  }

  /** In the order of their opening. */
  async walletsOf(touched: Touched["wallets"]): Promise<void> {
    const [partition, session] = [this.#partition, this.#session];
    const all = new Set<UserId>();
    const one = new Map<string, { readonly userId: UserId; readonly currency: CurrencyCode }>();
    for (const { userId, currency } of touched) {
      if (currency === undefined) all.add(userId);
      else one.set(`${userId} ${currency}`, { userId, currency });
    }
    const ones = [...one.values()].filter(({ userId }) => !all.has(userId));
    const found = await Promise.all([
      all.size === 0 ? [] : session.all(queries.walletsOfUsers, { partition, userIds: [...all] }),
      ones.length === 0 ? [] : session.all(queries.walletsOfUsersIn, { partition, userIds: ones.map(({ userId }) => userId), currencies: ones.map(({ currency }) => currency) }),
    ]);
    for (const row of found.flat().toSorted((a, b) => (a.wallet_id < b.wallet_id ? -1 : 1))) this.wallets.set(row.wallet_id, walletFromRow(row));
  }

  /** In the order in which they are asked for, as far as there are any. */
  async find({ walletIds = [], holdIds = [], sequences = [] }: { readonly walletIds?: readonly bigint[]; readonly holdIds?: readonly bigint[]; readonly sequences?: readonly bigint[] }): Promise<void> {
    const [partition, session] = [this.#partition, this.#session];
    const missing = <Value>(ids: readonly bigint[], found: ReadonlyMap<bigint, Value>): bigint[] => [...new Set(ids)].filter((id) => !found.has(id));
    const wanted = { wallets: missing(walletIds, this.wallets), holds: missing(holdIds, this.holds), records: missing(sequences, this.records) };
    const [wallets, holds, records] = await Promise.all([
      wanted.wallets.length === 0 ? [] : session.all(queries.wallets, { partition, walletIds: wanted.wallets }),
      wanted.holds.length === 0 ? [] : session.all(queries.holds, { partition, holdIds: wanted.holds }),
      wanted.records.length === 0 ? [] : session.all(queries.records, { partition, sequences: wanted.records }),
    ]);
    keepInOrder(this.wallets, wanted.wallets, wallets.map(walletFromRow), ({ walletId }) => walletId);
    keepInOrder(this.holds, wanted.holds, holds.map(holdFromRow), ({ holdId }) => holdId);
    keepInOrder(this.records, wanted.records, records.map(recordFromRow), ({ sequence }) => sequence);
  }

  /** The holds of the records that were found, then the wallets of both. */
  async findWhatIsReferredTo(): Promise<void> {
    const records = [...this.records.values()];
    await this.find({ holdIds: records.flatMap(({ hold }) => hold?.holdId ?? []) });
    const walletIds = records.flatMap((record) => partsHere(record).map(({ walletId }) => walletId));
    await this.find({ walletIds: [...walletIds, ...[...this.holds.values()].map(({ walletId }) => walletId)] });
  }
}

/** Rows come in any order. */
function keepInOrder<Id, Value>(kept: Map<Id, Value>, ids: readonly Id[], found: readonly Value[], idOf: (value: Value) => Id): void {
  const byId = new Map(found.map((value) => [idOf(value), value]));
  for (const id of ids) {
    const value = byId.get(id);
    if (value !== undefined) kept.set(id, value);
  }
}
