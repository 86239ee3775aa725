// How much is measured: the long form makes docs/performance.md, the short one shows only that everything still runs.

export interface Plan {
  readonly wallets: number;
  readonly rounds: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
  /** A slot of the open loop, long enough for a thousandth of its calls to be some. */
  readonly openLoopMs: number;
  readonly inFlight: readonly number[];
  readonly starts: number;
  readonly batchRounds: number;
  readonly batchesARound: number;
  /** Batches of other sizes than row 4's have so many operations a turn, but at most so many calls. */
  readonly batchSizes: { readonly rounds: number; readonly operationsATurn: number; readonly callsATurnMax: number };
  /** Row 8: each partition count has as many servers as the largest of the server counts. */
  readonly postgres: { readonly partitionCounts: readonly number[]; readonly serverCounts: readonly number[]; readonly warmUpBatches: number; readonly batchesATurn: number };
  /** Row 5's ledger: filled in so many steps of so many openings and additions. */
  readonly growth: { readonly steps: number; readonly openingsAStep: number; readonly additionsAStep: number; readonly rounds: number };
  /** Operations in the wallets of row 6; the first is what the others are compared with. */
  readonly historyLengths: readonly number[];
  /** Calls a round, of which the median counts. */
  readonly historyCalls: number;
  /** Calls of the original service, which is slow, take longer slots. */
  readonly originalMs: number;
  /** How long each load lasts under the profiler. */
  readonly profileMs: number;
}

export const longPlan: Plan = {
  wallets: 100_000,
  rounds: 5,
  warmUpMs: 500,
  measureMs: 2_000,
  openLoopMs: 5_000,
  inFlight: [1, 16, 64, 256],
  starts: 9,
  batchRounds: 5,
  batchesARound: 40,
  batchSizes: { rounds: 3, operationsATurn: 40_000, callsATurnMax: 1_000 },
  postgres: { partitionCounts: [1, 8], serverCounts: [1, 3], warmUpBatches: 12, batchesATurn: 40 },
  growth: { steps: 20, openingsAStep: 50_000, additionsAStep: 200_000, rounds: 5 },
  historyLengths: [10, 10_000, 10_000_000],
  historyCalls: 2_000,
  originalMs: 4_000,
  profileMs: 6_000,
};

export const shortPlan: Plan = {
  wallets: 2_000,
  rounds: 1,
  warmUpMs: 150,
  measureMs: 250,
  openLoopMs: 250,
  inFlight: [1, 16, 64, 256],
  starts: 2,
  batchRounds: 1,
  batchesARound: 5,
  batchSizes: { rounds: 1, operationsATurn: 20_000, callsATurnMax: 20 },
  postgres: { partitionCounts: [1, 8], serverCounts: [1, 3], warmUpBatches: 2, batchesATurn: 5 },
  growth: { steps: 5, openingsAStep: 1_000, additionsAStep: 1_000, rounds: 1 },
  historyLengths: [10, 1_000, 10_000],
  historyCalls: 50,
  originalMs: 500,
  profileMs: 250,
};
