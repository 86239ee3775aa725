// Which commit is measured, so that whoever reads the page can go back to the sources that its figures are of.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** What the benchmark itself writes, which changes nothing that it measures. */
const written = ["docs/performance.md", "docs/performance"];

/** A line for the page; to be asked for before anything is measured, since sources may change meanwhile. */
export function measuredCommit(): string {
  const hash = git("rev-parse", "--short", "HEAD");
  const changes = git("status", "--porcelain", "--", ".", ...written.map((path) => `:(exclude)${path}`));
  return hash === undefined || changes === undefined ? "Commit: not known, since git tells nothing here" : commitText(hash, changes);
}

/** `changes`: what `git status --porcelain` says. */
export function commitText(hash: string, changes: string): string {
  return `Commit: ${hash}${changes === "" ? "" : ", with changes that are not committed"}`;
}

/** What git says, or undefined where it is missing or this is no clone. */
function git(...args: string[]): string | undefined {
  const { status, stdout } = spawnSync("git", args, { cwd: root, encoding: "utf8" });
  return status === 0 ? stdout.trim() : undefined;
}
