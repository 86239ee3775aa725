// The oldest key of each partition, as far as this process has seen it. Ordinals and times only grow, so it is looked for when it may have to be forgotten and not before, and never behind where it
// was: keys that are deleted stay in the table and its index for as long as anybody's snapshot may see them, and each look would walk over them.

/** Where it is, and when it was remembered, in milliseconds since 1970. */
export interface OldestKey {
  readonly ordinal: bigint;
  readonly timeMs: bigint;
}

export class OldestKeys {
  readonly #known = new Map<number, { readonly key: OldestKey; readonly untilMs: number }>();

  /** The one that was seen last, or one before the oldest; undefined where none was. */
  seen(partition: number): OldestKey | undefined {
    return this.#known.get(partition)?.key;
  }

  /** Whether it is to be looked for at this time. */
  isDue(partition: number, nowMs: number): boolean {
    const known = this.#known.get(partition);
    return known === undefined || nowMs >= known.untilMs;
  }

  /** It was seen, and is kept for so many milliseconds after it was remembered. */
  saw(partition: number, key: OldestKey, retentionMs: number): void {
    this.#known.set(partition, { key, untilMs: Number(key.timeMs) + retentionMs });
  }
}
