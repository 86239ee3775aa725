// A reporter for Vitest that writes down what became of each test file, for the mutation gate to judge.

import { writeFileSync } from "node:fs";
import { relative } from "node:path";
import type { SerializedError } from "vitest";
import type { Reporter, TestModule } from "vitest/node";
import type { FileOutcome } from "./verdict.ts";

/** The file that the outcomes go to, as JSON. */
export const outcomesVariable = "WALLET_MUTANTS_OUTCOMES";

export default class OutcomeReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    writeFileSync(process.env[outcomesVariable]!, JSON.stringify(modules.map(outcomeOf)));
  }
}

function outcomeOf(module: TestModule): FileOutcome {
  const results = [...module.children.allTests()].map((test) => test.result());
  const failures = results.flatMap((result) => (result.state === "failed" ? [result.errors] : []));
  return {
    file: relative(process.cwd(), module.moduleId),
    passed: results.filter((result) => result.state === "passed").length,
    failedByAssertion: failures.filter((errors) => errors.some(isAssertion)).length,
    failedOtherwise: failures.filter((errors) => !errors.some(isAssertion)).length,
    // Of the file, of a suite's hooks: not a test's.
    firstError: [...module.errors(), ...failures.flat()][0]?.message,
  };
}

/** An expectation of the test, or an invariant that the ledger asserts of itself; perhaps as the cause of an error that tells its story. */
function isAssertion(error: SerializedError): boolean {
  return error.name === "AssertionError" || error["code"] === "ERR_ASSERTION" || (error.cause !== undefined && isAssertion(error.cause));
}
