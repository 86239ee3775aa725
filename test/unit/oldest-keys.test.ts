// When a partition's oldest key is looked for again, and from where on.

import { expect, test } from "vitest";
import { OldestKeys } from "../../src/store/postgres/oldest-keys.ts";

test("a key that was seen is looked for again when it may have to be forgotten, and not before", () => {
  const keys = new OldestKeys();
  expect(keys.isDue(3, 0)).toBe(true);
  expect(keys.seen(3)).toBeUndefined();
  keys.saw(3, { ordinal: 7n, timeMs: 1_000n }, 500);
  expect(keys.isDue(3, 1_499)).toBe(false);
  expect(keys.isDue(3, 1_500)).toBe(true);
  expect(keys.seen(3)).toEqual({ ordinal: 7n, timeMs: 1_000n });
  expect(keys.isDue(4, 1_499)).toBe(true);
});
