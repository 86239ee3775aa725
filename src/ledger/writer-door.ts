// A door to the writer thread: batches go through it, and each is answered, whatever becomes of the thread.

import type { MessagePort } from "node:worker_threads";
import type { Answer } from "../domain/answer.ts";
import type { Command } from "../domain/command.ts";
import { StoreFault } from "../store/store.ts";
import { readAnswers } from "./writer-answers.ts";
import { writeCommands } from "./writer-commands.ts";
import type { FromDoor, ToDoor } from "./writer-messages.ts";

interface UnderWay {
  readonly batchId: number;
  readonly resolve: (answers: readonly Answer[]) => void;
  readonly reject: (reason: Error) => void;
}

/** One side of the conversation; the other listens to `send`. */
export class WriterDoor {
  readonly #send: (message: ToDoor) => void;
  #onGrown = (): void => {};
  /** Two, as a rule. No Map, for the reason in docs/decisions/0025. */
  readonly #underWay: UnderWay[] = [];
  readonly #failed = Promise.withResolvers<Error>();
  #lastBatchId = 0;
  #isOver = false;

  constructor(send: (message: ToDoor) => void) {
    this.#send = send;
  }

  /** Calls this from now on when others have committed something. */
  whenGrown(listener: () => void): void {
    this.#onGrown = listener;
  }

  /** Resolves when what the writer holds can no longer be trusted, or when it is gone. */
  get failed(): Promise<Error> {
    return this.#failed.promise;
  }

  /** As Executor's. */
  execute(commands: readonly Command[]): Promise<readonly Answer[]> {
    return new Promise((resolve, reject) => {
      // Nobody would answer, or nobody who is to be trusted.
      if (this.#isOver) return reject(new StoreFault("unavailable", "the writer thread has ended or failed"));
      const written = writeCommands(commands);
      const batchId = ++this.#lastBatchId;
      this.#underWay.push({ batchId, resolve, reject });
      this.#send({ type: "execute", batchId, commands: written });
    });
  }

  receive(message: FromDoor): void {
    switch (message.type) {
      case "answers":
        return this.#answered(message);
      case "failed": {
        const { fault } = message;
        this.#take(message.batchId)?.reject(fault === "defect" ? new Error(message.message) : new StoreFault(fault, message.message));
        // After a failed sync the page cache may say what the disk does not: https://wiki.postgresql.org/wiki/Fsync_Errors.
        if (fault === "unknown") this.fail(new Error(`the outcome of a commit is unknown: ${message.message}`));
        return;
      }
      case "grown":
        return this.#onGrown();
      default:
        return message satisfies never;
    }
  }

  /** What is under way is unknown from now on, and nothing more is begun. */
  fail(error: Error): void {
    this.end();
    for (const batch of this.#underWay.splice(0)) batch.reject(new StoreFault("unknown", error.message, { cause: error }));
    this.#failed.resolve(error);
  }

  /** Nothing more is begun. */
  end(): void {
    this.#isOver = true;
  }

  #answered({ batchId, answers }: Extract<FromDoor, { readonly type: "answers" }>): void {
    let read: readonly Answer[];
    try {
      read = readAnswers(answers);
    } catch (error) {
      // The batch is committed, and nobody can be told of it: as where the message itself cannot be read.
      return this.fail(new Error("answers of the writer thread cannot be read", { cause: error }));
    }
    this.#take(batchId)?.resolve(read);
  }

  #take(batchId: number): UnderWay | undefined {
    const index = this.#underWay.findIndex((batch) => batch.batchId === batchId);
    return index < 0 ? undefined : this.#underWay.splice(index, 1)[0];
  }
}

/** The door of another thread, which has been given this port. It is shut when its thread ends. */
export function doorThrough(port: MessagePort): WriterDoor {
  const door = new WriterDoor((message) => port.postMessage(message));
  port.on("message", (message: FromDoor) => door.receive(message));
  // An answer that this thread cannot read is no answer: nobody would wait for less.
  port.on("messageerror", (error) => door.fail(error));
  port.on("close", () => door.fail(new Error("the writer thread has ended")));
  return door;
}
