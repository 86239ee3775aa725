// The queue: commands gather while the last commit is under way and share the next one; more than a bound are turned away at once.

import type { Answer } from "../domain/answer.ts";
import { weightOf } from "../domain/batch.ts";
import type { Command } from "../domain/command.ts";
import { StoreFault } from "../store/store.ts";
import type { Executor } from "./executor.ts";
import type { Dispatch, Lined } from "./dispatch.ts";
import { TwoBatches } from "./two-batches.ts";

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

/** What lets batches of different partitions go side by side. */
export interface Lanes {
  readonly dispatch: Dispatch;
  /** The partitions that a command touches, each once. */
  readonly partitionsOf: (command: Command) => readonly number[];
}

/** Whoever waits for an answer: whether they have given up, and why. An AbortSignal is one. */
export type Caller = Pick<AbortSignal, "aborted" | "reason">;

interface Waiting extends Lined {
  readonly command: Command;
  goesAlone: boolean;
  readonly caller: Caller | undefined;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (reason: unknown) => void;
}

/** What a batch left undone. */
interface Undone {
  /** To be decided once more is released. */
  readonly notYet: Set<Waiting>;
  /** Partitions among which are those that could not be had. */
  heldUp: readonly number[];
  /** All of it, where some of it may be done without those. */
  again: readonly Waiting[];
}

/** The commands of one ledger on their way to the writer, in the order of their arrival. */
export class CommandQueue {
  readonly #executor: Pick<Executor, "execute">;
  readonly #limits: QueueLimits;
  readonly #dispatch: Dispatch;
  readonly #partitionsOf: (command: Command) => readonly number[];
  #waiting: Waiting[] = [];
  #length = 0;
  #flushScheduled = false;
  #closed = false;
  readonly #empty = Promise.withResolvers<void>();

  /** Without lanes all goes to one writer, two batches at a time. */
  constructor(executor: Pick<Executor, "execute">, limits: QueueLimits, lanes?: Lanes) {
    this.#executor = executor;
    this.#limits = limits;
    this.#dispatch = lanes?.dispatch ?? new TwoBatches(limits);
    this.#partitionsOf = lanes?.partitionsOf ?? (() => []);
  }

  /**
   * Has the command decided in its turn and answers once the decision is durable. A command whose caller has given up before its turn comes is
   * never executed and rejected with the caller's reason; one that is under way is answered for, whoever has given up.
   * Throws QueueFull, QueueClosed, StoreFault, or the caller's reason.
   */
  submit(command: Command, caller?: Caller): Promise<Answer> {
    if (this.#closed) return Promise.reject(new QueueClosed("the service is going down"));
    const weight = weightOf(command);
    // What is larger than the whole queue is taken when it is empty, or it would be turned away for ever.
    if (this.#length > 0 && this.#length + weight > this.#limits.queueLengthMax) return Promise.reject(new QueueFull(`${this.#length} operations are waiting`));
    return new Promise((resolve, reject) => {
      // Which holds are eligible is looked up before anything of a release's batch is decided.
      this.#waiting.push({ command, caller, resolve, reject, weight, partitions: this.#partitionsOf(command), goesAlone: command.type === "releaseHolds" });
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
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    setImmediate(() => {
      this.#flushScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    this.#dropAbandoned();
    for (let batch = this.#takeBatch(); batch.length > 0; batch = this.#takeBatch()) void this.#execute(batch);
  }

  async #execute(batch: readonly Waiting[]): Promise<void> {
    const undone: Undone = { notYet: new Set(), heldUp: [], again: [] };
    try {
      await this.#executeTogether(batch, undone);
    } finally {
      const { notYet, heldUp, again } = undone;
      this.#dispatch.end(batch, heldUp);
      if (again.length === 0) this.#left(batch.filter((waiting) => !notYet.has(waiting)));
      this.#putBack([...notYet]);
      // They are the oldest, and have waited for nothing that they want.
      this.#waiting.unshift(...again);
      if (this.#waiting.length > 0) this.#scheduleFlush();
    }
  }

  /**
   * Where a defect, not the database, fails a batch, nothing of it was done: its commands are tried one by one, so that one does not fail the others. Nor was it where some of its partitions cannot be had: then it is for the
   * dispatch to send those of the others without them.
   */
  async #executeTogether(batch: readonly Waiting[], undone: Undone): Promise<void> {
    try {
      const answers = await this.#executor.execute(batch.map((waiting) => waiting.command));
      if (answers[0]?.type !== "notYet") return batch.forEach((waiting, index) => waiting.resolve(answers[index]!));
    } catch (error) {
      if (error instanceof StoreFault && error.partitions !== undefined) {
        undone.heldUp = error.partitions;
        if (touchDifferent(batch)) return void (undone.again = batch);
      }
      if (error instanceof StoreFault || batch.length === 1) return batch.forEach((waiting) => waiting.reject(error));
    }
    if (batch.length === 1) undone.notYet.add(batch[0]!);
    // One of them has more overdue holds than a transaction releases; the others need not wait for it.
    else for (const waiting of batch) await this.#executeTogether([waiting], undone);
  }

  /** At the end of the queue, so that a long sweep takes turns with everybody else. Nothing of them was decided. */
  #putBack(notYet: readonly Waiting[]): void {
    if (!this.#closed) {
      // Its wallets are being swept: what shares a commit with it would not be decided either.
      for (const waiting of notYet) waiting.goesAlone = true;
      this.#waiting.push(...notYet);
      return;
    }
    for (const waiting of notYet) waiting.reject(new QueueClosed("the service is going down"));
    this.#left(notYet);
  }

  /** The next commands that go together. */
  #takeBatch(): readonly Waiting[] {
    const batch = this.#dispatch.begin(this.#waiting);
    const isFront = batch.at(-1) === this.#waiting[batch.length - 1];
    if (isFront) this.#waiting.splice(0, batch.length);
    else {
      const taken = new Set(batch);
      this.#waiting = this.#waiting.filter((waiting) => !taken.has(waiting));
    }
    return batch;
  }

  #dropAbandoned(): void {
    const abandoned = this.#waiting.filter((waiting) => waiting.caller?.aborted === true);
    if (abandoned.length === 0) return;
    this.#waiting = this.#waiting.filter((waiting) => waiting.caller?.aborted !== true);
    for (const waiting of abandoned) waiting.reject(waiting.caller?.reason);
    this.#left(abandoned);
  }

  #left(waiting: readonly Waiting[]): void {
    for (const { weight } of waiting) this.#length -= weight;
    if (this.#closed && this.#length === 0) this.#empty.resolve();
  }
}

function touchDifferent(batch: readonly Waiting[]): boolean {
  return batch.some(({ partitions }) => partitions.join() !== batch[0]!.partitions.join());
}
