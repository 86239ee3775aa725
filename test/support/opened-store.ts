// An empty place on an engine with a store opened on it, asked and looked into by the suites about stores, on a clock that they set.

import type { Answer } from "../../src/domain/answer.ts";
import type { Touched } from "../../src/domain/command.ts";
import type { LoadedPartition, LoadedState } from "../../src/domain/loaded-state.ts";
import { executorOn } from "../../src/ledger/executor.ts";
import type { Reads, Store } from "../../src/store/store.ts";
import { toCommand, type Asked } from "./asked.ts";
import type { Engine, LedgerPlace } from "./engines.ts";
import { startMs, storyRules } from "./given.ts";
import { alice, journalOf } from "./journals.ts";

export const untouched: Touched = { partition: 0, wallets: [], holdIds: [], operationIds: [], keyHashes: [], eligibleHolds: undefined };

export class OpenedStore {
  readonly place: LedgerPlace;
  store: Store;
  readonly #machine: { timeMs: number };

  private constructor(place: LedgerPlace, store: Store, machine: { timeMs: number }) {
    this.place = place;
    this.store = store;
    this.#machine = machine;
  }

  static async on(engine: Engine): Promise<OpenedStore> {
    const place = await engine.open();
    const machine = { timeMs: startMs };
    return new OpenedStore(place, await place.openStore(() => machine.timeMs), machine);
  }

  get machineTimeMs(): number {
    return this.#machine.timeMs;
  }

  set machineTimeMs(timeMs: number) {
    this.#machine.timeMs = timeMs;
  }

  async reopen(clock = (): number => this.machineTimeMs): Promise<void> {
    await this.store.close();
    this.store = await this.place.openStore(clock);
  }

  /** One batch. */
  ask(...batch: Asked[]): Promise<readonly Answer[]> {
    return this.askOn(this.store, ...batch);
  }

  /** One batch of this store, which behaves otherwise than the opened one. */
  askOn(store: Store, ...batch: Asked[]): Promise<readonly Answer[]> {
    return executorOn(store, storyRules).execute(batch.map(toCommand));
  }

  /** What of one partition, alice's unless told otherwise, is loaded, and the clock. */
  load(touched: Partial<Touched>): Promise<LoadedPartition & Pick<LoadedState, "nowMs">> {
    const { partition } = journalOf(alice, this.store.partitionCount);
    return this.store.transact([{ ...untouched, partition, ...touched }], ({ nowMs, partitions: [loaded] }) => ({ changes: [], result: { nowMs, ...loaded! } }));
  }

  reads(): Promise<Reads> {
    return this.place.openReads(() => this.machineTimeMs);
  }

  async remove(): Promise<void> {
    await this.store.close();
    await this.place.remove();
  }
}
