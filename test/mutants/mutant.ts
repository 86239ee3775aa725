// What a planted bug is, and how the tables of them name test files.

export interface Mutant {
  /** What is wrong, in a sentence. */
  readonly bug: string;
  readonly file: string;
  /** The exact text to replace, which is in the file once. */
  readonly replace: string;
  readonly by: string;
  /** Each of these test files must have a test that fails by an assertion. */
  readonly caughtBy: readonly string[];
  /** Whether the short run has it too. */
  readonly isShort?: true;
}

export const unit = (...names: readonly string[]): string[] => names.map((name) => `test/unit/domain/${name}.test.ts`);
export const contract = (...names: readonly string[]): string[] => names.map((name) => `test/contract/${name}.test.ts`);
export const model = ["test/model/model.test.ts"];
