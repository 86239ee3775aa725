// The queue: commands gather while the last commit is under way and share the next one; more than a bound are turned away at once.

import type { Answer } from "../domain/answer.ts";
import { weightOf } from "../domain/batch.ts";
import type { Command } from "../domain/command.ts";
import { StoreFault } from "../store/store.ts";
import type { Executor } from "./executor.ts";

/** The queue is as long as it may get. Nothing was done. */
export class QueueFull extends Error {
  override readonly name = "QueueFull";
}

/** The queue takes no more commands because the service is going down. Nothing was done. */
export class QueueClosed extends Error {
  override readonly name = "QueueClosed";
}

/** What bounds the queue. */
export interface QueueLimits {
  /** Operations that may wait or be under way. */
  readonly queueLengthMax: number;
  /** Operations that share a commit. */
  readonly batchLengthMax: number;
}

/** One batch is being executed and the next one already lies ready beside it, so that the writer never waits for this thread. */
const batchesUnderWayMax = 2;

/**
 * Commands from which on the first batch takes only half of those that wait, and the second the others. Callers who wait for their answers ask again all
 * at once, so that as one batch they would go on as one: the writer waiting while they are answered, and they while it writes.
 */
const splitLengthMin = 8;

interface Waiting {
  readonly command: Command;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (reason: unknown) => void;
}

/** The commands of one ledger on their way to the writer, in the order of their arrival. */
export class CommandQueue {
  readonly #executor: Pick<Executor, "execute">;
  readonly #limits: QueueLimits;
  #waiting: Waiting[] = [];
  /** Those of the waiting whose wallets are being swept: what shares a commit with them would not be decided either. */
  readonly #swept = new Set<Waiting>();
  #length = 0;
  #batchesUnderWay = 0;
  /** Commands in them. */
  #lengthUnderWay = 0;
  #flushScheduled = false;
  #closed = false;
  readonly #empty = Promise.withResolvers<void>();

  constructor(executor: Pick<Executor, "execute">, limits: QueueLimits) {
    this.#executor = executor;
    this.#limits = limits;
  }

  /**
   * Has the command decided in its turn and answers once the decision is durable. A command whose `signal` is aborted before its turn comes is
   * never executed and rejected with the signal's reason; one that is under way is answered for, whatever the signal says.
   * Throws QueueFull, QueueClosed, StoreFault, or the signal's reason.
   */
  submit(command: Command, signal?: AbortSignal): Promise<Answer> {
    if (this.#closed) return Promise.reject(new QueueClosed("the service is going down"));
    const weight = weightOf(command);
    // What is larger than the whole queue is taken when it is empty, or it would be turned away for ever.
    if (this.#length > 0 && this.#length + weight > this.#limits.queueLengthMax) return Promise.reject(new QueueFull(`${this.#length} operations are waiting`));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ command, signal, resolve, reject });
      this.#length += weight;
      this.#scheduleFlush();
    });
  }

  /** Takes no more commands and waits until all that were accepted are answered. The executor stays open: it is whoever opened it that closes it. */
  close(): Promise<void> {
    this.#closed = true;
    if (this.#length === 0) this.#empty.resolve();
    return this.#empty.promise;
  }

  /** At the end of the event loop's turn, so that what arrived in one turn goes together. */
  #scheduleFlush(): void {
    if (this.#flushScheduled || this.#batchesUnderWay >= batchesUnderWayMax) return;
    this.#flushScheduled = true;
    setImmediate(() => {
      this.#flushScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    while (this.#batchesUnderWay < batchesUnderWayMax) {
      // As long as the first is under way anyhow, more may come to share the second's commit.
      if (this.#waiting.length < this.#lengthUnderWay / 2) return;
      const batch = this.#takeBatch();
      if (batch.length === 0) return;
      void this.#execute(batch);
    }
  }

  async #execute(batch: readonly Waiting[]): Promise<void> {
    this.#batchesUnderWay++;
    this.#lengthUnderWay += batch.length;
    const notYet = new Set<Waiting>();
    try {
      await this.#executeTogether(batch, notYet);
    } finally {
      this.#batchesUnderWay--;
      this.#lengthUnderWay -= batch.length;
      const over = batch.filter((waiting) => !notYet.has(waiting));
      for (const waiting of over) this.#swept.delete(waiting);
      this.#left(over);
      this.#putBack([...notYet]);
      if (this.#waiting.length > 0) this.#scheduleFlush();
    }
  }

  /** Where a defect, not the database, fails a batch, nothing of it was done: its commands are tried one by one, so that one does not fail the others. */
  async #executeTogether(batch: readonly Waiting[], notYet: Set<Waiting>): Promise<void> {
    try {
      const answers = await this.#executor.execute(batch.map((waiting) => waiting.command));
      if (answers[0]?.type !== "notYet") return batch.forEach((waiting, index) => waiting.resolve(answers[index]!));
    } catch (error) {
      if (error instanceof StoreFault || batch.length === 1) return batch.forEach((waiting) => waiting.reject(error));
    }
    if (batch.length === 1) notYet.add(batch[0]!);
    // One of them has more overdue holds than a transaction releases; the others need not wait for it.
    else for (const waiting of batch) await this.#executeTogether([waiting], notYet);
  }

  /** At the end of the queue, so that a long sweep takes turns with everybody else. Nothing of them was decided. */
  #putBack(notYet: readonly Waiting[]): void {
    if (!this.#closed) {
      for (const waiting of notYet) this.#swept.add(waiting);
      this.#waiting.push(...notYet);
      return;
    }
    for (const waiting of notYet) waiting.reject(new QueueClosed("the service is going down"));
    this.#left(notYet);
  }

  /** The next commands that go together: as many operations as a commit gathers, or one command that brings more of them by itself. What `goesAlone` shares no commit. */
  #takeBatch(): readonly Waiting[] {
    this.#dropAbandoned();
    const [first] = this.#waiting;
    if (first !== undefined && this.#goesAlone(first)) return this.#waiting.splice(0, 1);
    const isSplit = this.#batchesUnderWay === 0 && this.#waiting.length >= splitLengthMin;
    const lengthMax = isSplit ? Math.ceil(this.#waiting.length / 2) : this.#waiting.length;
    let together = 0;
    let weight = 0;
    for (const waiting of this.#waiting) {
      if (together === lengthMax) break;
      weight += weightOf(waiting.command);
      const isTooMuch = together > 0 && weight > this.#limits.batchLengthMax;
      if (isTooMuch || this.#goesAlone(waiting)) break;
      together++;
    }
    return this.#waiting.splice(0, together);
  }

  /** A release, since what is eligible is looked up before anything of its batch is decided; and what waits for a sweep of its wallets. */
  #goesAlone(waiting: Waiting): boolean {
    return waiting.command.type === "releaseHolds" || this.#swept.has(waiting);
  }

  #dropAbandoned(): void {
    const abandoned = this.#waiting.filter((waiting) => waiting.signal?.aborted === true);
    if (abandoned.length === 0) return;
    this.#waiting = this.#waiting.filter((waiting) => waiting.signal?.aborted !== true);
    for (const waiting of abandoned) {
      this.#swept.delete(waiting);
      waiting.reject(waiting.signal?.reason);
    }
    this.#left(abandoned);
  }

  #left(waiting: readonly Waiting[]): void {
    for (const { command } of waiting) this.#length -= weightOf(command);
    if (this.#closed && this.#length === 0) this.#empty.resolve();
  }
}
