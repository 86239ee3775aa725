// Verifications, each in a thread of its own, so that a long one never stops the network; whoever asks while one is under way shares it.

import { Worker } from "node:worker_threads";
import { StartError } from "../start-error.ts";
import { StoreFault } from "../store/store.ts";
import type { FromVerifier, ToVerifier, VerificationEvent, VerifierSettings } from "./verifier-messages.ts";

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
   * result is its result. It ends with its last caller. Throws the signal's reason, VerifierClosed, StartError where the ledger cannot be opened, StoreFault
   * where it cannot be read.
   */
  async *verify(signal: AbortSignal): AsyncGenerator<VerificationEvent> {
    signal.throwIfAborted();
    if (this.#isClosed) throw new VerifierClosed("the service is going down");
    const run = (this.#run ??= new Run(this.#entry, this.#settings));
    const wake = (): void => run.wake();
    signal.addEventListener("abort", wake);
    run.callers++;
    try {
      let told: VerificationEvent | undefined;
      while (told?.type !== "result") {
        signal.throwIfAborted();
        const event = run.latest();
        if (event === undefined || event === told) await run.change;
        else yield (told = event);
      }
    } finally {
      signal.removeEventListener("abort", wake);
      run.callers--;
      if (run.callers === 0 || run.isOver) this.#leave(run);
    }
  }

  /** Ends what is under way, soon, and takes no more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const run = this.#run;
    if (run === undefined) return;
    run.fail(new VerifierClosed("the service is going down"));
    run.stop();
    await run.ended;
  }

  #leave(run: Run): void {
    run.stop();
    if (this.#run === run && !this.#isClosed) this.#run = undefined;
  }
}

/** One verification and the thread that it runs in. */
class Run {
  callers = 0;
  readonly ended: Promise<void>;
  readonly #worker: Worker;
  #latest: VerificationEvent | undefined;
  #failure: Error | undefined;
  #change = Promise.withResolvers<void>();

  constructor(entry: URL, settings: VerifierSettings) {
    this.#worker = new Worker(entry, { workerData: settings, name: "verifier" });
    this.#worker.on("message", (message: FromVerifier) => this.#hear(message));
    this.#worker.on("error", (error) => this.fail(error instanceof Error ? error : new Error(String(error))));
    const ended = Promise.withResolvers<void>();
    this.ended = ended.promise;
    this.#worker.on("exit", (code) => {
      this.fail(new Error(`the verifier thread ended with code ${code}`));
      ended.resolve();
    });
  }

  /** Resolves with the next thing that happens. */
  get change(): Promise<void> {
    return this.#change.promise;
  }

  /** Whether its last word is spoken. */
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

  /** Ends the thread after the step that it is at, a tenth of a second or so. */
  stop(): void {
    this.#worker.postMessage({ type: "stop" } satisfies ToVerifier);
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
