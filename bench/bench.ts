// `npm run bench`: measures the rows of speed.md that exist so far, prints them and writes docs/performance.md. `--short` only shows that it runs.

import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { measureBatches } from "./batch-rows.ts";
import { measureHistory } from "./history-rows.ts";
import { describeMachine } from "./machine.ts";
import type { Findings } from "./measured.ts";
import { longPlan, shortPlan } from "./plan.ts";
import { cleanUp } from "./processes.ts";
import { reportText } from "./report.ts";
import { measureStart } from "./start-rows.ts";
import { measureUnary } from "./unary-rows.ts";

const { values } = parseArgs({ options: { short: { type: "boolean", default: false } } });
const plan = values.short ? shortPlan : longPlan;
const say = (line: string): void => console.error(line);

try {
  const unary = await measureUnary(plan, say);
  const batches = await measureBatches(plan, say);
  const history = await measureHistory(plan, say);
  const start = await measureStart(plan, unary.loadedMib, say);
  const findings: Findings = {
    verdicts: [...unary.verdicts, ...batches.verdicts, ...history.verdicts, ...start.verdicts],
    tables: [...unary.tables, ...batches.tables, ...history.tables, ...start.tables],
  };
  const text = reportText(findings, describeMachine(unary.othersShare));
  console.log(text);
  if (values.short) say("The short form: too short for its figures to mean anything; nothing was written.");
  else writeFileSync(new URL("../docs/performance.md", import.meta.url), text);
} finally {
  cleanUp();
}
process.exit(0);
