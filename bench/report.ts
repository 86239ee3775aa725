// Tells the findings: as Markdown, which is what docs/performance.md is and what a terminal shows.

import type { Findings, Table, Verdict } from "./measured.ts";

/** Where the plots lie, as seen from the page. */
export const plotFolder = "performance";

/** The whole page. */
export function reportText(findings: readonly Findings[], machine: readonly string[]): string {
  const verdicts = findings.flatMap((each) => each.verdicts).toSorted((a, b) => Number(a.row) - Number(b.row));
  const met = verdicts.filter((verdict) => verdict.isMet).length;
  const plots = findings.flatMap((each) => each.plots ?? []);
  return [
    "# Performance",
    "`npm run bench` writes this page. Absolute figures drift on shared machines, so each target is a ratio to something measured in the same run, the contenders taking turns; figures are medians, with the smallest and largest in parentheses.",
    machine.map((line) => `- ${line}`).join("\n"),
    "## Targets",
    `${met} of ${verdicts.length} targets are met.`,
    markdownTable(["row", "what", "against", "target", "figure", "ratio or value", ""], verdicts.map(verdictRow)),
    ...plots.map(({ file, title }) => `![${title}](${plotFolder}/${file})`),
    ...bindingText(findings, verdicts),
    "## How it is measured",
    howItIsMeasured.map((line) => `- ${line}`).join("\n"),
    ...findings.flatMap((each) => each.tables).map(tableText),
  ].join("\n\n").concat("\n");
}

const howItIsMeasured = [
  "The service is the real process with its default settings: every commit synced to disk, log level `info`, its lines written to /dev/null.",
  "Load comes from another process, which for unary calls writes HTTP/1.1 and HTTP/2 by hand, so that it takes little of the processor that the server needs. But for row 7 it is closed-loop: a call leaves when an answer is there, 64 at most on an HTTP/2 connection, one on an HTTP/1.1 connection.",
  "The no-op on the same server has the same interceptors and the same log line, and a handler that answers with a constant of the same size. All servers of rows 1 and 2 decode the request and encode the answer with protobuf-es.",
  "Every unary call adds one cent to a random wallet, with an idempotency key of its own. Answers are looked at: a failure or a replay ends the run.",
  "Server CPU is that of the whole process, by thread from /proc, during the measurement only.",
];

function verdictRow({ row, what, against, target, figure, ratio, isMet }: Verdict): string[] {
  return [row, what, against, target, figure, ratio, isMet ? "met" : "**not met**"];
}

/** For the rows with a target that was missed. */
function bindingText(findings: readonly Findings[], verdicts: readonly Verdict[]): string[] {
  const missed = new Set(verdicts.filter((verdict) => !verdict.isMet).map((verdict) => verdict.row));
  const causes = findings.flatMap((each) => each.causes ?? []).filter(({ rows }) => rows.some((row) => missed.has(row)));
  if (causes.length === 0) return [];
  const profiles = findings.find((each) => each.profiles !== undefined)?.profiles;
  const lines = causes.map(({ rows, sentence }) => `- **Row ${rows.filter((row) => missed.has(row)).join(" and row ")}.** ${sentence}`);
  const used = new Set(causes.map(({ profile }) => profile).filter((profile) => profile !== undefined));
  const loads = { unary: "Unary calls", batches: "Batches" };
  const profileLines = profiles === undefined ? [] : [...used].map((load) => `- ${loads[load]} ([where the time goes](#where-the-time-goes)): ${profiles[load]}.`);
  return ["## What binds the rows that are missed", [...lines, ...profileLines].join("\n")];
}

function tableText({ title, columns, rows, notes }: Table): string {
  return [`## ${title}`, markdownTable(columns, rows), ...notes].join("\n\n");
}

function markdownTable(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  return [columns, columns.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
