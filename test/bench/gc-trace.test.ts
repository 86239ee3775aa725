// Every pause is read out of V8's trace, and counts for its thread while the load lasted.

import { expect, test } from "vitest";
import { parsePauses, pausesByThread } from "../../bench/gc-trace.ts";

const [main, writer, other] = ["0x365dccb0", "0x7fb2b4000f00", "0x7fb2b8000f00"];

/** As Node 24 writes them. */
const trace = `
[26244:${main}]      209 ms: Scavenge 4.4 (4.5) -> 4.0 (5.5) MB, 5.46 / 0.00 ms  (average mu = 1.000, current mu = 1.000) allocation failure; 
[26244:${writer}]       95 ms: Mark-Compact (reduce) 5.3 (6.4) -> 4.9 (8.5) MB, pooled: 0 MB, 10.08 / 0.00 ms  (average mu = 1.000, current mu = 1.000) external; GC in old space requested
[26244:${main}]     1000 ms: Scavenge 29.4 (45.4) -> 21.7 (38.3) MB, 0.98 / 0.00 ms  (average mu = 0.884, current mu = 0.884) allocation failure; 
something else
[26244:${writer}]      900 ms: Scavenge 24.9 (33.4) -> 22.2 (32.6) MB, 70.59 / 0.00 ms  (average mu = 1.000, current mu = 1.000) allocation failure; 
[26244:${main}]     1254 ms: Mark-Compact 53.9 (74.2) -> 10.6 (44.7) MB, 48.77 / 0.01 ms  (+ 44.5 ms in 8 steps since start of marking, biggest step 43.7 ms, walltime since start of marking 108 ms) (average mu = 1.000, current mu = 1.000) finalize incremental marking via stack guard; GC in old space requested
[26244:${other}]      100 ms: Scavenge 4.4 (4.5) -> 4.0 (5.5) MB, 1.23 / 0.00 ms  (average mu = 1.000, current mu = 1.000) allocation failure; 
[26244:${main}]     2001 ms: Scavenge 29.4 (45.4) -> 21.7 (38.3) MB, 3.00 / 0.00 ms  (average mu = 0.884, current mu = 0.884) allocation failure; 
[26244:${writer}]     1950 ms: Scavenge 29.4 (45.4) -> 21.7 (38.3) MB, 4.00 / 0.00 ms  (average mu = 0.884, current mu = 0.884) allocation failure; 
`;

test("lines of both kinds of collection are read, and the largest step of marking is a pause too", () => {
  const pauses = parsePauses(trace);
  expect(pauses.map(({ pauseMs }) => pauseMs)).toEqual([5.46, 10.08, 0.98, 70.59, 48.77, 43.7, 1.23, 3, 4]);
  expect(pauses[1]).toEqual({ isolate: writer, ageMs: 95, pauseMs: 10.08 });
});

test("pauses count for their thread between two ages of the main one", () => {
  expect(Object.fromEntries(pausesByThread(parsePauses(trace), { fromMs: 1_000, untilMs: 2_000 }))).toEqual({ "main thread": [0.98, 48.77, 43.7], "writer thread": [70.59] });
});

test("a time without pauses has none", () => {
  expect(Object.fromEntries(pausesByThread(parsePauses(trace), { fromMs: 3_000, untilMs: 4_000 }))).toEqual({ "main thread": [], "writer thread": [] });
  expect(parsePauses("")).toEqual([]);
});
