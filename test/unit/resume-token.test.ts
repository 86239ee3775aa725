// Resume tokens: each reads back as what was written, and no other text reads as anything.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isSealOf, resumeTokens } from "../../src/api/resume-token.ts";
import type { UserId } from "../../src/domain/wallet.ts";

const place = fc.record({ partition: fc.nat(32_767), sequence: fc.bigInt({ min: 0n, max: 2n ** 48n - 1n }), hash: fc.uint8Array({ minLength: 32, maxLength: 32 }) });
const places = fc.array(place, { minLength: 1, maxLength: 16 });
const user = fc.option(fc.stringMatching(/^[A-Za-z0-9._:@+-]{1,128}$/), { nil: undefined }) as fc.Arbitrary<UserId | undefined>;

describe("a token", () => {
  test("reads back as the places that it was written for", () => {
    fc.assert(
      fc.property(places, user, (written, userId) => {
        const tokens = resumeTokens(userId);
        const token = tokens.write(written);
        expect(token).toMatch(/^[A-Za-z0-9_-]+$/);
        const read = tokens.read(token);
        if (typeof read === "string") throw new Error(read);
        expect(read.map(({ sequence }) => sequence)).toEqual(written.map(({ sequence }) => sequence));
        expect(read.every((each, index) => isSealOf(written[index]!.hash, each))).toBe(true);
      }),
    );
  });

  test("fits into the request also with as many partitions as most ledgers have", () => {
    const most = { partition: 0, sequence: 2n ** 48n - 1n, hash: new Uint8Array(32).fill(255) };
    expect(resumeTokens(undefined).write(Array.from({ length: 200 }, () => most)).length).toBeLessThanOrEqual(4_096);
  });

  test("is refused by a watch with another filter", () => {
    fc.assert(
      fc.property(places, user, user, (written, one, other) => {
        fc.pre(one !== other);
        expect(resumeTokens(other).read(resumeTokens(one).write(written))).toContain("another user_id");
      }),
    );
  });
});

describe("what is no token", () => {
  test("gives a sentence, whatever it is", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String(), fc.string({ unit: "binary" })), (text) => {
        expect(typeof resumeTokens(undefined).read(text)).toBe("string");
      }),
    );
  });

  test("a token with a byte changed reads as another place, or not at all", () => {
    fc.assert(
      fc.property(place, fc.nat(), fc.integer({ min: 1, max: 255 }), (written, at, change) => {
        const tokens = resumeTokens(undefined);
        const bytes = Buffer.from(tokens.write([written]), "base64url");
        bytes[at % bytes.length]! ^= change;
        const read = tokens.read(bytes.toString("base64url"));
        const isSame = typeof read !== "string" && read.length === 1 && read[0]!.sequence === written.sequence && isSealOf(written.hash, read[0]!);
        expect(isSame).toBe(false);
      }),
    );
  });
});
