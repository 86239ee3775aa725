// How much is measured: the long form makes docs/performance.md, the short one shows only that everything still runs.

export interface Plan {
  readonly wallets: number;
  readonly rounds: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
  readonly inFlight: readonly number[];
  readonly starts: number;
  readonly batchRounds: number;
  readonly batchesARound: number;
  /** Operations in the wallets of row 6; the first is what the others are compared with. */
  readonly historyLengths: readonly number[];
  /** Calls a round, of which the median counts. */
  readonly historyCalls: number;
}

export const longPlan: Plan = { wallets: 100_000, rounds: 5, warmUpMs: 500, measureMs: 2_000, inFlight: [1, 16, 64, 256], starts: 9, batchRounds: 9, batchesARound: 50, historyLengths: [10, 10_000, 10_000_000], historyCalls: 2_000 };

export const shortPlan: Plan = { wallets: 2_000, rounds: 1, warmUpMs: 150, measureMs: 250, inFlight: [1, 16, 64, 256], starts: 2, batchRounds: 1, batchesARound: 5, historyLengths: [10, 1_000, 10_000], historyCalls: 50 };
