// Which currencies the ledger knows, with how many decimals, and what may be added.

import { describe, expect, test } from "vitest";
import { currencyRegistry, parseAssets } from "../../src/domain/currency.ts";
import { iso4217 } from "../../src/domain/iso4217.ts";

const codesWith = (exponent: number): string[] => [...iso4217].filter(([, each]) => each === exponent).map(([code]) => code);

describe("ISO 4217", () => {
  // Counts of the published list one of 2026-01-01; a code lost, added or moved changes one of them.
  test.each([[0, 17], [2, 139], [3, 7], [4, 2]])("%i decimals: %i codes", (exponent, count) => {
    expect(codesWith(exponent)).toHaveLength(count);
  });

  test("has no other exponents, and only codes of three capitals", () => {
    expect(iso4217.size).toBe(17 + 139 + 7 + 2);
    for (const code of iso4217.keys()) expect(code).toMatch(/^[A-Z]{3}$/);
  });

  test("the codes that are not like a dollar", () => {
    expect(codesWith(0).join(" ")).toBe("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF");
    expect(codesWith(3).join(" ")).toBe("BHD IQD JOD KWD LYD OMR TND");
    expect(codesWith(4).join(" ")).toBe("CLF UYW");
  });

  test.each("HUF IDR COP LBP AFN ALL IRR KPW LAK MMK PKR RSD SOS SYP YER TWD MGA MRU SLE VED VES XCG ZWG XAD".split(" "))(
    "%s has ISO's two decimals, whatever Intl or habit says",
    (code) => expect(iso4217.get(code)).toBe(2),
  );

  test.each("XAU XAG XXX XTS XDR XSU XUA XBA".split(" "))("%s has no minor unit, so no amount", (code) => expect(iso4217.has(code)).toBe(false));
  test.each("ANG BGN CUC HRK SLL ZWL VEF MRO STD LTL EEK DEM".split(" "))("%s has been withdrawn", (code) => expect(iso4217.has(code)).toBe(false));
});

describe("the registry", () => {
  const registry = currencyRegistry(parseAssets("POINTS:0,USDT:6"));

  test.each([["USD", 2], ["JPY", 0], ["KWD", 3], ["POINTS", 0], ["USDT", 6], ["usd", undefined], ["USDC", undefined], ["", undefined], ["constructor", undefined]])(
    "%s has %s decimals",
    (code, exponent) => expect(registry.exponentOf(code)).toBe(exponent),
  );

  test("can be built on the other side of a thread from its assets", () => {
    const sent = structuredClone(parseAssets("USDT:6"));
    expect(currencyRegistry(sent).exponentOf("USDT")).toBe(6);
  });

  test("does not change under those who use it", () => {
    const assets = new Map([["USDT", 6]]);
    const built = currencyRegistry(assets);
    assets.set("USDT", 2);
    expect(built.exponentOf("USDT")).toBe(6);
  });

  test.each([["USD", 4], ["usdt", 6], ["USDT", 19], ["USDT", -1], ["USDT", 1.5]])("refuses %s with %d decimals however it got there", (name, exponent) => {
    expect(() => currencyRegistry(new Map([[name, exponent]]))).toThrow(`"${name}:${exponent}"`);
  });
});

describe("a list of assets", () => {
  test.each<[string, Record<string, number>]>([
    ["", {}],
    ["  ", {}],
    ["POINTS:0", { POINTS: 0 }],
    ["POINTS:0,USDT:6", { POINTS: 0, USDT: 6 }],
    [" POINTS:0 , USDT:6 ", { POINTS: 0, USDT: 6 }],
    ["WEI:18", { WEI: 18 }],
    ["X2:3", { X2: 3 }],
    ["ABCDEFGHIJKLMNOP:1", { ABCDEFGHIJKLMNOP: 1 }],
    ["XAU:4", { XAU: 4 }], // no ISO precision, so the operator's is no redefinition
  ])("%j is read", (text, expected) => expect(Object.fromEntries(parseAssets(text))).toEqual(expected));

  test.each([
    ["points:0", `"points:0"`],
    ["P:0", `"P:0"`],
    ["1UP:0", `"1UP:0"`],
    ["ABCDEFGHIJKLMNOPQ:1", `"ABCDEFGHIJKLMNOPQ:1"`],
    [":2", `":2"`],
    ["POINTS", `"POINTS" is not NAME:DECIMALS`],
    ["POINTS:", `"POINTS:"`],
    ["POINTS:-1", `"POINTS:-1"`],
    ["POINTS:1.5", `"POINTS:1.5"`],
    ["POINTS:0:1", `"POINTS:0:1"`],
    ["POINTS:19", `"POINTS:19" needs a number of decimals from 0 to 18`],
    ["POINTS:999", `"POINTS:999"`],
    ["POINTS:0,", `""`],
    ["POINTS:0;USDT:6", `"POINTS:0;USDT:6"`],
    ["USD:2", `"USD:2" redefines USD, which is in ISO 4217 with 2 decimals`],
    ["POINTS:0,JPY:2", `"JPY:2"`],
    ["POINTS:0,USDT:6,POINTS:0", `"POINTS:0" names POINTS a second time`],
  ])("%j is refused, naming the entry", (text, sentence) => expect(() => parseAssets(text)).toThrow(sentence));
});
