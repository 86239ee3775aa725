// Randomness from a seed, so that a run that failed can be run again.

/** The seed of this run: TEST_SEED, or one from the clock. */
export const seed = Number(process.env["TEST_SEED"] ?? Date.now() % 1_000_000_007);

export interface Random {
  /** A whole number from `min` to `max`, both included. */
  between(min: number, max: number): number;
  pick<Item>(items: readonly Item[]): Item;
}

/** mulberry32 (https://gist.github.com/tommyettinger/46a874533244883189143505d203312c): small, and good enough to choose tests by. */
export function randomFrom(start: number): Random {
  let state = start | 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1));
  return { between, pick: (items) => items[between(0, items.length - 1)]! };
}
