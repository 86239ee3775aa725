// How many network threads suit a machine.

/** Beside the writer's processor, and one for the system and everything else; beyond four the writer is what binds. */
const otherProcessors = 2;
const threadsMax = 4;

/** From 1 to 4; 1 where the system does not spread a port's connections over those who share it (https://nodejs.org/api/net.html, `reusePort`). */
export function networkThreadsFor(processors: number, platform: NodeJS.Platform): number {
  return platform === "linux" ? Math.min(Math.max(1, processors - otherProcessors), threadsMax) : 1;
}
