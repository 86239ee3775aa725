// Verifications, each in a thread of its own, so that a long one never stops the network; whoever asks while one is under way shares it.

import { Worker } from "node:worker_threads";
import { StartError } from "../start-error.ts";
import { StoreFault } from "../store/store.ts";
import type { FromVerifier, VerificationEvent, VerifierSettings } from "./verifier-messages.ts";

/** The service goes down, so no verification is finished any more. Nothing was to be changed. */
export class VerifierClosed extends Error {
  override readonly name = "VerifierClosed";
}

/** Verifies one ledger for all who ask in this process. Answers and errors: see `verify`. */
export class Verifier {
  readonly #entry: URL;
  readonly #settings: VerifierSettings;
  #run: Run | undefined;
  #isClosed = false;

  /** `entry` is the file that the thread runs. Nothing is started yet. */
  constructor(entry: URL, settings: VerifierSettings) {
    this.#entry = entry;
    this.#settings = settings;
  }

  /**
   * Verifies the ledger: progress now and then, at last the result. A caller who comes while a verification is under way joins it: progress goes on from where it is and the
   * result is its result. It ends with its last caller; who comes while its thread is still ending waits until it has, so that there is never more than one. Throws the
   * signal's reason, VerifierClosed, StartError where the ledger cannot be opened, StoreFault where it cannot be read.
   */
  async *verify(signal: AbortSignal): AsyncGenerator<VerificationEvent> {
    let run: Run | undefined;
    const wake = (): void => this.#run?.wake();
    signal.addEventListener("abort", wake);
    try {
      let told: VerificationEvent | undefined;
      while (told?.type !== "result") {
        signal.throwIfAborted();
        run ??= this.#join();
        const event = run?.latest();
        if (event === undefined || event === told) await this.#run!.change;
        else yield (told = event);
      }
    } finally {
      signal.removeEventListener("abort", wake);
      run?.leave();
    }
  }

  /** Ends what is under way, soon, and takes no more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#run?.end(closed());
  }

  /** The verification that is under way, or a new one; undefined while the last one's thread is still ending. */
  #join(): Run | undefined {
    if (this.#isClosed) throw closed();
    if (this.#run === undefined || this.#run.hasEnded) this.#run = new Run(this.#entry, this.#settings);
    if (this.#run.isOver) return undefined;
    this.#run.callers++;
    return this.#run;
  }
}

function closed(): VerifierClosed {
  return new VerifierClosed("the service is going down");
}

/** One verification and the thread that it runs in. */
class Run {
  callers = 0;
  readonly #worker: Worker;
  #latest: VerificationEvent | undefined;
  #failure: Error | undefined;
  #hasEnded = false;
  #change = Promise.withResolvers<void>();

  constructor(entry: URL, settings: VerifierSettings) {
    this.#worker = new Worker(entry, { workerData: settings, name: "verifier" });
    this.#worker.on("message", (message: FromVerifier) => this.#hear(message));
    this.#worker.on("messageerror", (error) => void this.end(error));
    this.#worker.on("error", (error) => this.fail(error instanceof Error ? error : new Error(String(error))));
    this.#worker.on("exit", (code) => {
      this.#hasEnded = true;
      this.fail(new Error(`the verifier thread ended with code ${code}`));
      this.wake();
    });
  }

  /** Resolves with the next thing that happens. */
  get change(): Promise<void> {
    return this.#change.promise;
  }

  /** Whether its thread is gone. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Whether its last word is spoken: nobody can join it any more. */
  get isOver(): boolean {
    return this.#failure !== undefined || this.#latest?.type === "result";
  }

  /** The latest thing that it told. Throws where it failed. */
  latest(): VerificationEvent | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    return this.#latest;
  }

  /** Lets everybody who waits look again. */
  wake(): void {
    this.#change.resolve();
    this.#change = Promise.withResolvers<void>();
  }

  /** Ends it with this error, unless it is over. */
  fail(error: Error): void {
    if (this.isOver) return;
    this.#failure = error;
    this.wake();
  }

  /** A caller goes away, and the last one ends it: the result is told, or nobody wants it any more. */
  leave(): void {
    this.callers--;
    if (this.callers === 0) void this.end(new Error("nobody waited for the verification any more"));
  }

  /**
   * Ends the thread at once, wherever it is, also while it still loads. It only reads, and its connections are closed with it. Resolves when it has ended.
   */
  async end(error: Error): Promise<void> {
    this.fail(error);
    await this.#worker.terminate();
  }

  #hear(message: FromVerifier): void {
    switch (message.type) {
      case "progress":
      case "result":
        this.#latest = message;
        return this.wake();
      case "notOpened":
        return this.fail(message.sentence === undefined ? new Error(message.message) : new StartError(message.sentence));
      case "failed":
        return this.fail(message.fault === "defect" ? new Error(message.message) : new StoreFault("unavailable", message.message));
      default:
        return message satisfies never;
    }
  }
}
