// Only patterns that RE2 and JavaScript read alike are matched by JavaScript; of the others nothing is sure.

import { expect, test } from "vitest";
import { surelyMatches } from "../../src/api/plain-pattern.ts";

test.each([
  ["^[A-Za-z0-9._:@+-]{1,128}$", ["a", "a.b_c:d@e+f-g", "a".repeat(128)], ["", "a b", "ann\n", "é", "a".repeat(129)]],
  ["^[0-9]+([.][0-9]+)?$", ["0", "10.50"], ["", ".5", "1.", "1.5.5", "-1", "1\n"]],
  ["^[!-~]{1,255}$", ["!", "~", "]^\\-["], ["", " ", "\u007f", "a\nb"]],
  ["^a?b*c+d{2}$", ["cdd", "abbccdd"], ["add", "cd"]],
])("%s is matched", (pattern, right, wrong) => {
  const matches = surelyMatches(pattern);
  expect(right.filter((text) => !matches(text))).toEqual([]);
  expect(wrong.filter((text) => matches(text))).toEqual([]);
});

test.each([
  ["^.$", "a"],
  ["^[^a]$", "b"],
  ["^\\w$", "a"],
  ["^[\\d]$", "1"],
  ["^[[:alpha:]]$", "a"],
  ["^\\p{L}$", "a"],
  ["^é$", "é"],
  ["^(?i)a$", "a"],
  ["^(?:a)$", "a"],
  ["^a|b$", "a"],
  ["^(a+)+$", "a"],
  ["^a{1001}$", "a".repeat(1001)],
  ["^a+?$", "a"],
  ["^[z-a]$", "a"],
  ["a$", "a"],
  ["^a", "a"],
  ["(?m)^a$", "a"],
])("%s is left to RE2", (pattern, text) => {
  expect(surelyMatches(pattern)(text)).toBe(false);
});

test("a long text is left to RE2", () => {
  expect(surelyMatches("^a+$")("a".repeat(1_024))).toBe(true);
  expect(surelyMatches("^a+$")("a".repeat(1_025))).toBe(false);
});
