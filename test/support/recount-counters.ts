// The counters that reports read, counted once more from the journal. Knows nothing of src/.

import { leb128 } from "./canonical-bytes.ts";

/** In the order of their stored numbers, from 1. */
const counterNames = [
  "adds",
  "holds",
  "releases",
  "reversals",
  "captures",
  "captured holds",
  "capture returns",
  "withdrawals",
  "transfers out",
  "transfers in",
] as const;
export type CounterName = (typeof counterNames)[number];

/** How many operations of each kind, and how much they moved in minor units. */
export class Counters {
  readonly #numbers = counterNames.map(() => 0n);
  readonly #amounts = counterNames.map(() => 0n);

  add(name: CounterName, amountMinor: bigint): void {
    const index = counterNames.indexOf(name);
    this.#numbers[index]! += 1n;
    this.#amounts[index]! += amountMinor;
  }

  /** As they are stored: of each kind that there is, its number from 1, the count and the amount as unsigned LEB128. */
  get hex(): string {
    const bytes = this.#numbers.flatMap((number, index) => (number === 0n ? [] : [index + 1, ...leb128(number), ...leb128(this.#amounts[index]!)]));
    return Buffer.from(bytes).toString("hex");
  }
}
