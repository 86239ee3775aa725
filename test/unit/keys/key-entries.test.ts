// Entries of runs: sorted as their hashes are, and found by them.

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { entryBytes, ordinalAt, ordinalOf, sortedEntries } from "../../../src/store/sqlite/keys/key-entries.ts";

const ordinal = fc.oneof(fc.integer({ min: 1, max: 5_000 }), fc.integer({ min: 2 ** 40, max: 2 ** 48 - 1 }));
/** Most hashes are far from each other; these also share their first bytes, or all but the last. */
const hash = fc
  .tuple(fc.constantFrom("", "00", "ffffffffffff", "0123456789abcdef0123456789abcd"), fc.uint8Array({ minLength: 16, maxLength: 16 }))
  .map(([start, rest]) => `${start}${Buffer.from(rest).toString("hex")}`.slice(0, 32));
const places = fc.uniqueArray(fc.record({ keyHash: hash, ordinal }), { selector: ({ keyHash }) => keyHash, maxLength: 300 });

test("are those of the keys, in the order of their hashes", () => {
  fc.assert(
    fc.property(places, (keys) => {
      const entries = sortedEntries(keys);
      const read = Array.from({ length: entries.length / entryBytes }, (_, index) => ({
        keyHash: entries.toString("hex", index * entryBytes, index * entryBytes + 16),
        ordinal: ordinalAt(entries, index * entryBytes),
      }));
      expect(read).toEqual(keys.toSorted((a, b) => (a.keyHash < b.keyHash ? -1 : 1)));
    }),
  );
});

test("are found by their hash, and no other is", () => {
  fc.assert(
    fc.property(places, hash, (keys, other) => {
      const entries = sortedEntries(keys);
      for (const { keyHash, ordinal: expected } of keys) expect(ordinalOf(entries, Buffer.from(keyHash, "hex"))).toBe(expected);
      const known = keys.find(({ keyHash }) => keyHash === other);
      expect(ordinalOf(entries, Buffer.from(other, "hex"))).toBe(known?.ordinal);
    }),
  );
});

test("a hash that is none is not written", () => expect(() => sortedEntries([{ keyHash: "abc", ordinal: 1 }])).toThrow("32 digits"));
