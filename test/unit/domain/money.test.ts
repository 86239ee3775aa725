// Amounts between text and minor units: exact both ways, or refused.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatMinor, minorMax, parseDecimal, toMinor } from "../../../src/domain/money.ts";

const exponents = fc.integer({ min: 0, max: 18 });
const digits = (maxLength: number): fc.Arbitrary<string> => fc.stringMatching(new RegExp(`^[0-9]{1,${maxLength}}$`));
const minorText = (text: string, exponent: number): bigint | undefined => toMinor(parseDecimal(text)!, exponent);

describe("text that is an amount", () => {
  test.each([
    ["10.50", 105n, 1],
    ["10.5", 105n, 1],
    ["10", 10n, 0],
    ["10.00", 10n, 0],
    ["0.01", 1n, 2],
    ["007", 7n, 0],
    ["0", 0n, 0],
    ["0.000", 0n, 0],
    ["1000000", 1_000_000n, 0],
    ["9".repeat(64), 10n ** 64n - 1n, 0],
  ])("%s", (text, unscaled, scale) => expect(parseDecimal(text)).toEqual({ unscaled, scale }));

  test.each([
    ..." |.|1.|.5|-1|+1|1e3|1E3|1,000|1_000|1 000| 1|1 |1\n|0x10|1.2.3|NaN|Infinity|1n|١٢|１|1\u0000|1.５|½|".split("|"),
    "1".repeat(65),
    `0.${"0".repeat(63)}`,
  ])("%j is none", (text) => expect(parseDecimal(text)).toBeUndefined());
});

describe("minor units", () => {
  test.each([
    ["10.50", 2, 1050n],
    ["1050", 0, 1050n],
    ["1050.000", 0, 1050n],
    ["0.001", 3, 1n],
    ["1", 18, 10n ** 18n],
    ["92233720368547758.07", 2, minorMax],
    ["92233720368547758.08", 2, minorMax + 1n],
    ["0", 2, 0n],
  ])("of %s with %i decimals", (text, exponent, minor) => expect(minorText(text, exponent)).toBe(minor));

  test.each([["0.001", 2], ["0.5", 0], ["1.0000000000000000001", 18], ["0.009", 2]])("%s has more than %i decimals and is not rounded", (text, exponent) =>
    expect(minorText(text, exponent)).toBeUndefined(),
  );
});

describe("an amount is written with exactly its currency's decimals", () => {
  test.each([
    [1050n, 2, "10.50"],
    [5n, 2, "0.05"],
    [0n, 2, "0.00"],
    [0n, 0, "0"],
    [1050n, 0, "1050"],
    [1n, 18, "0.000000000000000001"],
    [minorMax, 2, "92233720368547758.07"],
    [-5n, 2, "-0.05"],
    [-1050n, 2, "-10.50"],
    [-7n, 0, "-7"],
    [10n ** 40n, 2, `1${"0".repeat(38)}.00`],
  ])("%d with %i decimals", (minor, exponent, text) => expect(formatMinor(minor, exponent)).toBe(text));
});

test("what is written is read back as the same", () => {
  fc.assert(
    fc.property(fc.bigInt(0n, 10n ** 44n), exponents, (minor, exponent) => {
      expect(minorText(formatMinor(minor, exponent), exponent)).toBe(minor);
    }),
  );
});

test("what is read is written back as the same text, but for zeros that say nothing", () => {
  fc.assert(
    fc.property(digits(20), digits(18), (whole, fraction) => {
      const written = formatMinor(minorText(`${whole}.${fraction}`, fraction.length)!, fraction.length);
      expect(written).toBe(`${whole.replace(/^0+(?=.)/, "")}.${fraction}`);
    }),
  );
});

test("nothing is ever rounded: an amount is expressed exactly or not at all", () => {
  fc.assert(
    fc.property(fc.bigInt(0n, 10n ** 30n), exponents, exponents, (unscaled, written, exponent) => {
      const minor = minorText(formatMinor(unscaled, written), exponent);
      // minor × 10^-exponent = unscaled × 10^-written, without a division.
      if (minor === undefined) expect((unscaled * 10n ** BigInt(exponent)) % 10n ** BigInt(written)).not.toBe(0n);
      else expect(minor * 10n ** BigInt(written)).toBe(unscaled * 10n ** BigInt(exponent));
    }),
  );
});

test("values that are equal are read alike, however many zeros they are written with", () => {
  fc.assert(
    fc.property(fc.bigInt(0n, 10n ** 18n), exponents, fc.nat(10), fc.nat(10), (unscaled, exponent, before, after) => {
      const text = formatMinor(unscaled, exponent);
      const padded = "0".repeat(before) + (exponent === 0 ? `${text}.${"0".repeat(after + 1)}` : text + "0".repeat(after));
      expect(parseDecimal(padded)).toEqual(parseDecimal(text));
    }),
  );
});
