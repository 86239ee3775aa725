// What a start consists of, as far as it shows from outside: what Node takes by itself, and what the service's threads compute for until it is ready.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { decimals } from "./measured.ts";
import { startArguments } from "./processes.ts";
import type { ThreadTimes } from "./processor-time.ts";
import { spreadOf } from "./statistics.ts";

export interface StartParts {
  /** A Node that is given nothing to do, from its spawn to its end. */
  readonly nodeMs: number;
  /** The service asked for its version only: it loads the settings and the log, but no database and no server. */
  readonly versionMs: number;
  /** Processor time until it was ready. */
  readonly threads: ThreadTimes;
}

/** Of a service that has just become ready. */
export async function startParts(threads: ThreadTimes): Promise<StartParts> {
  return { threads, nodeMs: await lifeMs(["--eval", "0"]), versionMs: await lifeMs([...startArguments(), "--version"]) };
}

/** From the spawn of a Node with these arguments to its end. */
async function lifeMs(args: readonly string[]): Promise<number> {
  const startMs = performance.now();
  const [exitCode] = (await once(spawn(process.execPath, args, { stdio: "ignore" }), "exit")) as [number | null];
  if (exitCode !== 0) throw new Error(`node ${args.join(" ")} ended with code ${exitCode}`);
  return performance.now() - startMs;
}

export function startText(parts: readonly StartParts[]): string {
  const told = (value: (part: StartParts) => number): string => `${decimals(spreadOf(parts.map(value)).median / 1000, 2)} s`;
  const of = (thread: string) => (part: StartParts) => part.threads.get(thread) ?? 0;
  const ofAll = ({ threads }: StartParts): number => [...threads.values()].reduce((sum, ms) => sum + ms, 0);
  const rest = (part: StartParts): number => ofAll(part) - of("MainThread")(part) - of("writer")(part);
  return (
    `Until it is ready the main thread computes for ${told(of("MainThread"))}, the writer thread for ${told(of("writer"))} and all other threads of the process (Node's own: garbage collection, compiling, files) for ${told(rest)}. ` +
    `A Node that is given nothing to do takes ${told((part) => part.nodeMs)} from its spawn to its end, and the service asked for its version, which loads the settings and the log alone, ${told((part) => part.versionMs)}. ` +
    "What is beyond that is loading the service and its libraries on both threads (compiled before, from the cache), making the new ledger's file and its tables and syncing them, opening the port, and waiting for a processor where other processes have them; nothing of it is measured by itself."
  );
}
