// How the index of keys is cut: measured, with the reasons, in docs/decisions/0005.

/** Sizes of the index. A ledger may be opened with others than before: what is there is read as it is. */
export interface KeyIndexSizes {
  /** So many keys in memory become a run. */
  readonly tailMax: number;
  /** So many runs of a level become one of the next. */
  readonly fanout: number;
  /** Entries that each new key earns to be merged: a key is merged once a level, and with 8 there are as many levels as keys will ever need. */
  readonly creditPerKey: number;
  /** Entries that are to be due before any are merged: each step begins with a look around. */
  readonly stepEntries: number;
  /** Runs that have more together are not merged: a run's filter must fit into memory while it is made, 32 MiB here. */
  readonly mergedMax: number;
  /** Of the filters in memory, those of the newest runs, some 32 million keys here; keys are looked for in older runs on disk. */
  readonly filtersMaxBytes: number;
}

export const keyIndexSizes: KeyIndexSizes = {
  tailMax: 4_096,
  fanout: 8,
  creditPerKey: 8,
  stepEntries: 1_024,
  mergedMax: 16 * 1024 * 1024,
  filtersMaxBytes: 64 * 1024 * 1024,
};
