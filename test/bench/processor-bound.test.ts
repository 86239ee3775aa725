// What the processors permit is told from the cost of a call, beside the rival's rate and the target.

import { expect, test } from "vitest";
import { processorBound } from "../../bench/processor-bound.ts";

const comparison = { rivalPerSecond: 10_000, target: 0.75 };

test("a cost that fills all processors below the target says so", () => {
  const sentence = processorBound("A call", { serversUs: 300, databaseUs: 0, loadUs: 20 }, comparison, 2);
  expect(sentence).toBe(
    "A call takes 300 µs of processor time in the service and 20 µs in the load, so that all 2 processors could do at most 6,250 a second: 0.63 of what it is compared with (10,000/s), which is itself below the target of 0.75",
  );
});

test("the database counts too, and a bound above the target leaves the target within reach", () => {
  const sentence = processorBound("An operation", { serversUs: 100, databaseUs: 80, loadUs: 20 }, comparison, 2);
  expect(sentence).toContain("100 µs of processor time in the service, 80 µs in the database and 20 µs in the load");
  expect(sentence).toContain("at most 10,000 a second: 1.00 of what it is compared with (10,000/s), which would meet the target of 0.75");
});
