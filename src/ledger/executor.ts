// What executes batches: beside the store's connection, wherever that lives.

import assert from "node:assert/strict";
import type { Answer } from "../domain/answer.ts";
import { decideBatch, touchedBy } from "../domain/batch.ts";
import type { Command } from "../domain/command.ts";
import type { LedgerRules } from "../domain/rules.ts";
import { StoreFault, type Store } from "../store/store.ts";
import { releaseEverywhere } from "./release-everywhere.ts";

export interface Executor {
  /**
   * Decides the commands in order in one transaction and answers, in the same order, once it is durable.
   * Throws StoreFault where the database fails; then none of the commands was decided, or (`unknown`) all may have been.
   */
  execute(commands: readonly Command[]): Promise<readonly Answer[]>;
  /** Finishes what was begun and lets go of the database. */
  close(): Promise<void>;
}

/** Executes on this store, in this thread. */
export function executorOn(store: Store, rules: LedgerRules): Executor {
  return {
    async execute(commands) {
      const [first] = commands;
      if (first?.type === "releaseHolds") {
        assert(commands.length === 1, "a release goes alone");
        return [await releaseEverywhere(store, first, rules)];
      }
      return store.transact(touchedBy(commands, rules, store.partitionCount), (state) => {
        const { changes, answers } = decideBatch(state, commands, rules);
        return { changes, result: answers };
      });
    },
    close: () => store.close(),
  };
}

/** The same executor, saying so after each batch that was committed: the journal may have grown. */
export function announcing(executor: Pick<Executor, "execute">, onCommit: () => void): Pick<Executor, "execute"> {
  return {
    async execute(commands) {
      const answers = await executor.execute(commands);
      onCommit();
      return answers;
    },
  };
}

export interface DoubtfulExecutor extends Executor {
  /** From now on nothing more is executed. */
  doubt(): void;
}

/** The same executor until a commit's outcome is unknown: from then on nothing more is written, nor is the database closed, which would write too. */
export function untilInDoubt(executor: Executor): DoubtfulExecutor {
  let isInDoubt = false;
  return {
    async execute(commands) {
      if (isInDoubt) throw new StoreFault("unavailable", "not begun: the outcome of an earlier commit is unknown");
      try {
        return await executor.execute(commands);
      } catch (error) {
        isInDoubt ||= error instanceof StoreFault && error.kind === "unknown";
        throw error;
      }
    },
    doubt() {
      isInDoubt = true;
    },
    async close() {
      if (!isInDoubt) await executor.close();
    },
  };
}
