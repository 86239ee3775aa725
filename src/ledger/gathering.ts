// Batches of several doors share a transaction: whatever has arrived when the writer is free is decided together.

import { setImmediate } from "node:timers/promises";
import type { Answer } from "../domain/answer.ts";
import { weightOf } from "../domain/batch.ts";
import type { Command } from "../domain/command.ts";
import { StoreFault } from "../store/store.ts";
import type { Executor } from "./executor.ts";

interface Waiting {
  readonly door: object;
  readonly commands: readonly Command[];
  readonly resolve: (answers: readonly Answer[]) => void;
  readonly reject: (reason: unknown) => void;
}

export interface GatheringExecutor extends Executor {
  /** Two batches of one door do not share a transaction: it sends them apart so that it has something to do while the second is written. */
  execute(commands: readonly Command[], door?: object): Promise<readonly Answer[]>;
}

/**
 * The same executor for many who ask at once: batches are executed in the order of their arrival, one of each door together as far as `batchLengthMax` operations
 * reach. Each is answered as if it had been executed by itself; only a fault of the database is everybody's.
 */
export function gathering(executor: Executor, batchLengthMax: number): GatheringExecutor {
  const waiting: Waiting[] = [];
  let running: Promise<void> | undefined;

  const run = async (): Promise<void> => {
    while (waiting.length > 0) {
      // What lies in the doors' channels by now comes first.
      await setImmediate();
      await executeTogether(executor, takeTogether(waiting, batchLengthMax));
    }
    running = undefined;
  };

  return {
    execute: (commands, door = {}) =>
      new Promise((resolve, reject) => {
        waiting.push({ door, commands, resolve, reject });
        running ??= run();
      }),
    async close() {
      await running;
      await executor.close();
    },
  };
}

/** At least one. A release goes alone: what is eligible is looked up before anything of its transaction is decided. */
function takeTogether(waiting: Waiting[], batchLengthMax: number): readonly Waiting[] {
  const doors = new Set<object>();
  let weight = 0;
  for (const { door, commands } of waiting) {
    for (const command of commands) weight += weightOf(command);
    const goesAlone = commands[0]?.type === "releaseHolds";
    if (doors.size > 0 && (goesAlone || weight > batchLengthMax || doors.has(door))) break;
    doors.add(door);
    if (goesAlone) break;
  }
  return waiting.splice(0, doors.size);
}

/**
 * Where a defect, not the database, fails several, nothing of them was done; nor was it where one of them has more overdue holds than a transaction releases.
 * Each is executed by itself then, so that one neither fails the others nor has them wait for it.
 */
async function executeTogether(executor: Executor, batches: readonly Waiting[]): Promise<void> {
  try {
    const answers = await executor.execute(batches.length === 1 ? batches[0]!.commands : batches.flatMap(({ commands }) => commands));
    if (batches.length === 1 || answers[0]?.type !== "notYet") {
      let at = 0;
      for (const { commands, resolve } of batches) resolve(answers.slice(at, (at += commands.length)));
      return;
    }
  } catch (error) {
    if (error instanceof StoreFault || batches.length === 1) return batches.forEach(({ reject }) => reject(error));
  }
  for (const batch of batches) await executeTogether(executor, [batch]);
}
