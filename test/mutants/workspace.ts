// A temporary copy of the project in which bugs are planted and tests are run; the project itself is never touched.

import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { outcomesVariable } from "./outcome-reporter.ts";
import { planted, type FileOutcome } from "./verdict.ts";

export const projectRoot = fileURLToPath(new URL("../..", import.meta.url));

/** What the tests need of the project. */
const copied = ["src", "scripts", "test", "gen", "proto", "package.json", "tsconfig.json", "vitest.config.ts"];

/** A bug may make a loop endless: then a run is ended after so many milliseconds for each of its files. The slowest, the model's, took 100 s beside another run. */
const fileMaxMs = 240_000;

/** Few sequences, always the same, and none of them made shorter: a bug that needs more to be found needs a test of its own. */
const environment = { TEST_SERIALIZABLE: "0", WALLET_MODEL_RUNS: "40", WALLET_MODEL_SEED: "1", WALLET_MODEL_SHRINK: "0" };

export class Workspace {
  readonly #folder = mkdtempSync(join(tmpdir(), "wallet-mutants-"));
  #running: { kill(): void } | undefined;

  constructor() {
    for (const name of copied) cpSync(join(projectRoot, name), join(this.#folder, name), { recursive: true });
    symlinkSync(join(projectRoot, "node_modules"), join(this.#folder, "node_modules"));
  }

  /** Plants the bug, runs the tests and takes the bug out again. */
  async runWith(bug: { readonly file: string; readonly replace: string; readonly by: string }, tests: readonly string[]): Promise<readonly FileOutcome[] | undefined> {
    const path = join(this.#folder, bug.file);
    const source = readFileSync(path, "utf8");
    writeFileSync(path, planted(source, bug));
    try {
      return await this.run(tests);
    } finally {
      writeFileSync(path, source);
    }
  }

  /** What became of these test files; undefined where the run did not come to an end. */
  async run(tests: readonly string[]): Promise<readonly FileOutcome[] | undefined> {
    const outcomes = join(this.#folder, "outcomes.json");
    rmSync(outcomes, { force: true });
    const settings = ["--root", this.#folder, "--reporter", join(this.#folder, "test/mutants/outcome-reporter.ts"), "--maxWorkers", "1", "--cache", "false"];
    // A process group of its own, so that a test that never ends can be ended with everything that it started.
    const vitest = spawn(process.execPath, [join(projectRoot, "node_modules/vitest/vitest.mjs"), "run", ...tests, ...settings], {
      cwd: this.#folder,
      env: { ...process.env, ...environment, [outcomesVariable]: outcomes },
      stdio: "ignore",
      detached: true,
    });
    this.#running = { kill: () => process.kill(-vitest.pid!, "SIGKILL") };
    const timer = setTimeout(() => this.#running?.kill(), fileMaxMs * tests.length);
    await new Promise((resolve, reject) => vitest.on("exit", resolve).on("error", reject));
    clearTimeout(timer);
    this.#running = undefined;
    try {
      return JSON.parse(readFileSync(outcomes, "utf8")) as FileOutcome[];
    } catch {
      return undefined;
    }
  }

  /** Ends what runs in it and removes it. */
  remove(): void {
    this.#running?.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
