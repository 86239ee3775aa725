// `npm run bench`: measures the rows of speed.md, prints them and writes docs/performance.md and its plots. `--short` only shows that it runs;
// `--only=3,5` measures these rows alone (`ceiling` and `profile` are names too). Neither writes anything.

import { mkdirSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { measureBatches } from "./batch-rows.ts";
import { measureBatchSizes } from "./batch-size-rows.ts";
import { measureCeiling } from "./ceiling-rows.ts";
import { measuredCommit } from "./commit.ts";
import { measureGarbage } from "./gc-rows.ts";
import { measureGrowth } from "./growth-rows.ts";
import { measureHistory } from "./history-rows.ts";
import { measureJson } from "./json-rows.ts";
import { describeMachine } from "./machine.ts";
import type { Findings } from "./measured.ts";
import { measureNetworkThreads } from "./network-rows.ts";
import { measureOpenLoop } from "./open-loop-rows.ts";
import { measureOriginal } from "./original-rows.ts";
import { longPlan, shortPlan } from "./plan.ts";
import { drawPlot } from "./plots.ts";
import { cleanUp } from "./processes.ts";
import { measurePostgres } from "./postgres-rows.ts";
import { measureProfile } from "./profile-rows.ts";
import { plotFolder, reportText } from "./report.ts";
import { measureStart } from "./start-rows.ts";
import { measureUnary, type UnaryFindings } from "./unary-rows.ts";

const { values } = parseArgs({ options: { short: { type: "boolean", default: false }, only: { type: "string" } } });
const plan = values.short ? shortPlan : longPlan;
const say = (line: string): void => console.error(line);

/** What is measured together, by the names that `--only` knows it by, in the order of its turn: row 7 needs row 1's rate, and a machine drifts. Row 10 is made up of several. */
const groups: readonly { readonly names: readonly string[]; readonly measure: () => Promise<Findings> }[] = [
  { names: ["1", "2"], measure: async () => (unary = await measureUnary(plan, say)) },
  { names: ["3"], measure: () => measureJson(plan, say) },
  { names: ["7"], measure: () => measureOpenLoop(plan, unary?.peakPerSecond, say) },
  { names: ["9"], measure: () => measureOriginal(plan, say) },
  { names: ["4"], measure: () => measureBatches(plan, say) },
  { names: ["4"], measure: () => measureBatchSizes(plan, say) },
  { names: ["5"], measure: () => measureGrowth(plan, say) },
  { names: ["6"], measure: () => measureHistory(plan, say) },
  { names: ["8"], measure: () => measurePostgres(plan, say) },
  { names: ["10"], measure: () => measureStart(plan, unary?.loaded, say) },
  { names: ["ceiling"], measure: () => measureCeiling(plan, say) },
  { names: ["ceiling"], measure: () => measureNetworkThreads(plan, say) },
  { names: ["profile"], measure: () => measureProfile(plan, say) },
  { names: ["profile"], measure: () => measureGarbage(plan, say) },
];
let unary: UnaryFindings | undefined;

try {
  const wanted = wantedNames(values.only);
  const commit = measuredCommit();
  const measured: { readonly row: number; readonly findings: Findings }[] = [];
  for (const { names, measure } of groups) {
    if (!names.some((name) => wanted.has(name))) continue;
    const startMs = performance.now();
    measured.push({ row: rowOf(names[0]!), findings: await measure() });
    say(`${names.join(" and ")}: took ${Math.round((performance.now() - startMs) / 1000)} s`);
  }
  const findings = measured.toSorted((a, b) => a.row - b.row).map((each) => each.findings);
  const text = reportText(findings, describeMachine(commit, unary?.othersShare));
  console.log(text);
  if (values.short) say("The short form: too short for its figures to mean anything; nothing was written.");
  else if (values.only !== undefined) say("Some rows only; nothing was written.");
  else writePage(text, findings);
} finally {
  cleanUp();
}
process.exit(0);

function wantedNames(only: string | undefined): Set<string> {
  const known = new Set(groups.flatMap(({ names }) => names));
  const wanted = only === undefined ? known : new Set(only.split(","));
  for (const name of wanted) if (!known.has(name)) throw new Error(`--only takes ${[...known].join(", ")}, and not ${name}`);
  return wanted;
}

/** The place on the page; what is no row comes last. */
function rowOf(name: string): number {
  return /^\d+$/.test(name) ? Number(name) : Number.MAX_SAFE_INTEGER;
}

function writePage(text: string, findings: readonly Findings[]): void {
  const docs = new URL("../docs/", import.meta.url);
  const plots = new URL(`${plotFolder}/`, docs);
  mkdirSync(plots, { recursive: true });
  for (const plot of findings.flatMap((each) => each.plots ?? [])) writeFileSync(new URL(plot.file, plots), drawPlot(plot));
  writeFileSync(new URL("performance.md", docs), text);
}
