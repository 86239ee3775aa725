// Under a target that was missed stands what the profile of its own load shows.

import { expect, test } from "vitest";
import type { Findings, ProfileInWords, Verdict } from "../../bench/measured.ts";
import { reportText } from "../../bench/report.ts";

const verdict: Verdict = { row: "1", what: "", against: "", target: "", figure: "", ratio: "", isMet: false };
const rows: Findings = {
  verdicts: [
    { ...verdict, what: "adding", binding: "Adding waits.", profile: "addMoney" },
    { ...verdict, what: "holding", binding: "Holding waits.", profile: "holdMoney" },
    { ...verdict, what: "what was met", binding: "Nothing.", profile: "oneInFlight", isMet: true },
    { ...verdict, row: "4", what: "batches" },
  ],
  tables: [],
  causes: [
    { row: "1", sentence: "Calls go through two threads." },
    { row: "4", sentence: "Batches compute.", profile: "batches" },
  ],
};
const named = (name: string): ProfileInWords => ({ name, occupied: `threads at ${name}`, occupations: `areas of ${name}` });
const profiles = { addMoney: named("A"), holdMoney: named("H"), json: named("J"), oneInFlight: named("O"), batches: named("B"), postgresAddMoney: named("PA"), postgresBatches: named("PB") };

test("each target is told with the profile of its own load, and a row with that of all of it", () => {
  const text = reportText([rows, { verdicts: [], tables: [], profiles }], []);
  expect(text).toContain(
    [
      "- **Row 1.** Calls go through two threads.",
      "  - *adding*: Adding waits. [The profile of A](#where-the-time-goes) shows by the clock threads at A.",
      "  - *holding*: Holding waits. [The profile of H](#where-the-time-goes) shows by the clock threads at H.",
      "- **Row 4.** Batches compute. [The profile of B](#where-the-time-goes) shows by the clock threads at B.",
      "- The profile of *A*: areas of A.",
      "- The profile of *H*: areas of H.",
      "- The profile of *B*: areas of B.",
      "",
    ].join("\n"),
  );
});

test("where no profile was taken, the figures stand alone", () => {
  expect(reportText([rows], [])).toContain("  - *holding*: Holding waits.\n");
});
