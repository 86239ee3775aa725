// How many network threads suit a machine.

/** One for the writer, or for the database where it is on this machine, and one for the system and everything else. */
const otherProcessors = 2;
/** Two or less keep the writer of a SQLite ledger busy with single changes over gRPC (docs/performance.md, "The writer's own ceiling"); JSON takes about half as much again of a network thread (rows 1 and 3 there), and what only reads takes nothing else. */
const usefulMax = 4;

/** From 1 to 4; 1 where the system does not spread a port's connections over those who share it (https://nodejs.org/api/net.html, `reusePort`). */
export function networkThreadsFor(processors: number, platform: NodeJS.Platform): number {
  return platform === "linux" ? Math.min(Math.max(1, processors - otherProcessors), usefulMax) : 1;
}
