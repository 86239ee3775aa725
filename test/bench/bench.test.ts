// The benchmark still runs and every row gets its figure. How fast anything is, is nobody's business here.

import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Half a minute on a machine of its own. */
const timeoutMs = 300_000;

test("the short form measures every row and writes nothing", { timeout: timeoutMs }, async () => {
  const { exitCode, stdout, stderr } = await runBench("--short");
  expect({ exitCode, stderr: exitCode === 0 ? "" : stderr }).toEqual({ exitCode: 0, stderr: "" });
  const rows = stdout.split("\n").filter((line) => /^\| \d+ \|/.test(line));
  expect([...new Set(rows.map((row) => row.split("|")[1]!.trim()))]).toEqual(["1", "2", "4", "6", "10"]);
  // Row 1: two methods at four levels; row 2: both at one; row 4: keys on and off, two ways; row 6: three questions of two histories; row 10: a time and two sizes of memory.
  expect(rows.length).toBe(8 + 2 + 4 + 6 + 3);
  expect(rows.filter((row) => /NaN|Infinity|undefined/.test(row) || !/\d/.test(row.split("|")[6]!))).toEqual([]);
});

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
