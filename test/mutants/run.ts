// The mutation gate, `npm run mutants`: plants one bug at a time in a copy of the project and expects the tests to catch every one.
//
// `--short` plants only the mutants that are marked so; other arguments are texts, of which a bug's sentence must contain one.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Mutant } from "./mutant.ts";
import { mutants } from "./mutants.ts";
import { notPassing, planted, verdictOn, type Verdict } from "./verdict.ts";
import { projectRoot, Workspace } from "./workspace.ts";

/** Runs at a time: a run is one process that works and one that mostly waits. */
const runsAtATime = 2;

/** What the table says that is no longer so. */
function outdated({ file, bug, ...edit }: Mutant): string[] {
  try {
    planted(readFileSync(join(projectRoot, file), "utf8"), edit);
    return [];
  } catch (error) {
    return [`${bug} (${file}): ${(error as Error).message}`];
  }
}

function lineOf({ bug, caughtBy }: Mutant, verdict: Verdict, sinceMs: number): string {
  const seconds = `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`;
  const files = (names: readonly string[]): string => names.map((name) => name.replace(/^test\//, "").replace(/\.test\.ts$/, "")).join(", ");
  switch (verdict.type) {
    case "caught":
      return `caught    ${bug} — ${files(caughtBy)}, ${seconds}`;
    case "survived":
      return `SURVIVED  ${bug} — ${files(verdict.in)}, ${seconds}`;
    case "invalid":
      return `INVALID   ${bug} — ${verdict.why}, ${seconds}`;
    default:
      return verdict satisfies never;
  }
}

/** Plants all of them, as many at a time as there are workspaces; answers how many were caught. */
async function plantAll(planning: readonly Mutant[], workspaces: readonly Workspace[]): Promise<number> {
  const waiting = [...planning];
  let caught = 0;
  const work = async (workspace: Workspace): Promise<void> => {
    for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
      const sinceMs = performance.now();
      const verdict = verdictOn(mutant.caughtBy, await workspace.runWith(mutant, mutant.caughtBy));
      if (verdict.type === "caught") caught++;
      console.log(lineOf(mutant, verdict, sinceMs));
    }
  };
  await Promise.all(workspaces.map(work));
  return caught;
}

async function main(args: readonly string[]): Promise<boolean> {
  const texts = args.filter((arg) => arg !== "--short");
  const planning = mutants.filter(({ bug, isShort }) => (isShort === true || !args.includes("--short")) && (texts.length === 0 || texts.some((text) => bug.includes(text))));
  if (planning.length === 0) throw new Error("no mutant is chosen");
  const stale = mutants.flatMap(outdated);
  for (const line of stale) console.log(`OUTDATED  ${line}`);
  if (stale.length > 0) return false;

  const sinceMs = performance.now();
  const workspaces = Array.from({ length: runsAtATime }, () => new Workspace());
  const remove = (): void => workspaces.forEach((workspace) => workspace.remove());
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => (remove(), process.exit(1)));
  try {
    const tests = [...new Set(planning.flatMap(({ caughtBy }) => caughtBy))];
    // Each workspace runs its share, so that both are known to be in order.
    const shares = workspaces.map((_, index) => tests.filter((__, place) => place % workspaces.length === index)).filter((share) => share.length > 0);
    const failing = (await Promise.all(shares.map(async (share, index) => notPassing(share, await workspaces[index]!.run(share))))).flat();
    for (const file of failing) console.log(`FAILS     ${file}, without any bug planted`);
    if (failing.length > 0) return false;
    console.log(`${tests.length} test files pass without any bug planted, ${((performance.now() - sinceMs) / 1000).toFixed(1)} s`);
    const caught = await plantAll(planning, workspaces);
    console.log(`${caught} of ${planning.length} caught, ${((performance.now() - sinceMs) / 1000).toFixed(0)} s`);
    return caught === planning.length;
  } finally {
    remove();
  }
}

process.exitCode = (await main(process.argv.slice(2))) ? 0 : 1;
