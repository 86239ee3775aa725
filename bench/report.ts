// Tells the findings: as Markdown, which is what docs/performance.md is and what a terminal shows.

import type { Findings, Table } from "./measured.ts";

/** The whole page. */
export function reportText({ verdicts, tables }: Findings, machine: readonly string[]): string {
  const met = verdicts.filter((verdict) => verdict.isMet).length;
  const rows = verdicts.map(({ row, what, against, target, figure, ratio, isMet }) => [row, what, against, target, figure, ratio, isMet ? "met" : "**not met**"]);
  return [
    "# Performance",
    "`npm run bench` writes this page. Absolute figures drift on shared machines, so each target is a ratio to something measured in the same run, the contenders taking turns; figures are medians, with the smallest and largest in parentheses.",
    machine.map((line) => `- ${line}`).join("\n"),
    `${met} of ${verdicts.length} targets are met.`,
    markdownTable(["row", "what", "against", "target", "figure", "ratio or value", ""], rows),
    "## How it is measured",
    howItIsMeasured.map((line) => `- ${line}`).join("\n"),
    ...tables.map(tableText),
  ].join("\n\n").concat("\n");
}

const howItIsMeasured = [
  "The service is the real process with its default settings: every commit synced to disk, log level `info`, its lines written to /dev/null.",
  "Load comes from another process, which for unary calls writes HTTP/2 frames itself, so that it takes little of the processor that the server needs. It is closed-loop: a call leaves when an answer is there, 64 at most on a connection.",
  "The no-op on the same server has the same interceptors and the same log line, and a handler that answers with a constant of the same size. All servers decode the request and encode the answer with protobuf-es.",
  "Server CPU is that of the whole process, by thread from /proc, during the measurement only.",
  "Not measured yet: rows 3, 5, 7, 8 and 9, and memory after 5 million operations (row 10).",
];

function tableText({ title, columns, rows, notes }: Table): string {
  return [`## ${title}`, markdownTable(columns, rows), ...notes].join("\n\n");
}

function markdownTable(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  return [columns, columns.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
