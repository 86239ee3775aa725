// The benchmark still runs and every row gets its figure. How fast anything is, is nobody's business here.

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const page = new URL("../../docs/performance.md", import.meta.url);

/** What is compared with a target, by row. */
const targetsByRow = {
  // Two methods at four levels; both at one.
  "1": 8,
  "2": 2,
  // Two methods over two versions of HTTP.
  "3": 4,
  // Keys on and off: one and four in flight; after growth.
  "4": 4,
  "5": 2,
  // Three questions of two histories.
  "6": 6,
  "7": 1,
  // Four deployments: unary calls and batches, and both on popular wallets.
  "8": 16,
  // A rate, and nothing lost.
  "9": 2,
  // A time, and memory idle, loaded and after growth.
  "10": 4,
};

test("the short form measures every row and writes nothing", async () => {
  const pageBefore = readFileSync(page, "utf8");
  const { exitCode, stdout, stderr } = await runBench("--short");
  expect({ exitCode, stderr: exitCode === 0 ? "" : stderr }).toEqual({ exitCode: 0, stderr: "" });
  const verdicts = stdout.split("\n").filter((line) => /^\| \d+ \|.*(\| met|\*\*not met\*\*) \|$/.test(line));
  expect(countsBy(verdicts.map((line) => line.split("|")[1]!.trim()))).toEqual(targetsByRow);
  expect(verdicts.filter((line) => !/\d/.test(line.split("|")[6]!))).toEqual([]);
  expect(stdout.split("\n").filter((line) => /NaN|Infinity|undefined/.test(line))).toEqual([]);
  expect(stdout.split("\n").filter(hasNegativeCell)).toEqual([]);
  for (const title of ["The writer's own ceiling", "Network threads: 64 in flight", "Where the time goes", "Garbage collection", "What binds the rows that are missed"]) expect(stdout).toContain(`## ${title}\n`);
  expect(stdout).toMatch(/^- Commit: \S/m);
  expect(readFileSync(page, "utf8")).toBe(pageBefore);
});

test("one row is measured alone", async () => {
  const { exitCode, stdout } = await runBench("--short", "--only=7");
  expect(exitCode).toBe(0);
  expect(stdout.split("\n").filter((line) => line.endsWith("met |") || line.endsWith("met** |")).map((line) => line.split("|")[1]!.trim())).toEqual(["7"]);
});

test("a row that there is not is refused", async () => {
  const { exitCode, stderr } = await runBench("--only=11");
  expect(exitCode).not.toBe(0);
  expect(stderr).toContain("--only takes 1, 2, 3, 7, 9, 4, 5, 6, 8, 10, ceiling, profile, and not 11");
});

/** Rates, times and memory are none. A dash alone is fine, and so is the typographic minus of memory that has become less. */
function hasNegativeCell(line: string): boolean {
  return line.startsWith("| ") && /[ (–]-\d/.test(line);
}

function countsBy(values: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}

async function runBench(...args: string[]): Promise<{ exitCode: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, ["bench/bench.ts", ...args], { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  const output = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  return { exitCode, ...output };
}
