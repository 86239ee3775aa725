// Tells the findings: as Markdown, which is what docs/performance.md is and what a terminal shows.

import type { Findings, ProfiledLoad, Table, Verdict } from "./measured.ts";

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
  "Every unary call adds one cent to a wallet or, as HoldMoney, holds one, with an idempotency key of its own. The wallet is a random one of all, but for row 8's Zipf(1.0), where few are popular, and for row 9, which has ten. Answers are looked at: a failure or a replay ends the run.",
  "Server CPU is that of the whole process, by thread from /proc, during the measurement only.",
];

function verdictRow({ row, what, against, target, figure, ratio, isMet }: Verdict): string[] {
  return [row, what, against, target, figure, ratio, isMet ? "met" : "**not met**"];
}

/** For the rows with a target that was missed: what binds the row, and each of the targets; then with what the profiles that were named see the threads occupied. */
function bindingText(findings: readonly Findings[], verdicts: readonly Verdict[]): string[] {
  const missed = Map.groupBy(verdicts.filter((verdict) => !verdict.isMet), (verdict) => verdict.row);
  const causes = findings.flatMap((each) => each.causes ?? []).filter(({ row }) => missed.has(row));
  const profiles = findings.find((each) => each.profiles !== undefined)?.profiles;
  const lines = [...missed].flatMap(([row, ofRow]) => {
    const sentences = causes.filter((cause) => cause.row === row).map(({ sentence, profile }) => ` ${withProfile(sentence, profile, profiles)}`);
    const bindings = ofRow.flatMap(({ what, binding, profile }) => (binding === undefined ? [] : [`  - *${what}*: ${withProfile(binding, profile, profiles)}`]));
    return sentences.length + bindings.length === 0 ? [] : [`- **Row ${row}.**${sentences.join("")}`, ...bindings];
  });
  if (lines.length === 0) return [];
  const named = [...causes, ...[...missed.values()].flat()].flatMap(({ profile }) => profile ?? []);
  return ["## What binds the rows that are missed", [...lines, ...profileLines(new Set(named), profiles)].join("\n")];
}

/** A sentence, and what the profile of this load shows, where one was taken. */
function withProfile(sentence: string, load: ProfiledLoad | undefined, profiles: Findings["profiles"]): string {
  if (load === undefined || profiles === undefined) return sentence;
  const { name, occupied } = profiles[load];
  return `${sentence} [The profile of ${name}](#where-the-time-goes) shows by the clock ${occupied}.`;
}

function profileLines(named: ReadonlySet<ProfiledLoad>, profiles: Findings["profiles"]): string[] {
  if (profiles === undefined) return [];
  return Object.entries(profiles).flatMap(([load, { name, occupations }]) => (named.has(load as ProfiledLoad) ? [`- The profile of *${name}*: ${occupations}.`] : []));
}

function tableText({ title, columns, rows, notes }: Table): string {
  return [`## ${title}`, markdownTable(columns, rows), ...notes].join("\n\n");
}

function markdownTable(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  return [columns, columns.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
