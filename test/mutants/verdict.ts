// Judges a run of tests on a planted bug: a test that ran must have failed by an assertion; what does not parse or only crashes proves nothing.

/** What became of one test file. */
export interface FileOutcome {
  /** Its path from the root. */
  readonly file: string;
  readonly passed: number;
  readonly failedByAssertion: number;
  /** Tests that failed by whatever else was thrown. */
  readonly failedOtherwise: number;
  /** What went wrong first, in the file itself or in a test. */
  readonly firstError: string | undefined;
}

export type Verdict =
  | { readonly type: "caught" }
  /** These files passed: none of their tests knows the bug. */
  | { readonly type: "survived"; readonly in: readonly string[] }
  /** The run says nothing about the tests. */
  | { readonly type: "invalid"; readonly why: string };

/** Caught where each of the files that must catch the bug has a test that failed by an assertion. */
export function verdictOn(caughtBy: readonly string[], outcomes: readonly FileOutcome[] | undefined): Verdict {
  if (outcomes === undefined) return { type: "invalid", why: "the tests did not come to an end" };
  const survivedIn: string[] = [];
  for (const file of caughtBy) {
    const outcome = outcomes.find((each) => each.file === file);
    if (outcome === undefined) return { type: "invalid", why: `${file} did not run` };
    if (outcome.failedByAssertion > 0) continue;
    if (outcome.failedOtherwise > 0 || outcome.firstError !== undefined) return { type: "invalid", why: `no assertion failed in ${file}, only: ${outcome.firstError}` };
    survivedIn.push(file);
  }
  return survivedIn.length === 0 ? { type: "caught" } : { type: "survived", in: survivedIn };
}

/** The files that do not pass as they are, or have no tests. */
export function notPassing(files: readonly string[], outcomes: readonly FileOutcome[] | undefined): readonly string[] {
  return files.filter((file) => {
    const outcome = outcomes?.find((each) => each.file === file);
    return outcome === undefined || outcome.passed === 0 || outcome.failedByAssertion + outcome.failedOtherwise > 0 || outcome.firstError !== undefined;
  });
}

/** The source with the bug in it. Throws where the text to replace is not there exactly once: the code has moved on, and the table has to follow. */
export function planted(source: string, { replace, by }: { readonly replace: string; readonly by: string }): string {
  const [before, after, ...more] = source.split(replace);
  if (before === undefined || after === undefined) throw new Error("the text to replace is not there");
  if (more.length > 0) throw new Error(`the text to replace is there ${more.length + 1} times`);
  return before + by + after;
}
