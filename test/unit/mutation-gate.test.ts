// The mutation gate's own judgement, and that its table fits the code as it is: a gate that lets everything pass would look the same as a good one.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { mutants } from "../mutants/mutants.ts";
import { notPassing, planted, verdictOn, type FileOutcome } from "../mutants/verdict.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const outcome = (file: string, said: Partial<FileOutcome> = {}): FileOutcome => ({ file, passed: 3, failedByAssertion: 0, failedOtherwise: 0, firstError: undefined, ...said });
const wrong = { failedByAssertion: 1, firstError: "expected 1 to be 2" };

describe("a planted bug", () => {
  test("is caught where each file has a failed assertion", () => {
    expect(verdictOn(["a", "b"], [outcome("a", wrong), outcome("b", { ...wrong, failedOtherwise: 2 })])).toEqual({ type: "caught" });
  });
  test("survives where all tests pass, in any of the files", () => {
    expect(verdictOn(["a"], [outcome("a")])).toEqual({ type: "survived", in: ["a"] });
    expect(verdictOn(["a", "b"], [outcome("a", wrong), outcome("b")])).toEqual({ type: "survived", in: ["b"] });
  });
  test("proves nothing where it only crashes, does not parse, or never ends", () => {
    expect(verdictOn(["a"], [outcome("a", { failedOtherwise: 1, firstError: "x is not a function" })])).toMatchObject({ type: "invalid", why: expect.stringContaining("x is not a function") });
    expect(verdictOn(["a"], [outcome("a", { passed: 0, firstError: "Parse error" })])).toMatchObject({ type: "invalid" });
    expect(verdictOn(["a", "b"], [outcome("a", wrong)])).toEqual({ type: "invalid", why: "b did not run" });
    expect(verdictOn(["a"], undefined)).toMatchObject({ type: "invalid" });
  });
});

test("without a bug each file has to pass, and to have tests", () => {
  expect(notPassing(["a", "b", "c", "d", "e"], [outcome("a"), outcome("b", wrong), outcome("c", { passed: 0 }), outcome("d", { firstError: "in a hook" })])).toEqual(["b", "c", "d", "e"]);
  expect(notPassing(["a"], undefined)).toEqual(["a"]);
});

test("a bug is planted exactly where its text is, which is there once", () => {
  expect(planted("a + b", { replace: "+", by: "-" })).toBe("a - b");
  expect(planted("a + b", { replace: "a + b", by: "$&" })).toBe("$&");
  expect(() => planted("a + b", { replace: "*", by: "-" })).toThrow("not there");
  expect(() => planted("a + b + c", { replace: "+", by: "-" })).toThrow("2 times");
});

describe("the table", () => {
  test.each(mutants.map((mutant) => [mutant.bug, mutant] as const))("%s", (_, { file, replace, by, caughtBy }) => {
    const source = readFileSync(join(root, file), "utf8");
    expect(planted(source, { replace, by })).not.toBe(source);
    expect(caughtBy.length).toBeGreaterThan(0);
    for (const name of caughtBy) expect(existsSync(join(root, name)), name).toBe(true);
  });

  test("names each bug once, and some for the short run", () => {
    expect(new Set(mutants.map(({ bug }) => bug)).size).toBe(mutants.length);
    expect(mutants.filter(({ isShort }) => isShort).length).toBeGreaterThanOrEqual(6);
  });
});
