// What was measured, and on what, without anything that tells whose machine it is.

import Database from "better-sqlite3";
import { availableParallelism, cpus, totalmem } from "node:os";

/** Above this share the contenders compete with strangers more than with each other. */
const othersMax = 0.1;

/** `commit`: the line that tells which one was measured. `othersShare`: what processes outside of the measurement took of the processors during rows 1 and 2, 0 to 1. */
export function describeMachine(commit: string, othersShare: number | undefined): string[] {
  const connection = new Database(":memory:");
  const sqlite = connection.prepare<[], { version: string }>("select sqlite_version() as version").get()!.version;
  connection.close();
  return [
    commit,
    `Processor: ${cpus()[0]?.model ?? "unknown"}, ${availableParallelism()} cores, which server, load and the rest share`,
    ...(othersShare === undefined ? [] : [othersText(othersShare)]),
    `Memory: ${Math.round(totalmem() / 1024 ** 3)} GiB`,
    `System: ${process.platform} ${process.arch}`,
    `Node ${process.versions.node}, SQLite ${sqlite}`,
  ];
}

function othersText(share: number): string {
  return `Processes that have nothing to do with the measurement took ${Math.round(100 * share)} % of the processors meanwhile${share > othersMax ? ": too much for these figures to mean anything" : ""}`;
}
