// A filter never denies a key that is there, and denies nearly all that are not.

import { randomBytes } from "node:crypto";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { KeyFilter, blockBytes } from "../../../src/store/sqlite/keys/key-filter.ts";

const hash = fc.uint8Array({ minLength: 16, maxLength: 16 });

test("what was added is never denied, however many are added", () => {
  fc.assert(
    fc.property(fc.array(hash, { maxLength: 200 }), fc.integer({ min: 0, max: 400 }), (hashes, expected) => {
      const filter = KeyFilter.for(expected);
      for (const each of hashes) filter.add(each, 0);
      const stored = new KeyFilter(Uint8Array.from(filter.bytes));
      expect(hashes.every((each) => stored.mayHave(each))).toBe(true);
    }),
  );
});

test("blocks are in the order of the hashes, to the last", () => {
  const filter = KeyFilter.for(1_000_000);
  fc.assert(
    fc.property(hash, hash, (a, b) => {
      const [less, more] = Buffer.compare(a, b) < 0 ? [a, b] : [b, a];
      expect(filter.blockOf(less, 0)).toBeLessThanOrEqual(filter.blockOf(more, 0));
    }),
  );
  expect(filter.blockOf(new Uint8Array(16).fill(255), 0)).toBe(filter.bytes.length / blockBytes - 1);
});

test("of others hardly one in 500 is taken for known", () => {
  const filter = KeyFilter.for(20_000);
  const known = randomBytes(20_000 * 16);
  for (let at = 0; at < known.length; at += 16) filter.add(known, at);
  const unknown = Array.from({ length: 100_000 }, () => randomBytes(16));
  expect(unknown.filter((each) => filter.mayHave(each)).length).toBeLessThan(200);
});
